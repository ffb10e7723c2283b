"""This viewer's stream and what the page's settings mean for it."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from estimators.errors import InputError
from estimators.registry import ModelSpec
from estimators.workflows.live.memory import pictures_apart
from estimators.workflows.live.mosaic import LiveModel, LiveSettings
from estimators.workflows.live.seats import DEFAULT_SEATS, VARIABLE, Seats, seats_allowed
from estimators.workflows.live.stream import LiveStream
from pages.ui import engine
from pages.ui.colours import colours
from pages.ui.drawing import pose_style
from pages.ui.live.ice import SETTINGS, IceServers, KeptServers, on_own_machine
from pages.ui.settings import Settings

_STREAM = "live_stream"


@st.cache_resource(show_spinner=False)
def seats() -> Seats:
    """The seats of this server, shared by all viewers."""
    try:
        return Seats(seats_allowed(_setting(VARIABLE)))
    except InputError:
        return Seats(DEFAULT_SEATS)


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
    own = colours(settings.specs())
    models = tuple(
        LiveModel(
            spec,
            pose_style(settings, own[spec.key]),
            settings.joint_threshold(spec.key),
            settings.pose_threshold(spec.key),
            people.get(spec.key),
        )
        for spec in specs
    )
    return LiveSettings(models, "one" if layout == "one" else "side", mirrored)


def own_machine() -> bool:
    """Whether browser and app run on one machine, as far as the address tells."""
    return on_own_machine(st.context.url or "")


def servers() -> IceServers:
    """STUN and TURN servers by secrets and environment; credentials are renewed in time."""
    wanted = {name: value for name in SETTINGS if (value := _setting(name)) is not None}
    return _servers().get(wanted, own_machine())


@st.cache_resource(show_spinner=False)
def _servers() -> KeptServers:
    """What this server was given, shared by all viewers."""
    return KeptServers()


def _setting(name: str) -> str | None:
    """From `st.secrets` or the environment, the secrets first."""
    try:
        if name in st.secrets:
            return str(st.secrets[name])
    except StreamlitSecretNotFoundError:
        pass  # there is no secrets file: the environment alone counts
    return os.environ.get(name)
