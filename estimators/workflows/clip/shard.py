"""What a shard has done of its clips: which files each left, so that what is damaged is noticed.

A clip is done as a whole, by all models, or by one model on a cluster: its answers alone.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from estimators.media.names import printable
from estimators.parts import new_part
from estimators.workflows.lines import LineFile, read_lines

FORMAT = "pose-clips/1"
FILE = "clips.estimates"


def file_digest(path: Path) -> str:
    """SHA-256 of a file; OSError where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_plain(name: object) -> bool:
    """Whether a name that a part tells stays in the folder that it is put into."""
    if not isinstance(name, str) or name in ("", ".", "..") or "\0" in name:
        return False
    return Path(name).name == name


def files_in(folder: Path) -> dict[str, str]:
    """SHA-256 of each file in a folder, by name; OSError where one cannot be read."""
    return {p.name: file_digest(p) for p in sorted(folder.iterdir()) if p.is_file()}


@dataclass(frozen=True)
class DoneClip:
    """What became of a clip.

    Attributes:
        of: digest of all that decides what its files say, but the clip.
        sha256: of the clip, "" where it could not be read.
        files: SHA-256 of each file in its folder.
        error: why it could not be processed, or not to its end; "" where it was.
        code: the exit code that it alone would have had.
        stamp: of the clip before it was read, see `seen.stamp_of`.
    """

    of: str
    clip: str
    sha256: str
    folder: str = ""
    files: dict[str, str] = field(default_factory=dict)
    error: str = ""
    code: int = 0
    stamp: str = ""

    def damaged(self, shard_folder: Path) -> Iterator[str]:
        """Files that are absent or not what was written, with their path."""
        for name, digest in self.files.items():
            path = shard_folder / self.folder / name
            try:
                whole = file_digest(path) == digest
            except OSError:
                whole = False
            if not whole:
                yield printable(str(path))

    def copy(self, shard_folder: Path, target: Path) -> Iterator[Path]:
        """Puts its files into `target`; OSError where one cannot be."""
        target.mkdir(parents=True, exist_ok=True)
        for name in self.files:
            part = new_part(target / name)
            try:
                shutil.copyfile(shard_folder / self.folder / name, part)
                part.replace(target / name)
            finally:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
            yield target / name


class DoneClips:
    """The clips that a shard has done, by name; the last line of each counts.

    Args:
        of: see `DoneClip`; lines of others are passed over.
    """

    def __init__(self, of: str) -> None:
        self.of = of
        self.clips: dict[str, DoneClip] = {}

    def take(self, entry: dict[str, Any]) -> None:
        """Takes one line; KeyError, TypeError or ValueError where it is damaged."""
        if "format" not in entry and entry["of"] == self.of:
            done = DoneClip(**entry)
            names = [*done.files, *([done.folder] if done.files else [])]
            if not isinstance(done.files, dict) or not all(map(is_plain, names)):
                raise ValueError("it names a file outside its folder")
            self.clips[done.clip] = done

    def read(self, folder: Path) -> int:
        """Reads what is there; how many lines are damaged."""
        with suppress(FileNotFoundError):
            return read_lines((folder / FILE).read_bytes(), self.take)
        return 0


def opened_lines(folder: Path, known: Sequence[DoneClips]) -> LineFile:
    """Gives what is there to all of `known`, and what further lines are appended to."""

    def take(entry: dict[str, Any]) -> None:
        for each in known:
            each.take(entry)

    return LineFile(folder / FILE, take, {"format": FORMAT})
