"""The weights manifest: what every file is called, where it comes from, what it must hash to."""

from __future__ import annotations

import hashlib
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from estimators.errors import WeightsError
from estimators.weights.places import places

Kind = Literal["embedded", "download", "tfhub"]
_PACKAGED = Path(__file__).with_name("manifest.toml")


@dataclass(frozen=True)
class WeightsEntry:
    """One file (or SavedModel folder) of weights.

    Attributes:
        key: what `ModelSpec.weights` calls it.
        kind: "embedded" beside this package, "download" from `url`, or "tfhub" by its handle.
        file_name: its name in any folder; for "tfhub" the folder name that tensorflow_hub gives it.
        url: official address; for "tfhub" the handle.
        sha256: 64 lower-case hex digits; for "tfhub" of the whole folder (`store.folder_digest`),
            and empty where none is known: TF Hub publishes none.
        size_bytes: size of the file; 0 where not known ("tfhub").
    """

    key: str
    kind: Kind
    url: str
    licence: str
    source: str
    file_name: str
    sha256: str = ""
    size_bytes: int = 0


def entry(key: str) -> WeightsEntry:
    """The weights called `key`.

    Raises:
        WeightsError: there are none of that name, or a manifest cannot be read.
    """
    found = entries()
    if key not in found:
        raise WeightsError(f"There are no weights {key!r}.", f"Choose from: {', '.join(found)}.")
    return found[key]


def entries() -> Mapping[str, WeightsEntry]:
    """Every entry by its key, the packaged manifest first, overridden by `POSE_WEIGHTS_MANIFEST`.

    Raises:
        WeightsError: a manifest cannot be read or an entry in it is incomplete.
    """
    override = places().manifest
    if override is None:
        return _merged(_stamp(_PACKAGED), None)
    return _merged(_stamp(_PACKAGED), _stamp(override))


def _stamp(path: Path) -> tuple[Path, int]:
    """`path` with its time of change, so that an edited manifest is read again."""
    advice = "Correct or unset POSE_WEIGHTS_MANIFEST."
    try:
        found = path.stat()
    except OSError as error:
        raise WeightsError(
            f"The weights manifest {path} cannot be read: {error.strerror}.", advice
        ) from error
    if not stat.S_ISREG(found.st_mode):  # a pipe or a device may never end
        raise WeightsError(f"The weights manifest {path} is no file.", advice)
    return path, found.st_mtime_ns


@lru_cache(maxsize=8)
def _merged(
    packaged: tuple[Path, int], override: tuple[Path, int] | None
) -> Mapping[str, WeightsEntry]:
    tables = _read(packaged[0])
    if override is not None:
        for key, table in _read(override[0]).items():
            tables[key] = {**tables.get(key, {}), **table}
    return MappingProxyType({key: _entry(key, table) for key, table in tables.items()})


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"The weights manifest {path} cannot be read: {error}.",
            "Correct it, or unset POSE_WEIGHTS_MANIFEST.",
        ) from error
    stray = [key for key, table in tables.items() if not isinstance(table, dict)]
    if stray:
        raise WeightsError(f"{path}: expected only tables such as [blazepose-heavy], got {stray}.")
    return tables


def _entry(key: str, table: dict[str, Any]) -> WeightsEntry:
    known = {field.name for field in fields(WeightsEntry)} - {"key"}
    values = dict(table)
    if values.get("kind") == "tfhub" and "url" in values:
        # tensorflow_hub names its cache folders so (resolver.py, create_local_module_dir).
        values["file_name"] = hashlib.sha1(str(values["url"]).encode()).hexdigest()
    required = {"kind", "url", "licence", "source", "file_name"}
    if values.get("kind") != "tfhub":
        required |= {"sha256", "size_bytes"}
    missing = sorted(required - values.keys())
    unknown = sorted(values.keys() - known)
    if missing or unknown:
        raise WeightsError(f"Weights {key!r}: missing fields {missing}, unknown fields {unknown}.")
    if values["kind"] not in get_args(Kind):
        raise WeightsError(f"Weights {key!r}: kind is {values['kind']!r}, not {get_args(Kind)}.")
    if Path(values["file_name"]).name != values["file_name"]:
        raise WeightsError(f"Weights {key!r}: file_name must be a bare name.")
    return WeightsEntry(key=key, **values)
