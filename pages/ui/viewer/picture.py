"""Picture viewer: one picture in several panels, zoomed and moved together, joints named."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from pages.ui.scripts import script, texts
from pages.ui.viewer.media_files import media_url
from pages.ui.viewer.panels import (
    JointRef,
    Panel,
    Pick,
    ViewOptions,
    joint_ref,
    panels_payload,
)

_LONGEST_SIDE = 4096
_JPEG_QUALITY = 92

_HERE = Path(__file__).parent
_viewer = st.components.v2.component(
    "pose_comparison.picture_viewer",
    html=texts(_HERE / "viewer.html"),
    css=texts(_HERE / "viewer.css"),
    js=script(_HERE / "picture.js"),
)


@dataclass(frozen=True)
class StagePicture:
    """A picture as the browser shows it.

    Attributes:
        file: a JPEG, maybe smaller than the picture.
        digest: a name that no other picture has, such as the SHA-256 of its file.
        size: width and height of the picture that the poses refer to.
    """

    file: Path
    digest: str
    size: tuple[int, int]


@dataclass(frozen=True)
class Command:
    """What the browser is to do, once each.

    Attributes:
        pick: a joint to pick.
        focus: (name, box): zoom to the box, xyxy in pixels of the picture; again for another name.
        come: where it is a new number, the page scrolls to the pictures.
    """

    pick: Pick | None = None
    focus: tuple[str, tuple[float, float, float, float]] | None = None
    come: int = 0

    def payload(self) -> dict[str, Any]:
        """As the browser reads it."""
        focus = self.focus and {"key": self.focus[0], "box": list(self.focus[1])}
        pick = self.pick and self.pick.payload()
        return {"pick": pick, "focus": focus, "come": self.come}


def write_stage_file(picture: NDArray[np.uint8], path: Path) -> None:
    """`picture`, uint8 [H, W, 3] RGB, as a JPEG for the browser."""
    image = Image.fromarray(picture)
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
    beside = path.with_suffix(f".{threading.get_ident()}")
    image.save(beside, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    beside.replace(path)


def picture_viewer(
    key: str,
    picture: StagePicture,
    panels: Sequence[Panel],
    options: ViewOptions | None = None,
    command: Command = Command(),
) -> JointRef | None:
    """Show `picture` once in every panel with the poses of its layers drawn over it.

    Drawing, zoom and the joint under the pointer happen in the browser; only picking a joint
    (click, or Enter on the keyboard's choice) comes back to Python and reruns the page.

    Args:
        key: unique on the page; zoom and position are kept under it.
        picture: the frame that the poses refer to.
        panels: at least one.
        options: what is drawn, None for the defaults.
        command: e.g. after a click on a sentence about a joint.

    Returns:
        The joint that is picked, None where there is none.

    Raises:
        ValueError: `panels` are malformed; the message says what was expected.
    """
    payload = panels_payload(panels, options or ViewOptions())
    payload["picture"] = picture_payload(key, picture)
    payload["key"] = key
    payload |= command.payload()
    # Without a container of its own it is remounted when elements above it come and go.
    with st.container(key=f"{key}-frame"):
        result = _viewer(
            key=key,
            data=payload,
            default={"selected": None},
            on_selected_change=lambda: None,
        )
    return _picked(result.selected, payload["picture"]["id"], panels)


def picture_payload(key: str, picture: StagePicture) -> dict[str, Any]:
    """`picture` as the browser finds it; `key` as for `picture_viewer`."""
    digest, (width, height) = picture.digest[:16], picture.size
    return {
        "id": f"{digest}-{width}x{height}",
        "url": media_url(picture.file, "image/jpeg", f"{key}.picture", digest),
        "width": width,
        "height": height,
    }


def _picked(value: Any, picture_id: str, panels: Sequence[Panel]) -> JointRef | None:
    """What the browser told last, unless that was about another picture."""
    if not isinstance(value, dict) or value.get("picture") != picture_id:
        return None
    return joint_ref(value, (layer for panel in panels for layer in panel.layers))
