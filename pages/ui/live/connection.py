"""How the connection stands, in words, told by the browser itself."""

from __future__ import annotations

import streamlit as st

from pages.ui.live.assets import asset
from pages.ui.live.ice import IceServers

# Longer than a slow phone network needs to find a way.
FAILS_AFTER_S = 15
_connection = st.components.v2.component(
    "pose_comparison.live_connection",
    # The detail counts seconds, which nobody wants to hear read out.
    html='<div class="connection"><span class="dot"></span><div>'
    '<b class="state" role="status"></b> <span class="detail"></span></div></div>',
    css=asset("connection.css"),
    js=asset("connection.js"),
)


def connection(ice: IceServers, own_machine: bool) -> None:
    """A line that follows the camera's question, the way to the server and the video.

    The browser knows all of it sooner than the app, which hears nothing while the person is asked
    or while no way is found; so it is watched there, in the frame that holds the camera.
    """
    with st.container(key="connection"):
        _connection(
            key="live_connection",
            data={"patience_s": FAILS_AFTER_S, "turn": ice.turn, "own": own_machine},
        )
