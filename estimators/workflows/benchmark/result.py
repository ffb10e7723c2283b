"""What a benchmark has measured, as data; one JSON file holds one `Benchmark`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from estimators.devices import Placement

FORMAT = "pose-benchmark/1"
STAGES = ("preprocess", "inference", "postprocess", "transport")
MODEL_STAGES = STAGES[:3]
# How a model was kept to its number of threads: by its own setting, by the cores its process may
# use, or not at all.
HeldBy = Literal["setting", "cores", "nothing"]

# More of this machine's cores taken by other programs than that, and the figures say so.
BUSY_SHARE = 0.1
LONGEST_TEXT = 300
# Far beyond any figure of a benchmark: what is reckoned from such numbers is finite.
_MOST = 1e15


@dataclass(frozen=True)
class Machine:
    """The machine, without a host's or a person's name; None for what it does not tell.

    Attributes:
        instruction_sets: those that decide the speed of such models, as the system calls them.
        governor: how the system chooses the cores' clock.
    """

    processor: str
    cores_available: int
    cores_total: int
    memory_gb: float
    system: str
    python: str
    instruction_sets: tuple[str, ...] = ()
    governor: str | None = None

    def __post_init__(self) -> None:
        _texts(self.processor, self.system, self.python, *self.instruction_sets)
        _texts(self.governor or "")
        _not_negative(self.cores_available, self.cores_total, self.memory_gb)


@dataclass(frozen=True)
class Media:
    """What was looked at; `kind` is `picture` or `clip`, `frames` how many of its frames."""

    name: str
    kind: str
    width: int
    height: int
    frames: int
    sha256: str

    def __post_init__(self) -> None:
        _texts(self.name, self.kind, self.sha256)
        _not_negative(self.width, self.height, self.frames)


@dataclass(frozen=True)
class Calls:
    """Milliseconds of each measured call, in their order.

    The four stages of a call add up to the whole of it: from the question, with the picture in
    memory, to the answer in the caller's hands.  The first three are measured in the model's
    process; `transport` is all the rest: the picture's way there, the answer's way back, and the
    bookkeeping at both ends.

    Attributes:
        round: which round each call belongs to, from 0; within a round the models take turns.
    """

    round: tuple[int, ...]
    preprocess_ms: tuple[float, ...]
    inference_ms: tuple[float, ...]
    postprocess_ms: tuple[float, ...]
    transport_ms: tuple[float, ...]

    def __post_init__(self) -> None:
        columns = [getattr(self, f"{stage}_ms") for stage in STAGES]
        if not self.round or any(len(column) != len(self.round) for column in columns):
            raise ValueError("calls: expected as many times of each stage as rounds, at least one")
        _not_negative(*self.round, *(ms for column in columns for ms in column))
        if not self.latency().all():
            raise ValueError("calls: expected every one to take some time")

    def rounds(self) -> NDArray[np.int64]:
        """Int64 [n], numbered without gaps."""
        numbers: NDArray[np.int64] = np.unique(np.array(self.round), return_inverse=True)[1]
        return numbers

    def stage(self, name: str) -> NDArray[np.float64]:
        """Float64 [n], milliseconds of one of `STAGES`."""
        return np.array(getattr(self, f"{name}_ms"), np.float64)

    def latency(self) -> NDArray[np.float64]:
        """Float64 [n]: the model's own three stages, which is what "latency" means everywhere."""
        return np.sum([self.stage(name) for name in MODEL_STAGES], axis=0)  # type: ignore[no-any-return]

    def whole(self) -> NDArray[np.float64]:
        """Float64 [n]: all four stages."""
        return self.latency() + self.stage("transport")


@dataclass(frozen=True)
class Measured:
    """One model with so many threads on one device.

    Attributes:
        pass_number: models of one pass whose `group` is the same took turns, round by round.
        device: what it ran on: `cpu`, `cuda:0` …
        load_s: from starting its process to ready; with `first_call_ms` the cold start.
        pss_mb: memory of its process after warm-up, alone, shared pages by share (MB of 10^6).
        peak_mb: most memory it ever held until then, shared pages in full.
        warm_up_calls, settled: calls before anything counted, and whether the median of the last
            ten had settled by then.
        alone: nothing else of this product was known to run.
        other_cores: cores that other programs used meanwhile, on average; None where not known.
        where: all that is known of the device; None in files of earlier versions.
    """

    model: str
    title: str
    family: str
    runtime: str
    threads: int
    held_by: HeldBy
    pass_number: int
    group: int
    device: str
    weights_bytes: int
    load_s: float
    first_call_ms: float
    pss_mb: float | None
    peak_mb: float | None
    warm_up_calls: int
    settled: bool
    alone: bool
    other_cores: float | None
    calls: Calls
    where: Placement | None = None

    def __post_init__(self) -> None:
        where = self.where or Placement(self.device)
        _texts(self.model, self.title, self.family, self.runtime, self.device, where.device)
        _texts(where.reason, where.name, where.dtype)
        numbers = (self.weights_bytes, self.load_s, self.first_call_ms, self.other_cores or 0.0)
        counts = (self.pass_number, self.group, self.warm_up_calls, self.threads - 1)
        _not_negative(*numbers, *counts, self.pss_mb or 0.0, self.peak_mb or 0.0)

    @property
    def computed(self) -> str:
        """Its device and the numbers that it computed in, for a cell of a table."""
        return self.device if self.where is None else self.where.computed

    def took_turns_with(self, other: Measured) -> bool:
        """Their calls are interleaved, so that a disturbance hit both alike."""
        return (self.pass_number, self.group) == (other.pass_number, other.group)


@dataclass(frozen=True)
class Failed:
    """A model that could not be measured, and why."""

    model: str
    threads: int
    error: str

    def __post_init__(self) -> None:
        _texts(self.model, self.error)
        _not_negative(self.threads - 1)


@dataclass(frozen=True)
class Benchmark:
    """Everything that was measured on one machine.

    Attributes:
        made: when it began, ISO 8601 in UTC.
        versions: of each package that decides the numbers.
    """

    format: str
    made: str
    machine: Machine
    versions: Mapping[str, str]
    media: Media
    measured: tuple[Measured, ...]
    failed: tuple[Failed, ...] = ()

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"format: expected {FORMAT!r}, got {self.format!r:.60}")
        _texts(self.made, *self.versions, *self.versions.values())
        for name in ("model", "title"):
            names = [(getattr(m, name), m.threads, m.device) for m in self.measured]
            if len(set(names)) < len(names):
                raise ValueError(f"measured: a {name} stands twice with the same threads, device")

    def busy(self, measured: Measured) -> bool:
        """Other work ran beside it: a figure of the moment, not of the model."""
        others = (measured.other_cores or 0.0) > BUSY_SHARE * self.machine.cores_total
        return others or not measured.alone


def _not_negative(*numbers: float) -> None:
    if not all(0 <= number <= _MOST for number in numbers):  # NaN is not, either
        raise ValueError(f"expected finite numbers, none of them negative or over {_MOST:g}")


def _texts(*texts: object) -> None:
    if not all(isinstance(text, str) and len(text) <= LONGEST_TEXT for text in texts):
        raise ValueError(f"expected texts of at most {LONGEST_TEXT} letters")
    "".join(map(str, texts)).encode()  # halves of characters, which no file can hold: ValueError
