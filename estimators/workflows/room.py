"""One budget for the whole server: what running work holds of decoded pictures, and who waits.

Work that would not fit waits in a queue, first come, first served; whoever waits is told how many
are before them, and about how long that takes.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

# A decoder's process beside the pictures in it.
DECODER_MB = 60.0
# What a job lasts as long as none has ended.
_USUAL_S = 30.0
_LOOK_S = 0.5


def pictures_mb(width: int, height: int, count: float = 1) -> float:
    """So many pictures of this size, decoded: three bytes a pixel."""
    return 3 * width * height * count / 1e6


@dataclass(eq=False)
class Need:
    """What one piece of work takes from its begin to its end.

    Attributes:
        mb: of decoded pictures, at most.
        left_s: how long it still takes, also before it is let in; None while that is unknown.
        begun_s: when it was let in (monotonic clock).
    """

    mb: float
    left_s: Callable[[], float | None] = lambda: None
    begun_s: float = field(default=0.0, init=False)


class Place(NamedTuple):
    """Of who waits: how many are before it, and about how many seconds it waits."""

    before: int
    wait_s: float


class Room:
    """Lets work in as long as all of it fits into `total_mb`.  Any thread may call.

    What needs more than there is in all runs alone, so that nobody waits for ever.
    """

    def __init__(self, total_mb: float) -> None:
        self.total_mb = total_mb
        self._changed = threading.Condition()
        self._inside: list[Need] = []
        self._queue: deque[Need] = deque()
        self._held: dict[str, Callable[[], float]] = {}
        self._lasts_s = _USUAL_S

    def holds(self, name: str, held_mb: Callable[[], float]) -> None:
        """From now on what `held_mb` tells counts, too: it waits for nobody, others wait for it."""
        with self._changed:
            self._held[name] = held_mb

    def enter(self, need: Need, stopped: Callable[[], bool]) -> bool:
        """Waits until `need` fits; False where it was stopped before that.  Then `leave`."""
        with self._changed:
            self._queue.append(need)
            try:
                while not (self._queue[0] is need and self._fits(need)):
                    # Who is stopped, and what is held, nobody tells.
                    self._changed.wait(_LOOK_S)
                    if stopped():
                        return False
                need.begun_s = time.monotonic()
                self._inside.append(need)
                return True
            finally:  # even where asking failed: nobody else would ever come to its turn
                self._queue.remove(need)
                self._changed.notify_all()

    def leave(self, need: Need) -> None:
        """The work has ended; others may come in."""
        with self._changed:
            self._inside.remove(need)
            # Of the last few, the newer ones more.
            self._lasts_s += (time.monotonic() - need.begun_s - self._lasts_s) / 4
            self._changed.notify_all()

    def place(self, need: Need) -> Place | None:
        """Where `need` waits; None where it does not."""
        with self._changed:
            if need not in self._queue:
                return None
            before = self._queue.index(need)
            return Place(before, self._wait_s(before))

    def report(self) -> dict[str, float]:
        """For who watches over the server."""
        with self._changed:
            return {
                "budget_mb": round(self.total_mb),
                "taken_mb": round(self._taken_mb()),
                "running": len(self._inside),
                "waiting": len(self._queue),
            }

    def _taken_mb(self) -> float:
        return sum(n.mb for n in self._inside) + sum(held() for held in self._held.values())

    def _fits(self, need: Need) -> bool:
        return not self._inside or self._taken_mb() + need.mb <= self.total_mb

    def _wait_s(self, before: int) -> float:
        """Until those inside, and those before in the queue, have made room."""
        now = time.monotonic()
        ends = [(self._left_s(need, now), need.mb) for need in self._inside]
        heapq.heapify(ends)
        free, at_s = self.total_mb - self._taken_mb(), 0.0
        for need in [*self._queue][: before + 1]:
            while ends and free < need.mb:
                ended_s, given = heapq.heappop(ends)
                at_s, free = max(at_s, ended_s), free + given
            free -= need.mb
            told = need.left_s()
            heapq.heappush(ends, (at_s + (self._lasts_s if told is None else told), need.mb))
        return at_s

    def _left_s(self, need: Need, now: float) -> float:
        told = need.left_s()
        return max(1.0, self._lasts_s - (now - need.begun_s) if told is None else told)


_room: Room | None = None


def use_room(total_mb: float) -> Room:
    """From now on the work of this process shares one budget (`POSE_WORK_MB`)."""
    global _room
    if _room is None:
        _room = Room(total_mb)
    return _room


def room() -> Room | None:
    """The budget; None where one person has this process to themselves."""
    return _room
