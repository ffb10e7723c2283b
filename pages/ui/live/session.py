"""This viewer's stream and what the page's settings mean for it."""

from __future__ import annotations

import gc
from collections.abc import Mapping

import streamlit as st

from estimators.registry import ModelSpec
from estimators.workflows.live.ice_settings import SETTINGS
from estimators.workflows.live.memory import pictures_apart
from estimators.workflows.live.mosaic import LiveLayout, LiveModel, LiveSettings
from estimators.workflows.live.seats import Seats
from estimators.workflows.live.stream import LiveStream
from estimators.workflows.room import room
from pages.ui import devices, engine
from pages.ui.colours import colours, variants
from pages.ui.drawing import pose_style
from pages.ui.live.connection import narrow
from pages.ui.live.ice import IceServers, KeptServers, on_own_machine
from pages.ui.server.status import tells
from pages.ui.server_settings import server_settings
from pages.ui.settings import Settings

_STREAM = "live_stream"
# Of one stream, about: frames of the camera on their way, those that are drawn, and its codecs.
_STREAM_MB = 60.0


@st.cache_resource(show_spinner=False)
def seats() -> Seats:
    """The seats of this server, shared by all viewers."""
    places = Seats(server_settings().max_streams)
    work = room()
    if work is not None:
        work.holds("live", lambda: _STREAM_MB * places.taken)
    tells("live", lambda: {"streams": places.taken, "most_streams": places.limit})
    return places


@st.cache_resource(show_spinner=False)
def _settle_memory() -> None:
    """Once a server: what is loaded by now stays, so garbage is looked for only in what is new.

    A full collection walks through the libraries' hundreds of thousands of objects and lets no
    other thread run meanwhile; the video would lose pictures (docs/decisions/live-video.md).
    Pictures are kept apart from what stays, so that their memory goes back at once.
    """
    gc.collect()
    gc.freeze()
    pictures_apart()


def live_stream() -> LiveStream:
    """This viewer's stream, the same one in every run of the page."""
    _settle_memory()
    if _STREAM not in st.session_state:
        st.session_state[_STREAM] = LiveStream(engine.runner(), seats())
    stream: LiveStream = st.session_state[_STREAM]
    return stream


def live_settings(
    settings: Settings,
    specs: list[ModelSpec],
    people: Mapping[str, int],
    layout: str,
    mirrored: bool,
) -> LiveSettings:
    """The sidebar's settings, as the stream takes them.

    Args:
        people: most that each model is asked for, where that is not what it follows anyway.
    """
    own, forms = colours(settings.specs()), variants(settings.specs())
    models = tuple(
        LiveModel(
            spec,
            pose_style(settings, own[spec.key], forms[spec.key]),
            settings.joint_threshold(spec.key),
            settings.pose_threshold(spec.key),
            people.get(spec.key),
            devices.wanted(spec),
        )
        for spec in specs
    )
    tiles: LiveLayout = "one" if layout == "one" else "side"
    return LiveSettings(models, tiles, mirrored, stacked=narrow())


def own_machine() -> bool:
    """Whether browser and app run on one machine, as far as the address tells."""
    return on_own_machine(st.context.url or "")


def servers() -> IceServers:
    """STUN and TURN servers by secrets and environment; credentials are renewed in time."""
    return _servers().get(server_settings().given(SETTINGS), own_machine())


@st.cache_resource(show_spinner=False)
def _servers() -> KeptServers:
    """What this server was given, shared by all viewers."""
    return KeptServers()
