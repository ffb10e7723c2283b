"""Pictures of a report with the truth and a model's people drawn over them, as SVG."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from estimators.export.report_html.parts import number, text
from estimators.skeletons import COCO_17

LONGEST_PX = 480
_QUALITY = 72


@dataclass(frozen=True, eq=False)
class ReportPicture:
    """One picture of a report.

    Attributes:
        name: of the file.
        size: width and height in pixels, in which everything below is counted.
        jpeg: a small copy of it.
        truth: float64 [G, 17, 2], the annotated people, NaN where not labelled.
        found: a model's key → float64 [N, 17, 2], the people that it shows, NaN where absent.
        quality: a model's key → 0 to 1; see `workflows.evaluate.worst`.
    """

    name: str
    size: tuple[int, int]
    jpeg: bytes
    truth: NDArray[np.float64]
    found: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    quality: Mapping[str, float] = field(default_factory=dict)


def small_jpeg(image: NDArray[np.uint8]) -> bytes:
    """A copy whose longer side has 480 pixels at most.

    Args:
        image: uint8 [H, W, 3], RGB.
    """
    height, width = image.shape[:2]
    scale = min(1.0, LONGEST_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    reduced = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    content = io.BytesIO()
    Image.fromarray(np.asarray(reduced, np.uint8)).save(content, "JPEG", quality=_QUALITY)
    return content.getvalue()


def sources(pictures: Sequence[ReportPicture]) -> str:
    """Each picture's pixels once; `figure` refers to them."""
    images = "".join(
        f'<image id="picture-{i}" width="{picture.size[0]}" height="{picture.size[1]}" '
        f'preserveAspectRatio="none" '
        f'href="data:image/jpeg;base64,{base64.b64encode(picture.jpeg).decode()}"/>'
        for i, picture in enumerate(pictures)
    )
    return f'<svg width="0" height="0" aria-hidden="true"><defs>{images}</defs></svg>'


def figure(index: int, picture: ReportPicture, model: str, colour: str) -> str:
    """A picture with the truth in white and what a model shows in its colour.

    Args:
        index: of the picture among those of `sources`.
        colour: a CSS value.
    """
    width, height = picture.size
    pen = max(width, height) / 160
    found = picture.found.get(model, picture.truth[:0])
    poses = "".join(
        f'<path class="{name}" stroke-width="{thickness:.2f}" d="{_bones(people)}"/>'
        for name, people, thickness in (
            ("rim", picture.truth, 1.9 * pen),
            ("truth", picture.truth, 1.2 * pen),
            ("pose", found, 0.8 * pen),
        )
    )
    counted = f"{len(picture.truth)} annotated, {len(found)} shown"
    label = f"{text(picture.name)}<br>quality {number(picture.quality.get(model), 2)}, {counted}"
    return (
        f'<figure><svg viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{text(picture.name)}" style="--colour:{colour}">'
        f'<use href="#picture-{index}"/>{poses}</svg><figcaption>{label}</figcaption></figure>'
    )


def _bones(people: NDArray[np.float64]) -> str:
    """The bones of which both ends are there, and a dot for each joint, as an SVG path."""
    parts = []
    for xy in people:
        here = np.isfinite(xy).all(axis=1)
        for a, b in COCO_17.bone_indices:
            if here[a] and here[b]:
                parts.append(f"M{_at(xy[a])}L{_at(xy[b])}")
        parts += [f"M{_at(joint)}h.01" for joint in xy[here]]
    return "".join(parts)


def _at(joint: NDArray[np.float64]) -> str:
    return f"{joint[0]:.1f} {joint[1]:.1f}"
