"""streamlit-webrtc's relay of frames, made to let go of what has ended."""

from __future__ import annotations

import asyncio

import streamlit as st
from aiortc.contrib.media import MediaRelay, RelayStreamTrack
from streamlit_webrtc.eventloop import get_global_event_loop
from streamlit_webrtc.relay import get_global_relay


def ends_waiting(relay: MediaRelay, loop: asyncio.AbstractEventLoop) -> None:
    """Makes a stopped proxy of `relay` end whoever waits for its next frame.

    aiortc 1.14 only forgets such a proxy.  A task that waits for it, as streamlit-webrtc 0.79 has
    one for every video that it sends back, then waits for ever and keeps its tracks and its last
    frames: half a megabyte a stream.

    Args:
        loop: on which the relay's tasks run; tracks are stopped from other threads, too.
    """
    forget = relay._stop

    def stop(proxy: RelayStreamTrack) -> None:
        forget(proxy)
        if proxy._queue is not None and not loop.is_closed():
            loop.call_soon_threadsafe(proxy._queue.put_nowait, None)

    relay._stop = stop  # type: ignore[method-assign]


@st.cache_resource(show_spinner=False)
def mend_relay() -> None:
    """`ends_waiting` for this server's relay, once."""
    ends_waiting(get_global_relay(), get_global_event_loop())
