"""Which worker is asked what, and what becomes of it when a worker is lost.

Knows nothing of Ray: `Workers` starts them and carries questions there.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from estimators.cluster.worker import Done

# Questions in one message: few enough that little is lost with a worker.
BATCH = 16
# While a worker is on one batch the next is already there.
AHEAD = 2
# A picture that was being worked on so often when its worker was lost is a failed one.
MOST_KILLED = 3
# So many workers lost, or models given up, without one answer between: nothing will come.
MOST_LOST = 8


class WorkerLostError(Exception):
    """The worker, or its node, is gone; what it was asked has no answer."""


class WorkerFailedError(Exception):
    """The worker is there, but could not say what became of its questions."""


class Workers(Protocol):
    """Starts workers, and carries questions to them.

    Attributes:
        count: how many there are at once.
        batch: questions in one message at most.
        ahead: messages that a worker has at once.
    """

    count: int
    batch: int
    ahead: int

    def start(self) -> Any:
        """A new worker, which may yet have to wait for a place."""

    def ready(self, worker: Any) -> Any:
        """A ticket that is done when it has been started."""

    def ask(self, worker: Any, asks: Sequence[Any]) -> Any:
        """A ticket for the answers; asked one after the other."""

    def wait(self, tickets: Sequence[Any], timeout_s: float) -> list[Any]:
        """Those that are done, as soon as one is; equal to what was given, not always the same."""

    def result(self, ticket: Any) -> Any:
        """What a done ticket gave.

        Raises:
            WorkerLostError, WorkerFailedError: it gave nothing.
        """

    def end(self, worker: Any) -> None:
        """Ends a worker; safe for one that is gone."""


@dataclass(eq=False)
class _Batch:
    asks: tuple[Any, ...]
    killed: int = 0


@dataclass(eq=False)
class _Worker:
    handle: Any
    ready: Any
    is_ready: bool = False
    batches: deque[tuple[Any, _Batch]] = field(default_factory=deque)


@dataclass(frozen=True)
class Outcome:
    """What became of some questions: `done`, or why they failed for good."""

    asks: tuple[Any, ...]
    done: Done = field(default_factory=Done)
    error: str = ""


class Schedule:
    """Gives questions to workers until each is settled; `outcomes` does the work.

    Args:
        workers: where they run.
        asks: what is asked, in any order.
        stopped: whether to end before the next answer.
        tell: is given a sentence when it waits for places.
        sent: makes of a question what is sent, when it is sent.
    """

    def __init__(
        self,
        workers: Workers,
        asks: Sequence[Any],
        stopped: Callable[[], bool],
        tell: Callable[[str], None] = lambda _: None,
        sent: Callable[[Any], Any] = lambda ask: ask,
    ) -> None:
        self._workers, self._stopped, self._tell = workers, stopped, tell
        self._sent = sent
        size = max(1, min(workers.batch, -(-len(asks) // max(1, workers.count * workers.ahead))))
        self._queue = deque(_Batch(tuple(asks[i : i + size])) for i in range(0, len(asks), size))
        self._active: list[_Worker] = []
        self._lost = 0  # since the last answer
        self.gave_up = ""

    def outcomes(self) -> Iterator[Outcome]:
        """What becomes of the questions, in the order in which it is known.

        Ends with `gave_up` where workers are lost again and again, and no answer comes.
        """
        waiting_s = time.monotonic()
        try:
            self._start(min(self._workers.count, len(self._queue)))
            while (self._queue or self._busy()) and not self._stopped() and not self.gave_up:
                self._hand_out()
                done = self._workers.wait(self._tickets(), 0.5)
                if done or self._busy():
                    waiting_s = time.monotonic()
                elif time.monotonic() - waiting_s > 30:
                    waiting_s = time.monotonic()
                    self._tell("Waiting for a node with room for a worker.")
                for ticket in done:
                    yield from self._settle(ticket)
        finally:
            for worker in self._active:
                self._workers.end(worker.handle)
            self._active.clear()

    def _start(self, count: int) -> None:
        for _ in range(count):
            handle = self._workers.start()
            self._active.append(_Worker(handle, self._workers.ready(handle)))

    def _busy(self) -> bool:
        return any(worker.batches for worker in self._active)

    def _tickets(self) -> list[Any]:
        """What is awaited of each: its start, then its oldest batch."""
        return [
            worker.batches[0][0] if worker.is_ready else worker.ready
            for worker in self._active
            if worker.batches or not worker.is_ready
        ]

    def _hand_out(self) -> None:
        for depth in range(self._workers.ahead):  # everybody's first before anybody's second
            for worker in self._active:
                if self._queue and worker.is_ready and len(worker.batches) <= depth:
                    batch = self._queue.popleft()
                    ticket = self._workers.ask(worker.handle, [*map(self._sent, batch.asks)])
                    worker.batches.append((ticket, batch))

    def _settle(self, ticket: Any) -> Iterator[Outcome]:
        worker = next(w for w in self._active if self._awaited(w) == ticket)
        try:
            result = self._workers.result(ticket)
        except WorkerLostError as error:
            yield from self._replace(worker, str(error))
            return
        except WorkerFailedError as error:
            _, batch = worker.batches.popleft()
            yield from self._again(batch, str(error), most=1)
            return
        if not worker.is_ready:
            worker.is_ready = True
            return
        _, batch = worker.batches.popleft()
        yield from self._take(batch, result)

    def _awaited(self, worker: _Worker) -> Any:
        return worker.batches[0][0] if worker.is_ready and worker.batches else worker.ready

    def _take(self, batch: _Batch, done: Done) -> Iterator[Outcome]:
        left = batch.asks[done.settled :]
        if done.settled > done.failed:
            self._lost = 0
        if done.gave_up:
            self._count_loss(done.gave_up)
        if left:
            self._queue.append(_Batch(left, batch.killed))
        yield Outcome(batch.asks[: done.settled], done)

    def _replace(self, worker: _Worker, why: str) -> Iterator[Outcome]:
        """Another worker in its place; its first batch was in work, the others never begun."""
        self._active.remove(worker)
        self._workers.end(worker.handle)
        self._count_loss(why)
        batches = [batch for _, batch in worker.batches]
        self._queue.extendleft(reversed(batches[1:]))
        if batches:
            yield from self._again(batches[0], why, MOST_KILLED)
        if not self.gave_up:
            self._start(1)

    def _again(self, batch: _Batch, why: str, most: int) -> Iterator[Outcome]:
        """Asks once more, each by itself: one of them may be what no worker survives."""
        if len(batch.asks) > 1:
            self._queue.extend(_Batch((ask,)) for ask in batch.asks)
        elif batch.killed + 1 < most:
            self._queue.append(_Batch(batch.asks, batch.killed + 1))
        else:
            self._lost = 0
            yield Outcome(batch.asks, error=_failed(why, batch.killed + 1))

    def _count_loss(self, why: str) -> None:
        self._lost += 1
        if self._lost >= MOST_LOST + self._workers.count:
            self.gave_up = why


def _failed(why: str, times: int) -> str:
    often = f" {times} times" if times > 1 else ""
    return f"Its worker was lost{often} while working on it: {why}" if times > 1 else why
