"""Frames of clips as pictures of an annotated set (`frame_index` in the files of this product)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from estimators.annotated import Source
from estimators.datasets.files import GivenFile
from estimators.datasets.health import Findings
from estimators.datasets.listing import ListedImage, Listing
from estimators.datasets.shelf import ShelfPicture
from estimators.decode.clips import frames, open_clip
from estimators.errors import InputError
from estimators.media.clip_info import ClipInfo
from estimators.media.kinds import CLIP_ENDINGS
from estimators.media.names import printable


@dataclass(frozen=True)
class ClipFrame(Source):
    """One frame of a clip on the disk."""

    clip: Path
    index: int

    def read(self) -> bytes:
        """The frame as a PNG.

        Raises:
            InputError: the clip can no longer be read, or this frame not be decoded.
        """
        clip = open_clip(self.clip)
        time_s = float(clip.timestamps_s[self.index])
        for frame in frames(clip, time_s, time_s):
            if frame.index == self.index:
                content = io.BytesIO()
                Image.fromarray(frame.image).save(content, "PNG", compress_level=1)
                return content.getvalue()
        raise InputError(f"Frame {self.index} of {clip.name} cannot be decoded.")


def clips_of(files: Iterable[GivenFile]) -> list[GivenFile]:
    """Those that are clips by the ending of their names, and files of their own."""
    return [f for f in files if f.ending in CLIP_ENDINGS and isinstance(f.source, Path)]


def placed_frames(
    listing: Listing, files: Sequence[GivenFile], findings: Findings
) -> list[tuple[ListedImage, ShelfPicture]]:
    """Each listed frame whose clip is there."""
    listed = [image for image in listing.images if image.of_clip]
    of_name = {image.parts: image for image in listed}
    names = Listing(listing.name, of_name.values())
    found: dict[tuple[str, ...], tuple[GivenFile, ClipInfo]] = {}
    for file in clips_of(files) if listed else ():
        assert isinstance(file.source, Path)
        try:
            image = names.image_of(file.path)
            if image is not None:
                found.setdefault(image.parts, (file, open_clip(file.source, name=file.name)))
        except InputError as error:
            findings.add("frame_absent", error.message)
    pairs = []
    for image in listed:
        index = image.frame_index or 0
        file_and_clip = found.get(image.parts)
        if file_and_clip is None or not 0 <= index < len(file_and_clip[1].timestamps_s):
            findings.add("frame_absent", f"{printable(image.file)} frame {index}")
            continue
        file, clip = file_and_clip
        name = f"{file.name} frame {index}"
        assert isinstance(file.source, Path)
        frame = ClipFrame(file.source, index)
        pairs.append(
            (image, ShelfPicture(replace(file, name=name), (clip.width, clip.height), 1, frame))
        )
    return pairs
