"""Where weights lie on this machine and whether they are what the manifest says."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import platformdirs

from estimators.errors import WeightsError
from estimators.weights.manifest import WeightsEntry

WEIGHTS_VARIABLE = "POSE_WEIGHTS_DIR"
CACHE_VARIABLE = "POSE_CACHE_DIR"
EMBEDDED_DIR = Path(__file__).with_name("files")

_digests: dict[Path, tuple[tuple[int, int], str]] = {}
_digests_lock = threading.Lock()


class FetchCancelledError(WeightsError):
    """The person stopped the download; what was fetched is kept and resumed next time."""


def cache_dir() -> Path:
    """The folder for downloads: `POSE_CACHE_DIR`, else the user's cache folder; may not exist."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("pose-comparison", False))


def tfhub_dir() -> Path:
    """The folder in which tensorflow_hub keeps its modules: `TFHUB_CACHE_DIR`, else in ours."""
    chosen = os.environ.get("TFHUB_CACHE_DIR")
    return Path(chosen) if chosen else cache_dir() / "tfhub"


def target(entry: WeightsEntry) -> Path:
    """Where `entry` is kept when nobody brings it in `POSE_WEIGHTS_DIR`."""
    folder = {"embedded": EMBEDDED_DIR, "download": cache_dir(), "tfhub": tfhub_dir()}[entry.kind]
    return folder / entry.file_name


def brought(entry: WeightsEntry) -> Path | None:
    """The file in `POSE_WEIGHTS_DIR` (if there is one), which goes before all others; unchecked."""
    chosen = os.environ.get(WEIGHTS_VARIABLE)
    if not chosen or entry.kind == "tfhub":
        return None
    file = Path(chosen) / entry.file_name
    return file if file.is_file() else None


def how_to_get(entry: WeightsEntry) -> str:
    """What a person can do when `entry` is not here: the address and the folder, in words."""
    if entry.kind == "tfhub":
        return (
            f"Run `python -m estimators weights fetch {entry.key}`, or unpack {entry.url} into "
            f"{target(entry)}."
        )
    if entry.kind == "embedded":
        return f"Restore {target(entry)} from the repository."
    return f"Run `python -m estimators weights fetch {entry.key}`, or {by_hand(entry)}."


def by_hand(entry: WeightsEntry) -> str:
    """How a person brings the file: its name, its address and the folder, in words."""
    chosen = os.environ.get(WEIGHTS_VARIABLE)
    folder = (
        f"{chosen}, the folder that {WEIGHTS_VARIABLE} names"
        if chosen
        else f"{cache_dir()} or any folder that {WEIGHTS_VARIABLE} names"
    )
    return f"put the file {entry.file_name} from {entry.url} into {folder}"


def find(entry: WeightsEntry) -> Path | None:
    """The verified local file or SavedModel folder, None when there is none.

    Raises:
        WeightsError: a file of that name is there but is not what the manifest says.
    """
    file = brought(entry)
    if file is not None:
        verify(entry, file, f"Replace it, or unset {WEIGHTS_VARIABLE}. It comes from {entry.url}")
        return file
    file = target(entry)
    if entry.kind == "tfhub":
        return file if (file / "saved_model.pb").is_file() else None
    if not file.is_file():
        return None
    cure = "Restore it from the repository." if entry.kind == "embedded" else "Fetch it again."
    verify(entry, file, cure)
    return file


def verify(entry: WeightsEntry, file: Path, advice: str) -> None:
    """Raises WeightsError unless `file` has the SHA-256 of `entry`."""
    try:
        actual = digest(file)
    except OSError as error:
        raise WeightsError(
            f"{entry.key}: {file} cannot be read: {error.strerror}.", advice
        ) from error
    if entry.sha256 and actual != entry.sha256:
        raise WeightsError(
            f"{entry.key}: {file} is not the expected file "
            f"(SHA-256 expected {entry.sha256}, found {actual}).",
            advice,
        )


def digest(file: Path) -> str:
    """SHA-256 of `file` in hex, computed once a process as long as the file does not change.

    Raises:
        OSError: the file cannot be read.
    """
    stat = file.stat()
    stamp = (stat.st_mtime_ns, stat.st_size)
    with _digests_lock:
        known = _digests.get(file)
    if known is not None and known[0] == stamp:
        return known[1]
    with file.open("rb") as stream:
        value = hashlib.file_digest(stream, "sha256").hexdigest()
    with _digests_lock:
        _digests[file] = (stamp, value)
    return value


def remember(file: Path, sha256: str) -> None:
    """Notes the SHA-256 of a file that was hashed while it was written."""
    stat = file.stat()
    with _digests_lock:
        _digests[file] = ((stat.st_mtime_ns, stat.st_size), sha256)
