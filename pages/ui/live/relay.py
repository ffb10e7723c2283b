"""streamlit-webrtc's relay of frames, made to hand on the newest only and to let go of the rest."""

from __future__ import annotations

import asyncio

import streamlit as st
from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRelay, RelayStreamTrack
from streamlit_webrtc.eventloop import get_global_event_loop
from streamlit_webrtc.relay import get_global_relay


def patch_relay(relay: MediaRelay, loop: asyncio.AbstractEventLoop) -> None:
    """Makes `relay`'s proxies unbuffered, and a stopped one end whoever waits for its next frame.

    By default a proxy queues every frame: where the encoder is slower than frames come, its queue
    grows without limit and the video falls behind.

    aiortc 1.16 only forgets a stopped proxy.  A task that waits for it, as streamlit-webrtc 0.79
    has one for every video that it sends back, then waits for ever and keeps its tracks and its
    last frames: half a megabyte a stream.

    Args:
        loop: on which the relay's tasks run; tracks are stopped from other threads, too.
    """
    subscribed, forget = relay.subscribe, relay._stop

    def subscribe(track: MediaStreamTrack, buffered: bool = False) -> MediaStreamTrack:
        return subscribed(track, buffered=False)

    def stop(proxy: RelayStreamTrack) -> None:
        forget(proxy)
        if not loop.is_closed():
            loop.call_soon_threadsafe(_end, proxy)

    relay.subscribe = subscribe  # type: ignore[method-assign]
    relay._stop = stop  # type: ignore[method-assign]


def _end(proxy: RelayStreamTrack) -> None:
    proxy._frame = None
    if proxy._new_frame_event is not None:
        proxy._new_frame_event.set()


@st.cache_resource(show_spinner=False)
def patch_global_relay() -> None:
    """`patch_relay` for this server's relay, once."""
    patch_relay(get_global_relay(), get_global_event_loop())
