"""What a runner offers, whatever hosts the models: child processes or this process."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from estimators.devices import AUTO, Placement
from estimators.errors import PoseError
from estimators.runtime.activity import Work
from estimators.types import Estimate, EstimatorOptions, Frame

DEFAULT_OPTIONS = EstimatorOptions()
ON_CPU = Placement()

HostState = Literal["stopped", "loading", "ready", "failed"]


@dataclass(frozen=True, eq=False)
class RunResult:
    """An estimate with the time that was not the model's.

    Attributes:
        estimate: the answer; its `timings_ms` were measured in the host process.
        queue_ms: waiting for the model's turn (other viewers, loading).
        transport_ms: carrying the frame there and the answer back.
        cold: the first answer after loading, after a long rest or of a new session; it takes longer
            than those that follow.
        restarted: the host was started anew since this session's last frame, so a stateful model
            has lost what it knew of earlier frames.
        busy: its times were measured while something else was known to use this machine's cores
            (another model loading or answering, a live video), or while the model gave way to it;
            they are no figures of the model's own.
        placement: where the model computed.
        least_ms, most_ms, calls: the range of the stages' total over the calls of which this is the
            median, and how many those were; None and 1 where there was one call.
    """

    estimate: Estimate
    queue_ms: float
    transport_ms: float
    cold: bool = False
    restarted: bool = False
    busy: bool = False
    placement: Placement = ON_CPU
    least_ms: float | None = None
    most_ms: float | None = None
    calls: int = 1


@dataclass(frozen=True)
class ModelStatus:
    """What a loaded variant costs on this machine.

    Attributes:
        rss_mb: resident memory of its process, shared pages counted in full; None when stopped.
        pss_mb: the same with shared pages divided among their users; None where not known.
        settled_mb: what it held right after its first estimate, shared pages by share: a state that
            does not depend on what came later; None before.
        peak_mb: most resident memory it ever held, None where not told.
        load_s: seconds from starting the process to ready, None before.
        first_call_ms: latency of the first estimate after loading (the cold start), None before.
        gpu_mb: memory of GPUs that its process holds; None on the CPU, and where it is not told.
        placement: where it computes, or would as far as that is certain; None where it is not.
        wanted: where it was to compute, a wish of `devices`.
        start_busy: something else ran while it loaded or made its first estimate.
        median_ms, p95_ms: of the later undisturbed estimates' stage totals, None before the first.
        error: why it failed, in plain words.
        expected_mb: what it needs when it is loaded: measured last time, else guessed.
    """

    model: str
    state: HostState
    pid: int | None = None
    rss_mb: float | None = None
    pss_mb: float | None = None
    settled_mb: float | None = None
    peak_mb: float | None = None
    load_s: float | None = None
    first_call_ms: float | None = None
    start_busy: bool = False
    median_ms: float | None = None
    p95_ms: float | None = None
    calls: int = 0
    restarts: int = 0
    error: str | None = None
    placement: Placement | None = None
    wanted: str = AUTO
    gpu_mb: float | None = None
    expected_mb: float | None = None

    @property
    def memory_mb(self) -> float | None:
        """What its process costs: after its first estimate, before that what it holds now."""
        return self.now_mb if self.settled_mb is None else self.settled_mb

    @property
    def now_mb(self) -> float | None:
        """What it holds now: shared pages by share, in full where shares are not known."""
        return self.rss_mb if self.pss_mb is None else self.pss_mb


def memory_by_model(statuses: Iterable[ModelStatus]) -> dict[str, float]:
    """`ModelStatus.memory_mb` of each model that has a process."""
    return {s.model: s.memory_mb for s in statuses if s.memory_mb is not None}


class Session(Protocol):
    """One viewer's sequence of frames through one model; use as a context manager or close it."""

    def estimate(self, frame: Frame, timeout_s: float | None = None) -> RunResult:
        """The next frame of the sequence.

        Args:
            timeout_s: how long the model may work on this frame (waiting for its turn and loading
                are not counted); None for the runner's own limit.

        Raises:
            ModelError, WeightsError: what went wrong with this model; the subclass says more.
            InputError: the model cannot use this frame.
        """

    def estimate_together(self, frames: Sequence[Frame]) -> list[RunResult | PoseError]:
        """The next frames of a sequence in which none depends on another (`Placement.batch`).

        Returns:
            In their order the result, or why there is none.

        Raises:
            ModelError, WeightsError: what went wrong with this model.
        """

    def close(self) -> None:
        """Frees the model's memory of this sequence; safe to call twice and after a crash."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Runner(Protocol):
    """Hosts the models. Every method may be called from any thread."""

    @property
    def memory_mb(self) -> int:
        """The budget of all models together."""

    def warm(self, model: str, device: str = "") -> threading.Event:
        """Starts loading `model` in the background; errors show in `status` and at first use.

        Args:
            device: where, a wish of `devices`; "" for what the runner was told.

        Returns:
            What is set as soon as it is loaded, or has failed to.
        """

    def placement(self, model: str, device: str = "") -> Placement:
        """Where `model` computes; loads it where that is not certain before.

        Raises:
            ModelError, WeightsError: it cannot be loaded there.
        """

    def estimate(
        self,
        model: str,
        frame: Frame,
        options: EstimatorOptions = DEFAULT_OPTIONS,
        viewer: str = "",
    ) -> RunResult:
        """One picture. Raises InputError, ModelError or WeightsError.

        Args:
            viewer: whose request it is; requests of different viewers take turns.
        """

    def open(
        self, model: str, options: EstimatorOptions = DEFAULT_OPTIONS, viewer: str = ""
    ) -> Session:
        """A session for a clip or a stream (`options.video`), with a fresh state."""

    def give_way(self, model: str, holder: str, niceness: int, cores: int = 0) -> None:
        """Lowers the priority of `model`, or keeps it off cores, while `holder` wants it.

        When the last one has stopped wanting it, the model has its usual priority again; where the
        system does not allow that, its process is replaced as soon as no clip runs through it.

        Args:
            niceness: of `priority`, for a live video; 0 for none.
            cores: how many it leaves to others, for a slower model beside it; 0 for none.
        """

    def occupied(self) -> AbstractContextManager[Work]:
        """While inside, something else uses this machine's cores: what is measured is `busy`.

        The work given says whether others were known to use them meanwhile.
        """

    def wait_quiet(self, timeout_s: float) -> bool:
        """Waits until nothing is known to use the cores; False when that did not come in time."""

    def status(self) -> tuple[ModelStatus, ...]:
        """One entry a variant that was used, in order of first use."""

    def retire(self, model: str) -> None:
        """Ends the process of `model`; it starts again when next needed."""

    def forgive(self, model: str) -> None:
        """Lets `model` be tried again at once, whatever went wrong with it before."""

    def close(self) -> None:
        """Ends everything; safe to call twice."""
