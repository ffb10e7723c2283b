"""The Live page: what stands where, and what is said before the camera starts."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import streamlit as st

from estimators.registry import ModelSpec
from estimators.render.style import ALL_IN_ONE
from pages.ui import devices, engine, memory
from pages.ui.address import choose
from pages.ui.colours import heading
from pages.ui.fetching import invitation
from pages.ui.live.connection import connection
from pages.ui.live.ice import IceServers
from pages.ui.live.panel import charts, figures
from pages.ui.live.recording import controls
from pages.ui.live.session import live_settings, live_stream, own_machine, seats, servers
from pages.ui.live.streamer import hang_up, streamer
from pages.ui.people import choose_people, held_back
from pages.ui.settings import Settings

_LOG = logging.getLogger(__name__)
_JOINS = "Joins the video when its weights{brackets} are on this machine."
_LAYOUTS = {"side": "Side by side", "one": ALL_IN_ONE}
_LOOK_AGAIN_S = 2.0


def live_page(settings: Settings) -> None:
    """Everything below the title."""
    stream, own = live_stream(), own_machine()
    if seats().full_for(stream.viewer):
        hang_up()  # somebody else was quicker
        _full()
        return
    ice = servers()
    _beforehand(ice, own)
    ready = [spec for spec in settings.specs() if engine.has_weights(spec.key)]
    layout, mirrored, people = _choices(ready)
    stream.configure(live_settings(settings, ready, people, layout, mirrored))
    if stream.state == "idle":  # loading takes seconds that the camera's question takes, too
        for spec in ready:
            engine.runner().warm(spec.key, devices.wanted(spec))
    video, beside = st.columns([2.1, 1], gap="medium")
    with video:
        connection(ice, own)
        playing = _camera(ice, stream.mosaic_size())
        controls(stream, playing, settings)
        if not playing:
            _image_link("No camera? Use a snapshot or a picture of your own")
        charts(stream, playing)
    with beside:
        figures(stream, playing, settings.specs())
        for spec in settings.specs():
            if spec not in ready:
                with st.container(border=True, key=f"live_card_{spec.key}"):
                    heading(spec.title, "#8A93A3")
                    invitation(spec, spec.key, _JOINS, st.caption)


def _camera(ice: IceServers, size: tuple[int, int]) -> bool:
    """The stream; whether it plays."""
    try:
        # Without a container of its own it is mounted anew when elements above come and go.
        with st.container(key="live_frame"):
            return streamer(live_stream(), ice.servers, size).state.playing
    except Exception:  # noqa: BLE001  # whatever its set-up meets must not take the page down
        _LOG.exception("The live stream could not be set up")
        st.error(
            "**The connection could not be set up.** The app did not manage in time.\n\n"
            "Press Stop, then Start again; reload the page if that does not help.",
            icon=":material/error:",
        )
        return False


def _choices(specs: Sequence[ModelSpec]) -> tuple[str, bool, dict[str, int]]:
    with st.container(horizontal=True, vertical_alignment="center"):
        layout = choose("Tiles", _LAYOUTS, "live_layout")
        mirrored = st.toggle(
            "Mirror",
            memory.recall("live_mirror", False),
            key="live_mirror",
            help="Shows you as a looking glass does. The models always see the picture as it is.",
        )
        people = choose_people(specs)
    # Its place is always there: a line that came or went would mount the video anew, which ends it.
    with st.container(key="live_held_back"):
        if note := held_back(people, specs):
            st.caption(f":material/groups: {note}")
    memory.keep("live_mirror", mirrored)
    return layout, mirrored, people


def _beforehand(ice: IceServers, own: bool) -> None:
    """What may keep the connection from working, before anybody waits for it."""
    far = not own and not ice.turn
    if not far and not ice.problem:
        return
    with st.container(border=True, key="live_no_turn"):
        if ice.problem:
            st.markdown(f":material/build: **Set up, but not used:** {ice.problem}")
        if far:
            st.markdown(
                ":material/info: **The camera may not connect here.** This app does not run on "
                "your own machine and has no relay (TURN). It often works within one network; "
                "through firewalls and on hosting services it mostly does not. "
                "*docs/live.md* says how to set one up."
            )
            _image_link("Take a snapshot or upload a picture instead")


@st.fragment(run_every=_LOOK_AGAIN_S)
def _full() -> None:
    """The friendly door: looks again by itself."""
    if not seats().full_for(live_stream().viewer):
        st.rerun()
    st.info(
        f"**All {seats().limit} live places are taken.** Each stream costs this machine drawing "
        "and encoding, so their number is limited. The page looks again by itself and opens as "
        "soon as somebody stops.",
        icon=":material/groups:",
    )
    _image_link("Meanwhile, compare the models on a picture")


def _image_link(label: str) -> None:
    st.page_link("streamlit_app.py", label=label, icon=":material/image:")
