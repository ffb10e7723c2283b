"""Weights of every model: embedded, brought by a person, or fetched once and verified."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from estimators.errors import WeightsError
from estimators.weights import store
from estimators.weights.manifest import WeightsEntry, entries, entry

StateName = Literal["embedded", "cached", "to_download", "downloading", "failed"]

__all__ = ["StateName", "WeightsEntry", "WeightsState", "entries", "entry", "path", "state"]


@dataclass(frozen=True)
class WeightsState:
    """Where one entry stands on this machine.

    Attributes:
        path: the local file or folder, None unless "embedded" or "cached".
        done_bytes, size_bytes: how much of it is here, of how much; 0 where not known.
        detail: why it failed and what to do, or where it is or goes.
    """

    state: StateName
    path: Path | None
    done_bytes: int
    size_bytes: int
    detail: str


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
    wanted = entry(key)
    size = wanted.size_bytes
    try:
        found = store.find(wanted)
    except WeightsError as error:
        return WeightsState("failed", None, 0, size, str(error))
    if found is None:
        return WeightsState("to_download", None, 0, size, store.how_to_get(wanted))
    inside = found.parent == store.EMBEDDED_DIR
    return WeightsState("embedded" if inside else "cached", found, size, size, str(found))
