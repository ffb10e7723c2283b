"""Whole clips that a shard has done: which files each left, so that what is damaged is noticed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
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
        stamp: of a clip that lies in no file here, see `seen.stamp_of`.
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
    """The clips that a shard has done, by name; the last line of each counts."""

    def __init__(self, of: str) -> None:
        self._of = of
        self.clips: dict[str, DoneClip] = {}

    def take(self, entry: dict[str, Any]) -> None:
        """Takes one line; KeyError, TypeError or ValueError where it is damaged."""
        if "format" not in entry and entry["of"] == self._of:
            done = DoneClip(**entry)
            names = [*done.files, *([done.folder] if done.files else [])]
            if not isinstance(done.files, dict) or not all(map(is_plain, names)):
                raise ValueError("it names a file outside its folder")
            self.clips[done.clip] = done

    def open(self, folder: Path) -> LineFile:
        """Reads what is there and gives what further lines are appended to; see `LineFile`."""
        return LineFile(folder / FILE, self.take, {"format": FORMAT})

    def read(self, folder: Path) -> int:
        """Reads what is there; how many lines are damaged."""
        with suppress(FileNotFoundError):
            return read_lines((folder / FILE).read_bytes(), self.take)
        return 0
