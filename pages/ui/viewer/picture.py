"""Picture viewer: one picture in several panels, zoomed and moved together, joints named."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from pages.ui.viewer.assets import assets
from pages.ui.viewer.media_files import media_url
from pages.ui.viewer.panels import JointRef, Panel, ViewOptions, joint_ref, panels_payload

_LONGEST_SIDE = 4096
_JPEG_QUALITY = 92

_viewer = st.components.v2.component(
    "pose_comparison.picture_viewer",
    html=assets("viewer.html"),
    css=assets("viewer.css"),
    js=assets("overlay.js", "view.js", "stage.js", "addresses.js", "still.js", "picture.js"),
)


def picture_viewer(
    key: str,
    picture: NDArray[np.uint8],
    panels: Sequence[Panel],
    options: ViewOptions | None = None,
    digest: str = "",
) -> JointRef | None:
    """Show `picture` once in every panel with the poses of its layers drawn over it.

    Drawing, zoom and the joint under the pointer happen in the browser; only picking a joint
    (click, or Enter on the keyboard's choice) comes back to Python and reruns the page.

    Args:
        key: unique on the page; zoom and position are kept under it.
        picture: uint8 [H, W, 3] RGB, the frame that the poses refer to.
        panels: at least one.
        options: what is drawn, None for the defaults.
        digest: a name that no other picture has, such as the SHA-256 of its file; computed from the
            pixels where it is "", which takes a large picture a fifth of a second in every run.

    Returns:
        The joint that is picked, None where there is none.

    Raises:
        ValueError: `picture` or `panels` are malformed; the message says what was expected.
    """
    payload = panels_payload(panels, options or ViewOptions())
    payload["picture"] = picture_payload(key, picture, digest)
    payload["key"] = key
    # Without a container of its own it is remounted when elements above it come and go.
    with st.container(key=f"{key}-frame"):
        result = _viewer(
            key=key,
            data=payload,
            default={"selected": None},
            on_selected_change=lambda: None,
        )
    return _picked(result.selected, payload["picture"]["id"], panels)


def picture_payload(key: str, picture: NDArray[np.uint8], digest: str = "") -> dict[str, Any]:
    """`picture` as the browser finds it; see `picture_viewer` for arguments and errors."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"picture: expected uint8 [H, W, 3], got {picture.dtype} {picture.shape}")
    digest = (digest or hashlib.sha256(np.ascontiguousarray(picture)).hexdigest())[:16]
    return {
        "id": f"{digest}-{picture.shape}",
        "url": media_url(_encoded(digest, picture), "image/jpeg", f"{key}.picture", digest),
        "width": picture.shape[1],
        "height": picture.shape[0],
    }


def _picked(value: Any, picture_id: str, panels: Sequence[Panel]) -> JointRef | None:
    """What the browser told last, unless that was about another picture."""
    if not isinstance(value, dict) or value.get("picture") != picture_id:
        return None
    return joint_ref(value, (layer for panel in panels for layer in panel.layers))


@st.cache_data(max_entries=32, show_spinner=False)
def _encoded(digest: str, _picture: NDArray[np.uint8]) -> bytes:
    """JPEG for the browser.

    The digest stands for the picture in the cache: Streamlit itself would hash only a sample of a
    large array and could take a slightly changed picture for the old one.
    """
    image = Image.fromarray(_picture)
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()
