"""Where weights lie on this machine and whether they are what the manifest says."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from estimators.errors import WeightsError
from estimators.weights.manifest import WeightsEntry
from estimators.weights.places import places

EMBEDDED_DIR = Path(__file__).with_name("files")

# A file's time of change and size, or those of every file of a folder.
_Stamp = tuple[int, int] | tuple[tuple[str, int, int], ...]
_digests: dict[Path, tuple[_Stamp, str]] = {}
_digests_lock = threading.Lock()


class FetchCancelledError(WeightsError):
    """The person stopped the download; what was fetched is kept and resumed next time."""


def target(entry: WeightsEntry) -> Path:
    """Where `entry` is kept when nobody brings it in `POSE_WEIGHTS_DIR`."""
    here = places()
    folders = {"embedded": EMBEDDED_DIR, "download": here.downloads, "tfhub": here.tfhub}
    return folders[entry.kind] / entry.file_name


def brought(entry: WeightsEntry) -> Path | None:
    """The file in `POSE_WEIGHTS_DIR` (if there is one), which goes before all others; unchecked."""
    folder = places().brought
    if folder is None or entry.kind == "tfhub":
        return None
    file = folder / entry.file_name
    return file if file.is_file() else None


def how_to_get(entry: WeightsEntry) -> str:
    """What a person can do when `entry` is not here: the address and the folder, in words."""
    if entry.kind == "embedded":
        return f"Restore {target(entry)} from the repository."
    return f"Run `python -m estimators weights fetch {entry.key}`, or {by_hand(entry)}."


def by_hand(entry: WeightsEntry) -> str:
    """How a person brings the file: its name, its address and the folder, in words."""
    if entry.kind == "tfhub":
        return f"unpack {entry.url} into {target(entry)}"
    here = places()
    folder = (
        f"{here.brought}, the folder that POSE_WEIGHTS_DIR names"
        if here.brought
        else f"{here.downloads} or any folder that POSE_WEIGHTS_DIR names"
    )
    name = "" if entry.url.endswith(f"/{entry.file_name}") else f" {entry.file_name}"
    return f"put the file{name} from {entry.url} into {folder}"


def find(entry: WeightsEntry) -> Path | None:
    """The verified local file or SavedModel folder, None when there is none.

    Raises:
        WeightsError: a file of that name is there but is not what the manifest says.
    """
    file = brought(entry)
    if file is not None:
        verify(entry, file, f"Replace it, or unset POSE_WEIGHTS_DIR. It comes from {entry.url}")
        return file
    file = target(entry)
    if not (file / "saved_model.pb" if entry.kind == "tfhub" else file).is_file():
        return None
    cure = "Restore it from the repository." if entry.kind == "embedded" else "Fetch it again."
    verify(entry, file, cure)
    return file


def verify(entry: WeightsEntry, file: Path, advice: str) -> None:
    """Raises WeightsError unless `file`, or the folder, has the SHA-256 of `entry`.

    Where the manifest has none (TF Hub), that of what was fetched counts, if we fetched it.
    """
    try:
        expected = entry.sha256 or _recorded(entry)
        actual = folder_digest(file) if entry.kind == "tfhub" else digest(file)
    except OSError as error:
        raise WeightsError(
            f"{entry.key}: {file} cannot be read: {error.strerror}.", advice
        ) from error
    if expected and actual != expected:
        raise WeightsError(
            f"{entry.key}: {file} is not the expected {'file' if file.is_file() else 'folder'}: it "
            "is damaged, or of another version.",
            advice,
        ) from ValueError(f"SHA-256 expected {expected}, found {actual}")


def record(entry: WeightsEntry) -> None:
    """Notes the SHA-256 of a folder that has just been fetched, beside it; see `verify`.

    Raises:
        OSError: the folder cannot be read, or nothing be written beside it.
    """
    _record_file(entry).write_text(folder_digest(target(entry)), encoding="ascii")


def forget(entry: WeightsEntry) -> None:
    """Removes a fetched folder and what is known of it."""
    shutil.rmtree(target(entry), ignore_errors=True)
    with contextlib.suppress(OSError):
        _record_file(entry).unlink(missing_ok=True)


def _record_file(entry: WeightsEntry) -> Path:
    return target(entry).with_name(f"{entry.file_name}.sha256")


def _recorded(entry: WeightsEntry) -> str:
    if entry.kind != "tfhub":
        return ""
    try:
        return _record_file(entry).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""  # unpacked by hand


def digest(file: Path) -> str:
    """SHA-256 of `file` in hex, computed once a process as long as the file does not change.

    Raises:
        OSError: the file cannot be read.
    """
    stat = file.stat()
    return _known(file, (stat.st_mtime_ns, stat.st_size), lambda: _sha256(file))


def folder_digest(folder: Path) -> str:
    """SHA-256 in hex of a folder: of the lines that `sha256sum` prints for its files.

    That is "<hex>  <path in the folder>", in the order of their paths; hidden files, which file
    browsers leave behind, do not count.  Computed once a process as long as no file changes.

    Raises:
        OSError: a file cannot be read.
    """
    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*")}
    shown = sorted(n for n, file in files.items() if file.is_file() and not _hidden(n))
    stats = [(name, files[name].stat()) for name in shown]
    stamp = tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)

    def lines() -> str:
        text = "".join(f"{_sha256(files[name])}  {name}\n" for name in shown)
        return hashlib.sha256(text.encode()).hexdigest()

    return _known(folder, stamp, lines)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _known(path: Path, stamp: _Stamp, compute: Callable[[], str]) -> str:
    """What `compute` said last, as long as the stamp of `path` is the same."""
    with _digests_lock:
        known = _digests.get(path)
    if known is not None and known[0] == stamp:
        return known[1]
    value = compute()
    with _digests_lock:
        _digests[path] = (stamp, value)
    return value


def remember(file: Path, sha256: str) -> None:
    """Notes the SHA-256 of a file that was hashed while it was written."""
    stat = file.stat()
    with _digests_lock:
        _digests[file] = ((stat.st_mtime_ns, stat.st_size), sha256)
