"""The player with all overlays, and the way to the most disputed frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from estimators.decode.clips import browser_copy_of
from estimators.errors import InputError
from estimators.media.boxes import is_webm
from estimators.media.browser import has_sound, way_to_play
from estimators.media.clip_info import ClipInfo
from estimators.render.style import ALL_IN_ONE
from estimators.runtime.api import Runner
from estimators.workflows.clip.series import playable_times
from estimators.workflows.file_task import FileTask, Progress
from pages.ui import engine
from pages.ui.address import choose
from pages.ui.drawing import view_options
from pages.ui.polling import polled
from pages.ui.running import waits
from pages.ui.server.files import folder
from pages.ui.server.viewers import present, viewer
from pages.ui.tabs import page_too
from pages.ui.text import escaped, said
from pages.ui.video.clips import ChosenClip
from pages.ui.video.comparison import ClipComparison, why
from pages.ui.video.kept import made
from pages.ui.viewer.clip import ClipLayer, ClipPoses
from pages.ui.viewer.panels import JointRef
from pages.ui.viewer.player import Clip, PlayerOptions, Seek, clip_player

_COPIES, _ENCODED = "clip_copies", "clip_encoded"
_SEEK, _ON_STAGE = "clip_seek", "clip_on_stage"
_POLL_S = 0.5


LAYOUTS = {"side": "Side by side", "one": ALL_IN_ONE}


def choose_layout() -> str:
    """A key of `LAYOUTS`; kept in the address."""
    return choose("Overlays", LAYOUTS, "clip_layout")


def stage(comparison: ClipComparison, layout: str) -> None:
    """The clip with every model's poses; where the browser cannot play it, a copy is made first.

    Args:
        layout: a key of `LAYOUTS`.
    """
    source = _playable(comparison.clip)
    if source is None:
        return
    packed = _packed(comparison, source)
    marks = {frame.frame_index: why(frame) for frame in comparison.disputed}
    options = PlayerOptions(
        view=view_options(comparison.settings),
        marks=marks,
        sound=has_sound(source, comparison.clip.info),
        together=layout == "one",
    )
    state = clip_player(
        "clip_player",
        packed.drawn(_layers(comparison, packed)),
        options,
        _command(comparison.clip),
    )
    if state.unplayable:
        _encode_instead(comparison.clip)
    _disputed(comparison)


def go_to(frame: int, joint: JointRef | None = None) -> None:
    """Makes the player go to a frame of the clip, and pick a joint there."""
    _, before = st.session_state.get(_SEEK, ("", None))
    seek = Seek(frame, before.seq + 1 if before else 1, joint)
    st.session_state[_SEEK] = st.session_state[_ON_STAGE], seek
    page_too()


def _command(clip: ChosenClip) -> Seek | None:
    """Where the player was told to go in this clip, last."""
    st.session_state[_ON_STAGE] = clip.digest
    digest, seek = st.session_state.get(_SEEK, ("", None))
    return seek if digest == clip.digest else None


def _disputed(comparison: ClipComparison) -> None:
    if not comparison.disputed:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="disputed_frames"):
        st.markdown("**Most disputed frames**", width="content")
        for frame in comparison.disputed:
            st.button(
                f"{frame.time_s:.2f} s",
                key=f"disputed_{frame.frame_index}",
                help=f"Frame {frame.frame_index}, {why(frame)}",
                on_click=go_to,
                args=(frame.frame_index,),
            )


def _packed(comparison: ClipComparison, source: Path) -> Clip:
    """The poses packed for the browser, anew where they, thresholds or the file are others."""
    key = ("player", comparison.key, source)
    return made(key, lambda: _player_of(comparison, source), "Preparing the player …")


def _player_of(comparison: ClipComparison, source: Path) -> Clip:
    info, analysis = comparison.clip.info, comparison.analysis
    layers = [
        ClipLayer(
            spec.key,
            spec.title,
            comparison.colours[spec.key],
            spec.score_kind,
            spec.default_threshold,
            spec.score_range,
            ClipPoses.of(analysis.estimates[spec.key], analysis.report.smoothed(spec.key)),
        )
        for spec in comparison.specs
    ]
    kind = "video/webm" if is_webm(source) else "video/mp4"
    return Clip(source, kind, playable_times(info), (info.width, info.height), layers)


def _layers(comparison: ClipComparison, packed: Clip) -> list[ClipLayer]:
    """The packed poses in the present thresholds and colours."""
    settings = comparison.settings
    return [
        replace(
            layer,
            colour=comparison.colours[layer.key],
            variant=comparison.variants[layer.key],
            threshold=settings.joint_threshold(layer.key),
            pose_threshold=settings.pose_threshold(layer.key),
            message=comparison.failed(layer.key),
        )
        for layer in packed.layers
    ]


def _playable(clip: ChosenClip) -> Path | None:
    """A file that browsers play; None while it is being made, or cannot be."""
    source = clip.info.source
    as_it_is = way_to_play(clip.info) == "as it is" and clip.digest not in _encoded()
    if isinstance(source, Path) and as_it_is:
        return source
    copies: dict[str, FileTask] = st.session_state.setdefault(_COPIES, {})
    task = copies.get(clip.digest)
    gone = task is not None and task.state == "done" and not task.path.is_file()
    if task is None or gone or task.state == "cancelled":  # the connection broke off meanwhile
        try:
            task = copies[clip.digest] = _copying(clip)
        except InputError as error:
            st.error(said(error), icon=":material/hard_disk:")
            return None
    if task.state == "done":
        return task.path
    if not task.finished:
        _follow(task)
        return None
    st.error(f"The clip cannot be shown here. {escaped(task.error)}", icon=":material/movie_off:")
    if st.button("Try again", icon=":material/refresh:", key="retry_copy"):
        del copies[clip.digest]
        st.rerun()
    return None


def _encoded() -> set[str]:
    """Clips, by digest, that this viewer's browser could not play in the way foreseen for them."""
    digests: set[str] = st.session_state.setdefault(_ENCODED, set())
    return digests


def _encode_instead(clip: ChosenClip) -> None:
    """Has an encoded copy made, where what the browser could not play was none."""
    if clip.digest in _encoded() or way_to_play(clip.info) == "encode":
        return
    _encoded().add(clip.digest)
    st.session_state.setdefault(_COPIES, {}).pop(clip.digest, None)
    st.rerun()


def _copying(clip: ChosenClip) -> FileTask:
    session, anew = viewer(), clip.digest in _encoded()
    path = folder() / f"{clip.digest[:16]}.{'encoded' if anew else 'play'}.mp4"
    return FileTask(path, _copy_of(clip.info, anew, engine.runner()), lambda: present(session))


def _copy_of(
    info: ClipInfo, anew: bool, runner: Runner
) -> Callable[[Path, Progress], tuple[str, ...]]:
    def make(path: Path, progress: Progress) -> tuple[str, ...]:
        with runner.occupied():  # latencies measured meanwhile are not the models' own
            browser_copy_of(info, path, progress, anew)
        return ()

    return make


@polled(_POLL_S)
def _follow(task: FileTask) -> None:
    if task.finished:
        st.rerun()
    if task.place is not None:
        st.markdown(waits(task.place))
        return
    st.progress(
        task.share,
        f"Preparing the clip for this browser: {task.done:,} of {task.total or '…'} frames",
    )
