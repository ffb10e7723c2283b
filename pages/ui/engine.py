"""The one runner of this server and the estimates it has made, shared by all viewers.

A page never waits for a model: it asks for estimates, draws those that are there, and a fragment
(`pages/ui/image/waiting.py`) reruns it when the next one is done.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import streamlit as st

from estimators import weights
from estimators.errors import ModelError, PoseError
from estimators.registry import MODELS, ModelSpec, default_models
from estimators.runtime.api import Runner, RunResult, memory_by_model
from estimators.types import EstimatorOptions, Frame
from pages.ui import devices
from pages.ui.server.status import models_of, tells
from pages.ui.server_settings import server_settings
from pages.ui.sources import Picture

# Estimates run one at a time so that their latencies are comparable; a model that keeps the others
# waiting for longer than this loses that privilege.
_LONGEST_TURN_S, _LONGEST_LOAD_S = 5.0, 120.0
# For a quiet moment, to time again what was measured while busy; and how often that is tried.
_LONGEST_WAIT_S, _MOST_TRIES = 60.0, 3
# A picture is estimated again to time it, a few times and for a moment only.
_MOST_CALLS, _MEASURING_S = 5, 0.25
# A model whose process is lost again and again has no warm call to tell.
_MOST_COLD = 3
_MOST_ESTIMATES = 256

Key = tuple[str, str, EstimatorOptions]
Lend = Callable[[], AbstractContextManager[Frame]]


class _NotYetError(Exception):
    """Nobody has asked for this estimate, or it is not done."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What there is of one model on one picture: a result, an error, or neither while it works.

    Attributes:
        job: what makes the result; beside a result, what times it again.
    """

    spec: ModelSpec
    result: RunResult | None = None
    error: PoseError | None = None
    job: Future[RunResult] | None = None

    @property
    def pending(self) -> bool:
        """It is loading or working."""
        return self.result is None and self.error is None and self.job is not None

    @property
    def missing(self) -> bool:
        """Its weights are not on this machine."""
        return self.result is None and self.error is None and self.job is None


class Jobs:
    """Estimates that are being made or have failed; results leave for the cache."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._jobs: dict[Key, Future[RunResult]] = {}
        self._again: dict[Key, Future[RunResult]] = {}
        self._tries: dict[Key, int] = {}
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def submit(self, key: Key, lend: Lend, viewer: str) -> Future[RunResult]:
        """The job for `key`, started now unless somebody has already; it borrows its picture."""
        with self._lock:
            if key not in self._jobs:
                job: Future[RunResult] = Future()
                # No executor: before the app can end, Python waits for all that it has queued.
                threading.Thread(
                    target=self._work, args=(job, key, lend, viewer), name="estimate", daemon=True
                ).start()
                self._jobs[key] = job
                self._tries.pop(key, None)
            return self._jobs[key]

    def measure_again(self, key: Key, lend: Lend, viewer: str) -> Future[RunResult] | None:
        """The job that times anew what was measured while busy; None where that is given up.

        It waits for a quiet moment, and its result may be busy, too.
        """
        with self._lock:
            again = self._again.get(key)
            if again is None and self._tries.get(key, 0) < _MOST_TRIES:
                self._tries[key] = self._tries.pop(key, 0) + 1
                while len(self._tries) > _MOST_ESTIMATES:
                    self._tries.pop(next(iter(self._tries)))
                again = self._again[key] = Future()
                arguments = (again, key, lend, viewer, True)
                threading.Thread(
                    target=self._work, args=arguments, name="measure-again", daemon=True
                ).start()
            return again

    def forget(self, key: Key) -> None:
        with self._lock:
            self._jobs.pop(key, None)
            self._again.pop(key, None)

    def forget_failures(self, model: str) -> None:
        """Lets `model` be tried again, on every picture."""
        with self._lock:
            self._jobs = {
                key: job
                for key, job in self._jobs.items()
                if key[1] != model or not job.done() or job.exception() is None
            }

    def _work(
        self, job: Future[RunResult], key: Key, lend: Lend, viewer: str, later: bool = False
    ) -> None:
        try:
            if later:
                self._runner.wait_quiet(_LONGEST_WAIT_S)
            job.set_result(self._estimate(key, lend, viewer))
        except Exception as error:  # noqa: BLE001  told on the page, beside the other models
            # A failure is kept; the frames of its traceback would keep the picture with it.
            error.__cause__ = error.__context__ = None
            job.set_exception(error.with_traceback(None))

    def _estimate(self, key: Key, lend: Lend, viewer: str) -> RunResult:
        # Loading takes seconds and must not hold up the models that are ready.
        self._runner.warm(key[1], key[2].device).wait(_LONGEST_LOAD_S)
        mine = self._turn.acquire(timeout=_LONGEST_TURN_S)
        try:
            with lend() as frame:
                return self._measured(key, frame, viewer)
        finally:
            if mine:
                self._turn.release()

    def _measured(self, key: Key, frame: Frame, viewer: str) -> RunResult:
        """The estimate, timed by the median of a few calls where a few cost nobody anything.

        A single call of a few milliseconds says little; a cold one says nothing about those that
        follow and is told apart (`ModelStatus.first_call_ms`).  Of an even number the lower one of
        the middle is told: it was measured, their mean was not.
        """
        _, model, options = key
        warm: list[RunResult] = []
        cold: list[RunResult] = []
        begun = time.monotonic()
        while len(warm) < _MOST_CALLS and len(cold) < _MOST_COLD:
            result = self._runner.estimate(model, frame, options, viewer)
            (cold if result.cold else warm).append(result)
            if result.cold:
                begun = time.monotonic()
            elif time.monotonic() - begun >= _MEASURING_S:
                break
        quiet = [result for result in warm if not result.busy]
        results = sorted(quiet or warm or cold, key=_total_ms)
        usual, times = results[(len(results) - 1) // 2], [_total_ms(r) for r in results]
        return replace(usual, least_ms=times[0], most_ms=times[-1], calls=len(results))


def _total_ms(result: RunResult) -> float:
    return result.estimate.timings_ms.total


@st.cache_resource(show_spinner=False, on_release=lambda runner: runner.close())
def runner() -> Runner:
    """The runner of this server; the default models start loading with it, all at once."""
    from estimators.runtime.runner import ProcessRunner

    hosts = ProcessRunner(server_settings())
    for model in filter(has_weights, default_models(has_weights)):
        hosts.warm(model)
    tells("models", lambda: models_of(hosts))
    return hosts


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    return Jobs(runner())


def start() -> None:
    """Starts the runner if this is the server's first visit; returns at once."""
    jobs()


def try_again(model: str) -> None:
    """Forgets what went wrong with `model`, for every viewer: the next run asks it again."""
    runner().forgive(model)
    jobs().forget_failures(model)


def has_weights(model: str) -> bool:
    return weights.state(MODELS[model].weights).state in ("embedded", "cached")


def viewer() -> str:
    """An identifier of this browser session, so that the runner lets viewers take turns."""
    return str(st.session_state.setdefault("viewer", uuid.uuid4().hex))


@st.cache_data(max_entries=_MOST_ESTIMATES, show_spinner=False)
def _cached(
    digest: str, model: str, options: EstimatorOptions, _job: Future[RunResult] | None
) -> RunResult:
    """The raw estimate, until `max_entries` newer ones push it out; exceptions are not kept."""
    if _job is None:
        raise _NotYetError
    return _job.result()


def estimates(
    picture: Picture, specs: Sequence[ModelSpec], patience_s: float = 0.3
) -> list[Outcome]:
    """What each model says about `picture`, as far as it is known within `patience_s`.

    Models whose weights are not on this machine are left alone: their outcome is `missing`.
    """
    begun = {spec.key: _begin(picture, spec) for spec in specs}
    wait([job for job in begun.values() if isinstance(job, Future)], patience_s)
    return [_outcome(spec, picture, begun[spec.key]) for spec in specs]


def _begin(picture: Picture, spec: ModelSpec) -> Future[RunResult] | RunResult | None:
    """The estimate if it is known, else the job that makes it; None without weights."""
    key = (picture.digest, spec.key, devices.options(spec))
    try:
        return _cached(*key, None)
    except _NotYetError:
        return jobs().submit(key, picture.lent, viewer()) if has_weights(spec.key) else None


def _outcome(
    spec: ModelSpec, picture: Picture, begun: Future[RunResult] | RunResult | None
) -> Outcome:
    if begun is None:
        return Outcome(spec)
    if isinstance(begun, RunResult):
        return _timed_again(spec, picture, begun)
    if not begun.done():
        return Outcome(spec, job=begun)
    key = (picture.digest, spec.key, devices.options(spec))
    if picture.is_anothers(begun):  # the next run asks with this viewer's own file
        jobs().forget(key)
        return Outcome(spec, job=begun)
    # Not raised again: every run of the page would add its frames, with the picture, to the error.
    error = begun.exception()
    if isinstance(error, PoseError):
        return Outcome(spec, error=error, job=begun)
    if error is not None:
        return Outcome(spec, error=ModelError(f"{type(error).__name__}: {error}"), job=begun)
    result = _cached(*key, begun)
    jobs().forget(key)
    return Outcome(spec, result)


def _timed_again(spec: ModelSpec, picture: Picture, known: RunResult) -> Outcome:
    """The known result; a better timed one in its place as soon as there is one."""
    if not known.busy:
        return Outcome(spec, known)
    key = (picture.digest, spec.key, devices.options(spec))
    again = jobs().measure_again(key, picture.lent, viewer())
    if again is None or not again.done():
        return Outcome(spec, known, job=again)
    jobs().forget(key)
    if again.exception() is not None or again.result().busy:
        return Outcome(spec, known)
    _cached.clear(*key, None)
    return Outcome(spec, _cached(*key, again))


def forget(picture: Picture, specs: Sequence[ModelSpec]) -> None:
    """Drops what `specs` said about `picture`, for every viewer: the next run asks them again."""
    for spec in specs:
        _cached.clear(picture.digest, spec.key, devices.options(spec), None)


def host_state(model: str) -> str:
    """Whether `model` is "stopped", "loading", "ready" or "failed"; of several places the last."""
    return next((s.state for s in reversed(runner().status()) if s.model == model), "stopped")


def memory_mb() -> dict[str, float]:
    """Memory of each loaded model's process; shared pages divided among their users."""
    return memory_by_model(runner().status())
