"""How the connection stands, in words, told by the browser itself."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui.live.ice import IceServers
from pages.ui.scripts import script, texts

# What the camera is asked for: width and height in pixels.
CAMERA = (640, 480)
# Longer than a slow phone network needs to find a way.
FAILS_AFTER_S = 15
_HERE = Path(__file__).parent
_connection = st.components.v2.component(
    "pose_comparison.live_connection",
    # The detail counts seconds, which nobody wants to hear read out.
    html='<div class="connection"><span class="dot"></span><div>'
    '<b class="state" role="status"></b> <span class="detail"></span></div></div>',
    css=texts(_HERE / "connection.css"),
    js=script(_HERE / "connection.js"),
)


_KEY = "live_connection"


def narrow() -> bool:
    """Whether the person's screen is that of a phone, as the browser told last."""
    return bool((st.session_state.get(_KEY) or {}).get("narrow"))


def connection(ice: IceServers, own_machine: bool) -> None:
    """A line that follows the camera's question, the way to the server and the video.

    The browser knows all of it sooner than the app, which hears nothing while the person is asked
    or while no way is found; so it is watched there, in the frame that holds the camera.
    """
    data = {
        "patience_s": FAILS_AFTER_S,
        "turn": ice.turn,
        "own": own_machine,
        "narrow": narrow(),
        "wanted": CAMERA,
    }
    with st.container(key="connection"):
        _connection(key=_KEY, data=data, default={"narrow": False}, on_narrow_change=lambda: None)
