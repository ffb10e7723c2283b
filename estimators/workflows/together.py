"""Several models over the same pictures at once, so that no core waits for another."""

from __future__ import annotations

import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Self, TypeVar

from estimators.devices import MOST_TOGETHER
from estimators.errors import PoseError
from estimators.runtime.api import Runner
from estimators.runtime.cores import keep_off, leave_cores
from estimators.runtime.gathering import AT_A_TIME
from estimators.runtime.machine import available_cores
from estimators.specs import ModelSpec
from estimators.workflows.lasting import measured

# Of each model the first so many pictures are asked one by one, with nothing beside: they tell its
# own latency.  After that all models work at the same time, and their times are marked busy.
QUIET = 12
# While the model works on as many pictures as it is handed at a time, as many are read or wait.
FORWARDS = 2
AT_ONCE = FORWARDS * AT_A_TIME
# A model that is further ahead waits, so that pictures are decoded once for all models.
_LEAD = FORWARDS * MOST_TOGETHER
# A slow model, or one that is lost, holds the others up no longer than this at a time.
_PATIENCE_S = 1.0
_numbers = itertools.count(1)

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
    return max(AT_ONCE, FORWARDS * batch)


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


def side_by_side(
    runner: Runner, works: Sequence[tuple[ModelSpec, Callable[[], None]]], stop: Callable[[], None]
) -> None:
    """Does all of `works`, of one model each, in a thread of its own.

    No time is a model's own meanwhile.  A model that `held_up` finds has a core that the others,
    and these threads, leave alone until its work is done.

    Args:
        stop: makes them end soon; called when one of them raises, and when this thread is
            interrupted.

    Raises:
        BaseException: what the first of them raised; when all have ended.
    """
    threads = ThreadPoolExecutor(max(1, len(works)), thread_name_prefix="together")
    with runner.occupied(), _LeftCore(runner, [spec for spec, _ in works]) as left, threads as pool:
        try:
            futures = [pool.submit(left.during, *work) for work in works]
            done, _ = wait(futures, return_when="FIRST_EXCEPTION")
            for future in done:
                future.result()
        except BaseException:
            stop()
            raise


class _LeftCore:
    """A core for the model that would be held up, until its work is done or this is left.

    The threads of this process have it back with the last of those who leave one.
    """

    _lock = threading.Lock()
    _leaving = 0

    def __init__(self, runner: Runner, specs: Sequence[ModelSpec]) -> None:
        known = {model: lasting.answer_s for model, lasting in measured(runner).items()}
        self._for = held_up(specs, known)
        self._others = [spec.key for spec in specs if spec is not self._for]
        self._runner, self._holder = runner, f"beside-{next(_numbers)}"
        self._left = self._for is not None

    def __enter__(self) -> Self:
        if self._left:
            with self._lock:
                _LeftCore._leaving += 1
            self._give_way(1)
        return self

    def __exit__(self, *exc: object) -> None:
        self._give_back()

    def _give_back(self) -> None:
        with self._lock:
            if self._left:
                self._left = False
                self._give_way(0)
                _LeftCore._leaving -= 1
                if not _LeftCore._leaving:
                    leave_cores(os.getpid(), 0)

    def during(self, spec: ModelSpec, work: Callable[[], None]) -> None:
        """Does the work of one of the models in this thread."""
        with self._lock:
            if self._left:
                keep_off(1)
        try:
            work()
        finally:
            if spec is self._for:
                self._give_back()

    def _give_way(self, cores: int) -> None:
        for model in self._others:
            with suppress(PoseError):  # the runner was closed by `stop`
                self._runner.give_way(model, self._holder, 0, cores)


def held_up(
    specs: Sequence[ModelSpec], answer_s: Mapping[str, float], cores: int | None = None
) -> ModelSpec | None:
    """The slowest of the models that go side by side, where the others had better leave it a core.

    That is where it computes in one thread, which others' threads would hold up as they come and
    go, and the others are done before it even if each takes twice as long with a core less
    (docs/decisions/speed.md).

    Args:
        answer_s: seconds for an answer by model, each measured by itself with all cores.
        cores: of this machine; None to look.
    """
    if len(specs) < 2 or any(spec.key not in answer_s for spec in specs):
        return None
    *others, slowest = sorted(specs, key=lambda spec: answer_s[spec.key])
    fits = 2 * sum(answer_s[spec.key] for spec in others) <= answer_s[slowest.key]
    spare = (cores or available_cores()) > 1
    return slowest if slowest.fixed_threads and fits and spare else None


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
