"""Several models over the same pictures at once, so that no core waits for another."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from estimators.devices import MOST_TOGETHER
from estimators.errors import PoseError
from estimators.runtime.api import Runner
from estimators.specs import ModelSpec

# Of each model the first so many pictures are asked one by one, with nothing beside: they tell its
# own latency.  After that all models work at the same time, and their times are marked busy.
QUIET = 12
# While the model works on one picture the next is decoded, and another one waits its turn.
AT_ONCE = 3
# Of a model that takes several in one forward: as many are read meanwhile.
FORWARDS = 2
# A model that is further ahead waits, so that pictures are decoded once for all models.
_LEAD = FORWARDS * MOST_TOGETHER
# A slow model, or one that is lost, holds the others up no longer than this at a time.
_PATIENCE_S = 1.0

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Pace:
    """Keeps models that go through the same list near each other.  From any thread.

    Args:
        models: all of them; each begins before the first item.
    """

    def __init__(self, models: Iterable[str], lead: int = _LEAD, wait_s: float = _PATIENCE_S):
        self._changed = threading.Condition()
        self._reached = dict.fromkeys(models, 0)
        self._lead, self._wait_s = lead, wait_s

    def reached(self, model: str, number: int) -> None:
        """`model` is done with the first `number` items."""
        with self._changed:
            if model in self._reached:
                self._reached[model] = number
                self._changed.notify_all()

    def left(self, model: str) -> None:
        """Nobody waits for `model` any more."""
        with self._changed:
            self._reached.pop(model, None)
            self._changed.notify_all()

    def wait(self, number: int) -> None:
        """Until all are near item `number`, or it has taken too long."""
        with self._changed:
            self._changed.wait_for(
                lambda: number - min(self._reached.values(), default=number) <= self._lead,
                self._wait_s,
            )


def at_once(runner: Runner, model: str, device: str = "") -> int:
    """How many questions of `model` are on their way at the same time.

    Args:
        device: a wish of `devices`; "" for what the runner was told.
    """
    try:
        batch = runner.placement(model, device).batch
    except PoseError:
        batch = 1  # whoever asks it is told why
    return AT_ONCE if batch == 1 else FORWARDS * batch


def ahead(
    items: Iterable[_Item], work: Callable[[_Item], _Result], at_once: int
) -> Generator[_Result]:
    """`work` of each item in their order, on `at_once` of them at the same time.

    When it is closed it waits for those that have begun.
    """
    left = deque(items)
    with ThreadPoolExecutor(at_once, thread_name_prefix="ahead") as pool:
        waiting: deque[Future[_Result]] = deque()
        try:
            while left or waiting:
                while left and len(waiting) < at_once:
                    waiting.append(pool.submit(work, left.popleft()))
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def side_by_side(works: Sequence[Callable[[], None]], stop: Callable[[], None]) -> None:
    """Does all of `works`, each in a thread of its own.

    Args:
        stop: makes them end soon; called when one of them raises, and when this thread is
            interrupted.

    Raises:
        BaseException: what the first of them raised; when all have ended.
    """
    with ThreadPoolExecutor(max(1, len(works)), thread_name_prefix="together") as pool:
        futures = [pool.submit(work) for work in works]
        try:
            done, _ = wait(futures, return_when="FIRST_EXCEPTION")
            for future in done:
                future.result()
        except BaseException:
            stop()
            raise


def exhaust(items: Iterable[object]) -> None:
    """Goes through all of them and keeps none."""
    deque(items, 0)


def groups(
    specs: Sequence[ModelSpec], memory_mb: float, runner: Runner | None = None
) -> list[list[ModelSpec]]:
    """The models in their order, as many together as fit into memory.

    Args:
        runner: knows what those need that it has hosted before; of others it is guessed.
    """
    known: dict[str, float] = {}
    for status in runner.status() if runner else ():  # a model on each of its devices
        known[status.model] = max(known.get(status.model, 0.0), status.expected_mb or 0.0)
    found: list[list[ModelSpec]] = []
    left_mb = 0.0
    for spec in specs:
        needed_mb = known.get(spec.key) or spec.expected_mb
        if not found or needed_mb > left_mb:
            found.append([])
            left_mb = memory_mb
        found[-1].append(spec)
        left_mb -= needed_mb
    return found


def room_mb(runner: Runner, models: Sequence[str]) -> float:
    """Memory that `models` may take together: what others that are loaded leave of the budget."""
    others = (s.memory_mb or 0.0 for s in runner.status() if s.model not in models)
    return runner.memory_mb - sum(others)
