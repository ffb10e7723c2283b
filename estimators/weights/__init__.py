"""Weights of every model: embedded, brought by a person, or fetched once and verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from estimators.errors import WeightsError
from estimators.weights import store
from estimators.weights.manifest import WeightsEntry, entries, entry
from estimators.weights.store import FetchCancelledError

StateName = Literal["embedded", "cached", "to_download", "downloading", "failed"]

__all__ = [
    "FetchCancelledError",
    "StateName",
    "WeightsEntry",
    "WeightsState",
    "entries",
    "entry",
    "fetch",
    "path",
    "state",
]


@dataclass(frozen=True)
class WeightsState:
    """Where one entry stands on this machine.

    Attributes:
        path: the local file or folder, None unless "embedded" or "cached".
        done_bytes, size_bytes: how much of it is here, of how much; 0 where not known.
        detail: why it failed and what to do, or where it is or goes.
        error: of a failure.
        tried: the failure is that of the last download, which somebody asked for; else what lies
            here is not what it should be.
    """

    state: StateName
    path: Path | None
    done_bytes: int
    size_bytes: int
    detail: str
    error: WeightsError | None = None
    tried: bool = False


def path(key: str) -> Path:
    """The verified local file (a SavedModel folder for kind "tfhub"); never downloads.

    Raises:
        WeightsError: it is not here or not what the manifest says; tells the URL and the folder.
    """
    wanted = entry(key)
    found = store.find(wanted)
    if found is None:
        raise WeightsError(f"{key}: {wanted.file_name} is not here.", store.how_to_get(wanted))
    return found


def state(key: str) -> WeightsState:
    """Where the weights stand on this machine, seen by every viewer and process alike."""
    from estimators.weights import fetching  # loads requests: not needed to load a model

    wanted = entry(key)
    size = wanted.size_bytes
    try:
        found, problem = store.find(wanted), None
    except WeightsError as error:
        found, problem = None, error
    if found is not None:
        name: StateName = "embedded" if found.parent == store.EMBEDDED_DIR else "cached"
        return WeightsState(name, found, size, size, str(found))
    done = fetching.done_bytes(wanted)
    if fetching.in_progress(wanted):
        return WeightsState("downloading", None, done, size, f"from {wanted.url}")
    failure = problem or fetching.last_failure(wanted)
    if failure is not None:
        tried = problem is None
        return WeightsState("failed", None, done, size, str(failure), failure, tried)
    return WeightsState("to_download", None, done, size, store.how_to_get(wanted))


def fetch(
    key: str,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Path:
    """Brings the weights onto this machine unless they are here; see `fetching.fetch`."""
    from estimators.weights import fetching  # loads requests: not needed to load a model

    return fetching.fetch(key, progress, cancelled)
