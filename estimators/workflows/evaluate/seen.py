"""Which file a picture's answers are kept under: each one's name with its SHA-256, or why not."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from estimators.annotated import AnnotatedImage
from estimators.workflows.evaluate.pictures import PictureFacts
from estimators.workflows.lines import LineFile

FORMAT = "pose-pictures/1"
FILE = "pictures.estimates"


class Seen:
    """What lines say about pictures, by name; the last line of each counts."""

    def __init__(self) -> None:
        self.facts: dict[str, PictureFacts] = {}

    def take(self, entry: dict[str, Any]) -> None:
        """Takes one line; KeyError, TypeError or ValueError where it is damaged."""
        if "format" in entry:
            return
        file = entry.pop("file")
        width, height = entry.pop("size")
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

    def put(self, file: str, facts: PictureFacts) -> None:
        """The same, by the picture's name."""
        if self.known.facts.get(file) != facts:
            self.known.facts[file] = facts
            self._lines.append({"file": file, **asdict(facts)})

    def close(self) -> None:
        """Lets go of the file; safe to call twice."""
        self._lines.close()
