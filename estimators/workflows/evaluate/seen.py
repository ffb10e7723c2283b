"""Which file a picture's answers are kept under: each one's name with its SHA-256, or why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from estimators.annotated import AnnotatedImage
from estimators.workflows.lines import LineFile

FORMAT = "pose-pictures/1"
FILE = "pictures.estimates"


class Seen:
    """What lines say about pictures, by name.

    Attributes:
        digests: SHA-256 of each that could be read; the last line counts.
        unreadable: why each of the others cannot be read.
    """

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}
        self.unreadable: dict[str, str] = {}

    def take(self, entry: dict[str, Any]) -> None:
        """Takes one line; KeyError where it is damaged."""
        if "format" in entry:
            return
        file, digest, why = entry["file"], entry["sha256"], entry["unreadable"]
        if why:
            self.unreadable[file] = why
        else:
            self.digests[file] = digest
            self.unreadable.pop(file, None)


class SeenPictures:
    """Keeps them in a folder, as `pictures.SetPictures` tells them; from any thread.

    Raises:
        InputError: another process is writing there, or the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.known = Seen()
        self._lines = LineFile(folder / FILE, self.known.take, {"format": FORMAT})

    def note(self, image: AnnotatedImage, digest: str, why: str) -> None:
        """A picture that was read (`digest`), or was not (`why`)."""
        file = image.file
        if why and self.known.unreadable.get(file) == why:
            return
        if not why and self.known.digests.get(file) == digest:
            return
        entry = {"file": file, "sha256": digest, "unreadable": why}
        self.known.take(entry)
        self._lines.append(entry)

    def close(self) -> None:
        """Lets go of the file; safe to call twice."""
        self._lines.close()
