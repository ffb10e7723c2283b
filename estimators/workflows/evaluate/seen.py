"""Which file a picture's answers are kept under: each one's name with its SHA-256, or why not.

Whoever reads a picture knows it by its SHA-256.  The driver of a cluster reads none, so it keeps
what changes with a file (its stamp) beside it, and hashes a file again whose stamp is another.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from estimators.annotated import AnnotatedImage, Source, ZipMember
from estimators.errors import InputError
from estimators.remote import RemoteFile
from estimators.workflows.evaluate.pictures import PictureFacts, SetPictures
from estimators.workflows.lines import LineFile

FORMAT = "pose-pictures/1"
FILE = "pictures.estimates"


def stamp_of(source: Path | Source | None) -> str:
    """What changes when a file's content does, without reading it; "" where nothing tells.

    Size and time of a file or of the ZIP around it, or what the store at its address tells.
    """
    if isinstance(source, ZipMember):
        source = source.archive
    if isinstance(source, RemoteFile):
        return source.version
    try:
        found = source.stat() if isinstance(source, Path) else None
    except OSError:
        return ""
    return "" if found is None else f"{found.st_size} {found.st_mtime_ns}"


class Seen:
    """What lines say about pictures, by name; the last line of each counts.

    Attributes:
        stamps: of those pictures whose line tells one.
    """

    def __init__(self) -> None:
        self.facts: dict[str, PictureFacts] = {}
        self.stamps: dict[str, str] = {}

    def take(self, entry: dict[str, Any]) -> None:
        """Takes one line; KeyError, TypeError or ValueError where it is damaged."""
        if "format" in entry:
            return
        file = entry.pop("file")
        width, height = entry.pop("size")
        self.stamps[file] = str(entry.pop("stamp", ""))
        self.facts[file] = PictureFacts(size=(int(width), int(height)), **entry)


class SeenPictures:
    """Keeps them in a folder, as `pictures.SetPictures` tells them; from any thread.

    Raises:
        InputError: another process is writing there, or the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.known = Seen()
        self._lines = LineFile(folder / FILE, self.known.take, {"format": FORMAT})

    def note(self, image: AnnotatedImage, facts: PictureFacts) -> None:
        """A picture that was read, or cannot be."""
        self.put(image.file, facts)

    def put(self, file: str, facts: PictureFacts, stamp: str = "") -> None:
        """The same, by the picture's name; its stamp is from before it was read."""
        before = (self.known.facts.get(file), self.known.stamps.get(file, ""))
        if before[0] != facts or (stamp and before[1] != stamp):
            self.known.facts[file], self.known.stamps[file] = facts, stamp
            told = {"stamp": stamp} if stamp else {}
            self._lines.append({"file": file, **asdict(facts), **told})

    def is_current(self, image: AnnotatedImage, stamp: str) -> bool:
        """Whether what is known of a picture is of its file as it is now; read where it must be."""
        facts = self.known.facts.get(image.file)
        if facts is None or facts.unreadable:
            return False
        if stamp and self.known.stamps.get(image.file) == stamp:
            return True
        try:
            same = SetPictures(kept_bytes=0).digest(image) == facts.sha256
        except InputError:
            return False
        if same:
            self.put(image.file, facts, stamp)
        return same

    def close(self) -> None:
        """Lets go of the file; safe to call twice."""
        self._lines.close()
