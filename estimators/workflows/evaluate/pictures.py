"""The pictures of an annotated set while models run over them: read, known by their content."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from estimators.annotated import AnnotatedImage, Source
from estimators.datasets.in_children import look_at, read_listed
from estimators.decode.pictures import read_picture
from estimators.devices import MOST_TOGETHER, gpu_seen
from estimators.errors import InputError
from estimators.media.limits import MAX_KEPT_PIXELS
from estimators.media.names import printable
from estimators.types import Frame
from estimators.workflows.kept_frames import ROOM_BYTES, KeptFrames
from estimators.workflows.room import DECODER_MB, pictures_mb
from estimators.workflows.together import AT_ONCE, FORWARDS


@dataclass(frozen=True)
class PictureFacts:
    """What is known of a picture file once it was read.

    Attributes:
        sha256: of its content, "" where it cannot be read.
        size: width and height, upright; 0, 0 where they are unknown.
        orientation: how it is stored, 1 to 8.
        unreadable: why it cannot be read, "" where it can.
    """

    sha256: str = ""
    size: tuple[int, int] = (0, 0)
    orientation: int = 1
    unreadable: str = ""


Note = Callable[[AnnotatedImage, PictureFacts], None]

_FRESH = 4
_LARGEST_MB = 3 * MAX_KEPT_PIXELS / 1e6


class SetPictures:
    """Reads pictures; as many as fit into 300 MB stay in memory.  Used from any thread.

    Args:
        kept_bytes: that stay in memory.
        note: is given every picture that is read, or cannot be.

    Attributes:
        unreadable: by `image_id`, why a picture cannot be read; a sentence.
    """

    def __init__(self, kept_bytes: int = ROOM_BYTES, note: Note = lambda *_: None) -> None:
        self.unreadable: dict[int, str] = {}
        self._note, self._kept_bytes = note, kept_bytes
        self._kept = KeptFrames(kept_bytes)
        self._digests: dict[int, str] = {}
        # What was just read for its digest is about to be decoded.
        self._fresh: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def digest(self, image: AnnotatedImage) -> str:
        """SHA-256 of the file as it is now, whatever the annotations say of it.

        Raises:
            InputError: it cannot be read.
        """
        if image.image_id not in self._digests:
            try:
                found = look_at(_source(image), printable(image.file))
            except InputError as error:
                self._cannot_read(image, error)
                raise
            self._digests[image.image_id] = found.sha256
            if found.size != (0, 0):  # else told when it is decoded
                self._note(image, PictureFacts(found.sha256, found.size, found.orientation))
            with self._lock:
                self._fresh[image.image_id] = found.data
                while len(self._fresh) > _FRESH:
                    self._fresh.popitem(last=False)
        return self._digests[image.image_id]

    def frame(self, image: AnnotatedImage) -> Frame:
        """The picture, upright.

        Raises:
            InputError: it cannot be read.
        """
        return self._kept.get(image.image_id, lambda: self._read(image))

    def _read(self, image: AnnotatedImage) -> Frame:
        self.digest(image)
        with self._lock:
            data = self._fresh.pop(image.image_id, b"")
        name = printable(image.file)
        try:
            return read_picture(data, name) if data else read_listed(_source(image), name)
        except InputError as error:
            self._cannot_read(image, error)
            raise

    def let_go(self) -> None:
        """Frees the memory of what was read; it is read again where it is asked for."""
        with self._lock:
            self._kept = KeptFrames(self._kept_bytes)
            self._fresh.clear()

    def _cannot_read(self, image: AnnotatedImage, error: InputError) -> None:
        self.unreadable[image.image_id] = str(error)
        self._note(image, PictureFacts(unreadable=str(error)))


def needs_mb(images: Sequence[AnnotatedImage], models: int) -> float:
    """What `SetPictures` keeps of them, those that so many models work on, and their decoder."""
    sizes = [min(pictures_mb(i.width, i.height), _LARGEST_MB) for i in images]
    questions = AT_ONCE * models + (FORWARDS * MOST_TOGETHER if gpu_seen() else 0)
    at_work = questions * max(sizes, default=0.0)
    return DECODER_MB + min(sum(sizes), ROOM_BYTES / 1e6) + at_work


def _source(image: AnnotatedImage) -> Path | Source:
    if image.picture is None:
        raise ValueError(f"{image.file} has no picture")
    return image.picture
