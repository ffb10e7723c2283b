"""Estimates kept on a disk, so that a run that was cut off goes on where it was.

One file a model, one line an answer, appended as soon as it is there.  A line tells what was asked
of whom in which version, so that the files of several runs may be joined one behind the other.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.protocol import Window
from estimators.devices import CPU, Placement
from estimators.specs import ModelSpec
from estimators.types import Estimate, EstimatorOptions, PoseSet, Timings
from estimators.workflows.evaluate.keys import digest, machine_digest, model_key
from estimators.workflows.lines import LineFile, lock
from estimators.workflows.provenance import machine

FORMAT = "pose-estimates/1"
SUFFIX = ".estimates"
_NUMBERS = ("xy", "score", "pose_score", "box_xyxy", "world_m")
_Question = tuple[str, Window | None]


@dataclass(frozen=True, eq=False)
class Kept:
    """An answer that was kept.

    Attributes:
        estimate: in pixels of the whole picture.
        busy: its times are no figures of the model's own.
        machine: digest of where they were measured, see `machine_digest`.
    """

    estimate: Estimate
    busy: bool
    machine: str


class KnownAnswers:
    """What the lines of one model under one set of options say; those of others are passed over.

    Attributes:
        memory_mb: what the model's process held, by digest of the machine, at last.
        gave_up: why the model was asked nothing more, "" where it was.
        placement: where the model computed at last.
    """

    def __init__(self, spec: ModelSpec, options: EstimatorOptions) -> None:
        self.key = model_key(spec, options)
        self.digest = digest(self.key)
        self.memory_mb: dict[str, float] = {}
        self.gave_up = ""
        self.placement = Placement(self.device)
        self._spec = spec
        self._known: dict[_Question, dict[str, Any]] = {}
        self._errors: dict[_Question, str] = {}

    @property
    def file_name(self) -> str:
        """Of the file that keeps them."""
        device = "" if self.device == CPU else f"-{self.device}"
        return f"{self._spec.key}{device}-{self.digest}{SUFFIX}"

    @property
    def device(self) -> str:
        """The kind of device that they are of: `cpu` or `cuda`."""
        return str(self.key["device"])

    def get(self, picture: str, window: Window | None) -> Kept | None:
        """What is known about a picture (by its SHA-256), or about a window of it."""
        entry = self._known.get((picture, window))
        return None if entry is None else _kept(entry, self._spec)

    def knows(self, picture: str, window: Window | None) -> bool:
        """Whether there is an answer."""
        return (picture, window) in self._known

    def error(self, picture: str, window: Window | None) -> str:
        """Why there is no answer, "" where there is one or it was never asked."""
        question = (picture, window)
        return "" if question in self._known else self._errors.get(question, "")

    def take(self, entry: dict[str, Any]) -> None:
        """Takes one line.

        Raises:
            ValueError, KeyError, TypeError: it is damaged.
        """
        if "format" in entry or entry["of"] != self.digest:
            return
        if "memory_mb" in entry:
            self.memory_mb[str(entry["machine"])] = float(entry["memory_mb"])
            return
        if "placement" in entry:
            self.placement = Placement(**entry["placement"])
            return
        if "gave_up" in entry:
            self.gave_up = str(entry["gave_up"])
            return
        window = entry["window"]
        question = (entry["picture"], None if window is None else tuple(window))
        if "error" in entry:
            self._errors[question] = str(entry["error"])
            return
        _kept(entry, self._spec)
        self._known[question] = entry


def by_name(file: str) -> str:
    """What stands for the SHA-256 of a picture that nobody could tell: it has its error alone."""
    return f"name {file}"


class Records:
    """The answers of one model under one set of options; a context manager.

    Args:
        folder: made where it is absent; None keeps nothing.
        spec, options: of whom.

    Raises:
        InputError: another process is writing there, or the folder cannot be used.
    """

    def __init__(self, folder: Path | None, spec: ModelSpec, options: EstimatorOptions) -> None:
        self._answers = KnownAnswers(spec, options)
        self._lines: LineFile | None = None
        if folder is not None:
            self.path = folder / self._answers.file_name
            first = {"format": FORMAT, **self._answers.key, "machine": machine()}
            self._lines = LineFile(self.path, self._answers.take, first)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file; safe to call twice."""
        if self._lines is not None:
            self._lines.close()

    @property
    def damaged(self) -> int:
        """How many lines could not be used; what they held is asked again."""
        return self._lines.damaged if self._lines is not None else 0

    @property
    def unkept(self) -> str:
        """Why answers are not kept any more (a full disk, …), "" where they are."""
        return self._lines.unkept if self._lines is not None else ""

    @property
    def placement(self) -> Placement:
        """Where the model computed at last; its kind of device is that of all answers."""
        return self._answers.placement

    def put_placement(self, where: Placement) -> None:
        """Keeps where the model computes, unless that is known."""
        if where != self._answers.placement:
            self._answers.placement = where
            self._put({"placement": where.as_data()})

    def knows(self, picture: str, window: Window | None) -> bool:
        """Whether an earlier run had an answer."""
        return self._answers.knows(picture, window)

    def get(self, picture: str, window: Window | None) -> Kept | None:
        """What an earlier run knew, see `KnownAnswers.get`."""
        return self._answers.get(picture, window)

    def put(self, picture: str, window: Window | None, answer: Estimate, busy: bool) -> None:
        """Keeps an answer; where the disk does not take it, `unkept` says so and the run goes on.

        Args:
            answer: in pixels of the whole picture.
        """
        self._put({"picture": picture, "window": window, **_entry(answer, busy)})

    def put_error(self, picture: str, window: Window | None, why: str) -> None:
        """Keeps why there is no answer: merged reports tell it, a later run asks again."""
        self._put({"picture": picture, "window": window, "error": why})

    def put_gave_up(self, why: str) -> None:
        """Keeps why the model is asked nothing more."""
        self._put({"gave_up": why})

    @property
    def memory_mb(self) -> float | None:
        """What the model's process held on this machine in the run that started it last."""
        return self._answers.memory_mb.get(machine_digest())

    def put_memory(self, memory_mb: float) -> None:
        """Keeps what the model's process holds, for a run that need not start it."""
        self._put({"memory_mb": memory_mb, "machine": machine_digest()})

    def add(self, line: Mapping[str, Any]) -> None:
        """Keeps a line of `CollectedRecords`; one of another version is passed over."""
        if self._lines is not None and line.get("of") == self._answers.digest:
            self._lines.append(line)

    def _put(self, entry: Mapping[str, Any]) -> None:
        self.add({"of": self._answers.digest, **entry})


class CollectedRecords(Records):
    """Collects what `Records` would write, for whoever writes it.

    Attributes:
        lines: for `Records.add`.
        gave_up: why the model is asked nothing more, "" where it is.
    """

    def __init__(self, spec: ModelSpec, options: EstimatorOptions) -> None:
        super().__init__(None, spec, options)
        self.lines: list[dict[str, Any]] = []
        self.gave_up = ""

    def add(self, line: Mapping[str, Any]) -> None:
        self.lines.append(dict(line))
        self.gave_up = str(line.get("gave_up", self.gave_up))


def forget(folder: Path) -> None:
    """Removes what earlier runs have kept in `folder`, of any model; nothing else in there.

    Raises:
        OSError: it cannot be removed.
        InputError: another run is writing there; then nothing is removed.
    """
    files = sorted(folder.glob(f"*{SUFFIX}"))
    with ExitStack() as opened:
        for file in files:
            lock(opened.enter_context(file.open("rb")).fileno(), folder)
        for file in files:
            file.unlink(missing_ok=True)


def _entry(answer: Estimate, busy: bool) -> dict[str, Any]:
    poses, t = answer.poses, answer.timings_ms
    arrays = {name: getattr(poses, name) for name in _NUMBERS}
    return {
        "people": len(poses),
        "timings_ms": [t.preprocess, t.inference, t.postprocess],
        "busy": busy,
        "machine": machine_digest(),
        **{name: _packed(array) for name, array in arrays.items() if array is not None},
    }


def _kept(entry: Mapping[str, Any], spec: ModelSpec) -> Kept:
    """The answer as it was, bit by bit; ValueError, KeyError or TypeError where it is damaged."""
    n, k = int(entry["people"]), len(spec.skeleton)
    shapes = {"xy": (n, k, 2), "score": (n, k), "pose_score": (n,), "box_xyxy": (n, 4)}
    shapes["world_m"] = (n, k, 3)
    arrays = {a: _unpacked(entry[a], shapes[a]) for a in _NUMBERS if entry.get(a) is not None}
    poses = PoseSet(spec.skeleton, **arrays)
    preprocess, inference, postprocess = (float(ms) for ms in entry["timings_ms"])
    estimate = Estimate(poses, Timings(preprocess, inference, postprocess))
    return Kept(estimate, bool(entry["busy"]), str(entry["machine"]))


def _packed(array: NDArray[np.float32]) -> str:
    return base64.b64encode(array.astype("<f4").tobytes()).decode()


def _unpacked(text: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    values = np.frombuffer(base64.b64decode(text, validate=True), "<f4")
    return values.reshape(shape).astype(np.float32)
