"""Estimates kept on a disk, so that a run that was cut off goes on where it was.

One file a model, one line an answer, appended as soon as it is there: a process that is killed
leaves a torn last line at most.  A line stands for itself, it tells what was asked of whom in which
version, so that the files of several runs may be joined one behind the other.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import threading
import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from estimators import weights
from estimators.analysis.accuracy.protocol import Window
from estimators.errors import InputError
from estimators.specs import ModelSpec
from estimators.types import Estimate, EstimatorOptions, PoseSet, Timings
from estimators.workflows.provenance import machine, versions

FORMAT = "pose-estimates/1"
SUFFIX = ".estimates"
_CODE = Path(__file__).resolve().parents[2] / "models"
_NUMBERS = ("xy", "score", "pose_score", "box_xyxy")


@dataclass(frozen=True, eq=False)
class Kept:
    """An answer that was kept.

    Attributes:
        estimate: without joints in metres, which no figure needs.
        busy: its times are no figures of the model's own.
        machine: digest of where they were measured, see `machine_digest`.
    """

    estimate: Estimate
    busy: bool
    machine: str


@cache
def machine_digest() -> str:
    """Short digest of `provenance.machine`: times of two machines are not put together."""
    return _digest(machine())


def model_key(spec: ModelSpec, options: EstimatorOptions, device: str = "cpu") -> dict[str, Any]:
    """Everything but the picture that decides a model's answer, JSON-ready.

    The adapters' code and the versions of their frameworks are in it: answers of another version
    are not taken for this one's.
    """
    return {
        "model": spec.key,
        "weights": weights.entry(spec.weights).sha256 if spec.weights else "",
        "options": asdict(options),
        "device": device,
        "code": _digest([_code(), repr(sorted(spec.settings.items())), versions()]),
    }


@cache
def _code() -> str:
    read = hashlib.sha256()
    for module in sorted(_CODE.glob("*.py")):
        read.update(module.read_bytes())
    return read.hexdigest()


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Records:
    """The answers of one model under one set of options; a context manager.

    Args:
        folder: made where it is absent; None keeps nothing.
        spec, options: of whom.

    Attributes:
        damaged: how many lines could not be used; what they held is asked again.
        unkept: why answers are not kept any more (a full disk, …), "" where they are.

    Raises:
        InputError: another process is writing there, or the folder cannot be used.
    """

    def __init__(self, folder: Path | None, spec: ModelSpec, options: EstimatorOptions) -> None:
        self._spec = spec
        self._key = model_key(spec, options)
        self._digest = _digest(self._key)
        self._known: dict[tuple[str, Window | None], dict[str, Any]] = {}
        self._memory_mb: float | None = None
        self._file: int | None = None
        self._writing = threading.Lock()
        self.damaged = 0
        self.unkept = ""
        if folder is not None:
            self.path = folder / f"{spec.key}-{self._digest}{SUFFIX}"
            self._open(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file; safe to call twice."""
        with self._writing:
            self._close()

    def get(self, picture: str, window: Window | None) -> Kept | None:
        """What is known about a picture (by its SHA-256), or about a window of it."""
        entry = self._known.get((picture, window))
        return None if entry is None else _kept(entry, self._spec)

    def put(self, picture: str, window: Window | None, answer: Estimate, busy: bool) -> None:
        """Keeps an answer; where the disk does not take it, `unkept` says so and the run goes on.

        Args:
            answer: in pixels of the whole picture.
        """
        about = {"of": self._digest, "picture": picture, "window": window}
        self._put({**about, **_entry(answer, busy)})

    @property
    def memory_mb(self) -> float | None:
        """What the model's process held on this machine in the run that started it last."""
        return self._memory_mb

    def put_memory(self, memory_mb: float) -> None:
        """Keeps what the model's process holds, for a run that need not start it."""
        self._put({"of": self._digest, "memory_mb": memory_mb, "machine": machine_digest()})

    def _put(self, entry: Mapping[str, Any]) -> None:
        with self._writing:
            if self._file is None:
                return
            try:
                _append(self._file, entry)
            except OSError as error:
                self.unkept = f"Estimates are not kept any more: {error.strerror or error}."
                self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            _lock(self._file, folder)
            self._read()
        except InputError:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise InputError(
                f"{folder} cannot be used for estimates: {error.strerror or error}.",
                "Choose another folder.",
            ) from error

    def _read(self) -> None:
        content = self.path.read_bytes()
        *lines, torn = content.split(b"\n")
        for line in lines:
            if line:
                self._take(line)
        if torn and self._file is not None:
            self._take(torn)
            os.write(self._file, b"\n")
        if not content and self._file is not None:
            _append(self._file, {"format": FORMAT, **self._key, "machine": machine()})

    def _take(self, line: bytes) -> None:
        try:
            checksum, _, text = line.partition(b" ")
            if int(checksum, 16) != zlib.crc32(text):
                raise ValueError("the checksum is another")
            entry = json.loads(text)
            if "format" in entry or entry["of"] != self._digest:
                return
            if "memory_mb" in entry:
                if entry["machine"] == machine_digest():
                    self._memory_mb = float(entry["memory_mb"])
                return
            window = entry["window"]
            _kept(entry, self._spec)
            self._known[entry["picture"], None if window is None else tuple(window)] = entry
        except (ValueError, KeyError, TypeError):
            self.damaged += 1


def forget(folder: Path) -> None:
    """Removes what earlier runs have kept in `folder`, of any model; nothing else in there.

    Raises:
        OSError: it cannot be removed.
        InputError: another run is writing there; then nothing is removed.
    """
    files = sorted(folder.glob(f"*{SUFFIX}"))
    with ExitStack() as opened:
        for file in files:
            _lock(opened.enter_context(file.open("rb")).fileno(), folder)
        for file in files:
            file.unlink(missing_ok=True)


def _lock(file: int, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(
            f"Another run is keeping its estimates in {folder}.",
            "Wait for it, or choose another folder.",
        ) from error


def _append(file: int, entry: Mapping[str, Any]) -> None:
    """One line in one piece: a reader, or whoever continues, sees all of it or knows it is torn."""
    text = json.dumps(entry, separators=(",", ":")).encode()
    line = b"%08x %s\n" % (zlib.crc32(text), text)
    if os.write(file, line) != len(line):
        raise OSError(28, "no space is left")


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
