"""How far a job is, in its folder, for whoever looks into it from elsewhere."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, get_args

from estimators.export.sinks import opened
from estimators.workflows.background import RunState
from estimators.workflows.evaluate.progress import EvaluateProgress, ModelProgress

FORMAT = "pose-progress/1"
FILE = "progress.json"
MOST_SHARDS = 1000
_MOST = 10**12  # questions
_WRITE_S = 1.0
# Written every second: one that is older belongs to a driver that is gone.
SILENT_S = 60.0


@dataclass(frozen=True)
class Followed:
    """What a folder tells of its job, or of all its shards together.

    Attributes:
        age_s: since any of them wrote.
        shards: how many have begun.
        of: how many there are; 0 where the folders tell of several numbers.
    """

    progress: EvaluateProgress
    age_s: float
    shards: int = 1
    of: int = 1

    @property
    def complete(self) -> bool:
        """Whether every shard is there and done, so that they can be merged."""
        return self.progress.state == "done" and self.shards == self.of

    @property
    def lost(self) -> bool:
        """Whether it says that it runs and has long said nothing more."""
        return self.progress.state == "running" and self.age_s > SILENT_S


class Told(Protocol):
    """A job that runs."""

    @property
    def progress(self) -> EvaluateProgress: ...


@contextmanager
def told_in(folder: Path, job: Told) -> Iterator[None]:
    """Writes every second how far a job is, and how it ended."""
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(_WRITE_S):
            write_progress(folder, job.progress)

    thread = threading.Thread(target=write, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        write_progress(folder, job.progress)


def write_progress(folder: Path, progress: EvaluateProgress) -> None:
    """Writes it; a disk that does not take it is no reason to stop."""
    data = {"format": FORMAT, "written": time.time(), **asdict(progress)}
    with suppress(OSError), opened(folder / FILE) as sink:
        sink.write(json.dumps(data, allow_nan=False).encode())


def follow(folder: Path) -> Followed | None:
    """What a folder of results, or its shards together, tell; None where nothing is told."""
    places = [folder, *sorted(folder.glob("shard-*-of-*"))[:MOST_SHARDS]]
    by_place = {place: one for place in places if (one := read_progress(place)) is not None}
    if not by_place:
        return None
    found = list(by_place.values())
    numbers = {_shards_of(place.name) for place in by_place}
    of = numbers.pop() if len(numbers) == 1 else 0
    every = [model for one in found for model in one.progress.models]
    keys = list(dict.fromkeys(model.model for model in every))
    models = tuple(_together([m for m in every if m.model == key]) for key in keys)
    states = [one.progress.state for one in found]
    error = next((one.progress.error for one in found if one.progress.error), "")
    progress = EvaluateProgress(_state(states), models, error)
    return Followed(progress, min(one.age_s for one in found), len(found), of)


def _shards_of(name: str) -> int:
    """How many shards there are, as the name of a shard's folder tells."""
    told = re.fullmatch(r"shard-\d+-of-(\d{1,7})", name)
    return int(told[1]) if told else 1


def _together(models: Sequence[ModelProgress]) -> ModelProgress:
    """One model over several shards that run beside each other."""
    sums = {n: sum(getattr(m, n) for m in models) for n in ("done", "failed", "known", "total")}
    longest = max(model.elapsed_s for model in models)
    error = next((model.error for model in models if model.error), "")
    state = _state([model.state for model in models])
    return ModelProgress(models[0].model, state, **sums, elapsed_s=longest, error=error)


def _state(states: Sequence[RunState]) -> RunState:
    order: tuple[RunState, ...] = ("running", "waiting", "failed", "cancelled", "done")
    return next(state for state in order if state in states)


def read_progress(folder: Path) -> Followed | None:
    """What one run has written there; None where nothing is, or something else."""
    try:
        data = json.loads((folder / FILE).read_bytes())
        if data["format"] != FORMAT:
            return None
        models = tuple(ModelProgress(**model) for model in data["models"])
        progress = EvaluateProgress(data["state"], models, data["error"])
        if not (_is_sound(progress) and all(map(_is_sound, models))):
            return None
        age_s = time.time() - float(data["written"])
        return Followed(progress, max(0.0, age_s)) if math.isfinite(age_s) else None
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _is_sound(told: EvaluateProgress | ModelProgress) -> bool:
    """Whether it says what a run says: others may write into the folder, too."""
    if told.state not in get_args(RunState) or not isinstance(told.error, str):
        return False
    if isinstance(told, EvaluateProgress):
        return True
    counts = (told.done, told.failed, told.known, told.total)
    return (
        isinstance(told.model, str)
        and all(type(count) is int and 0 <= count <= _MOST for count in counts)
        and max(told.done, told.failed, told.known) <= told.total
        and type(told.elapsed_s) in (int, float)
        and 0 <= told.elapsed_s < math.inf
    )
