"""One model asked again and again, with nothing else of the product beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple, Self

from estimators.analysis.clip_latency import median_p95
from estimators.runtime.activity import Work
from estimators.runtime.api import Runner, RunResult
from estimators.types import EstimatorOptions
from estimators.workflows.benchmark.media import BenchmarkMedia
from estimators.workflows.benchmark.result import Calls

# The warm-up ends when the median of the last ten calls differs by at most three per cent from
# that of the ten which ended five calls earlier.
LAST, APART, SETTLED = 10, 5, 0.03
_FEWEST = 3
# Once in all, for other work to end; and how often a disturbed round is measured again.
PATIENCE_S, _MOST_TRIES = 60.0, 3
_SLICE_S = 0.5
# Lets somebody draw who waits for the end of a round.
_BREATH_S = 0.005
_UNTIMED: AbstractContextManager[object] = nullcontext()


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """Raised between two calls."""


class Call(NamedTuple):
    """Milliseconds of one call's stages; they add up to the whole, see `result.Calls`."""

    preprocess: float
    inference: float
    postprocess: float
    transport: float

    @property
    def latency(self) -> float:
        return self.preprocess + self.inference + self.postprocess


class Asking:
    """Asks one model about one frame after another; use it as a context manager.

    Args:
        stopped: asked before every call.
        device: where it computes, "" for what the settings say.
    """

    def __init__(
        self,
        runner: Runner,
        model: str,
        media: BenchmarkMedia,
        stopped: Callable[[], bool],
        device: str = "",
    ) -> None:
        self._runner, self._model, self._stopped = runner, model, stopped
        self._frames = media.endless()
        self._options = EstimatorOptions(media.video, device=device)
        self._session = runner.open(model, self._options) if media.video else None

    def __call__(self) -> Call:
        """The next frame.

        Raises:
            Stopped: somebody wants no more.
            PoseError: the model could not answer.
        """
        if self._stopped():
            raise Stopped
        frame = next(self._frames)
        started = time.perf_counter()
        result: RunResult
        if self._session is None:
            result = self._runner.estimate(self._model, frame, self._options)
        else:
            result = self._session.estimate(frame)
        whole_ms = (time.perf_counter() - started) * 1000
        stages = result.estimate.timings_ms
        return Call(
            stages.preprocess,
            stages.inference,
            stages.postprocess,
            max(0.0, whole_ms - stages.total),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._session is not None:
            self._session.close()


@dataclass
class Alone:
    """Keeps a measurement apart from the rest of the product, and says where that failed.

    Attributes:
        app: hosts what other viewers use; None where there are none.
        stopped: somebody wants no more.
        patience_s: how long it waits for other work to end, once in all.
        drawing: held while calls are timed; whoever draws takes it in between.
    """

    app: Runner | None
    stopped: Callable[[], bool]
    patience_s: float = PATIENCE_S
    drawing: Lock = field(default_factory=Lock)

    def wait(self) -> None:
        """Until nothing else is known to run, or patience is out; see `api.Runner.wait_quiet`."""
        while self.app is not None and self.patience_s > 0 and not self.stopped():
            began = time.monotonic()
            quiet = self.app.wait_quiet(min(_SLICE_S, self.patience_s))
            self.patience_s -= time.monotonic() - began
            if quiet:
                return

    @contextmanager
    def work(self) -> Iterator[Work]:
        """While inside, others' figures are marked; what is given says whether they came."""
        time.sleep(_BREATH_S)
        with self.drawing, nullcontext(Work()) if self.app is None else self.app.occupied() as work:
            yield work


@dataclass(frozen=True)
class WarmUp:
    """Latencies in ms of the calls before anything counts, and whether they had settled."""

    latency_ms: tuple[float, ...]
    settled: bool

    @property
    def now_ms(self) -> float:
        """The median of the last ten."""
        return median_p95(self.latency_ms[-LAST:])[0]


def settled(latency_ms: Sequence[float]) -> bool:
    """The median of the last ten calls has stopped moving."""
    if len(latency_ms) < LAST + APART:
        return False
    last, earlier = latency_ms[-LAST:], latency_ms[-LAST - APART : -APART]
    now, before = median_p95(last)[0], median_p95(earlier)[0]
    return abs(now - before) <= SETTLED * before


def warm_up(ask: Callable[[], Call], seconds: float) -> WarmUp:
    """Calls until the median settles, for at most that long but three times at least."""
    ends_s, taken = time.monotonic() + seconds, list[float]()
    while not (done := settled(taken)):
        if len(taken) >= _FEWEST and time.monotonic() >= ends_s:
            break
        taken.append(ask().latency)
    return WarmUp(tuple(taken), done)


def measured_round(
    ask: Callable[[], Call],
    calls: int,
    alone: Alone,
    timed: AbstractContextManager[object] = _UNTIMED,
) -> tuple[tuple[Call, ...], bool]:
    """Calls one after another, and whether they were alone; disturbed ones are made again.

    Of several calls one more comes first and does not count: another model's turn has just emptied
    the processor's caches.

    Args:
        timed: entered around the calls.
    """
    for _ in range(_MOST_TRIES):
        alone.wait()
        with alone.work() as work, timed:
            if calls > 1:
                ask()
            taken = tuple(ask() for _ in range(calls))
        if not work.disturbed:
            return taken, True
    return taken, False


def columns(rounds: Sequence[Sequence[Call]]) -> Calls:
    """The calls of all rounds as `result.Calls`."""
    numbers = [number for number, calls in enumerate(rounds) for _ in calls]
    stages = zip(*(call for calls in rounds for call in calls), strict=True)
    return Calls(tuple(numbers), *map(tuple, stages))
