"""Mark the truth in a frame of the clip, or vote on who is right there."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from estimators.analysis.truth import TruthErrors
from estimators.decode.clips import frames
from estimators.errors import InputError
from estimators.workflows.clip.series import FramePeople, frame_people, shown_by_all
from pages.ui.drawing import Drawn, Ink, pose_layer
from pages.ui.server.files import folder
from pages.ui.text import said
from pages.ui.truth import Scene, errors_of, mark_truth, marked_frames
from pages.ui.video.comparison import ClipComparison
from pages.ui.viewer.panels import Layer
from pages.ui.viewer.picture import StagePicture, write_stage_file
from pages.ui.votes import blind_vote

MARK, VOTE = "Mark", "Vote"
_FRAME, _COME, _HOW = "truth_frame", "truth_come", "truth_how"
_SUGGESTED = 5


def truth(comparison: ClipComparison) -> None:
    """Which frame, and the marker over it, or two answers to vote on."""
    frame = _choose_frame(comparison)
    if frame is None:
        st.caption(
            "Stop the player at a frame and mark where the joints really are: ten joints are often "
            "enough to tell which model is right where they differ. Or vote: two models' answers "
            "without names, which is better?"
        )
        return
    try:
        file = _file(comparison, frame)
    except InputError as error:
        st.error(said(error), icon=":material/broken_image:")
        return
    info, people = comparison.clip.info, frame_people(comparison.analysis, frame)
    picture = StagePicture(file, f"{frame}-{comparison.clip.digest}", (info.width, info.height))
    layers = _layers(comparison, people)
    scene = Scene(
        info.name, comparison.clip.digest, picture, people.shown, people.members, layers, frame
    )
    come = st.session_state.get(_COME, 0)
    if st.session_state.get(_HOW) == VOTE:
        blind_vote(scene, come)
    elif mark_truth(scene, partial(shown_by_all, comparison.analysis), come):
        st.rerun()  # the verdict stands above


def begin(comparison: ClipComparison, how: str = MARK) -> None:
    """In a button's callback: the most disputed frame is there to be marked, or voted on.

    Args:
        how: `MARK` or `VOTE`.
    """
    st.session_state["clip_view"], st.session_state[_HOW] = "Truth", how
    worst = _most_disputed(comparison)
    if worst:
        st.session_state[_key(comparison)] = worst[0]
    st.session_state[_COME] = st.session_state.get(_COME, 0) + 1


def errors(comparison: ClipComparison) -> TruthErrors | None:
    """How far every model is from what is marked in the clip's frames; None where nothing is."""
    return errors_of(comparison.clip.digest, partial(shown_by_all, comparison.analysis))


def _choose_frame(comparison: ClipComparison) -> int | None:
    """The frame to mark: the one on show, one of the most disputed, or one that was marked."""
    player = st.session_state.get("clip_player") or {}
    on_show = int(player.get("frame") or 0)
    suggested = _most_disputed(comparison)
    marked = marked_frames(comparison.clip.digest)
    key = _key(comparison)
    kept = st.session_state.get(f"{key}_kept")
    choices = sorted({*suggested, *marked, *([] if kept is None else [kept])})
    with st.container(horizontal=True, vertical_alignment="center"):
        st.session_state.setdefault(_HOW, MARK)
        how = st.segmented_control(
            "How to settle it", (MARK, VOTE), key=_HOW, label_visibility="collapsed"
        )
        act = "Vote on" if how == VOTE else "Mark"
        if st.button(
            f"{act} frame {on_show}, on show", icon=":material/edit_location:", key="truth_on_show"
        ):
            st.session_state[f"{key}_kept"] = st.session_state[key] = on_show
            choices = sorted({*choices, on_show})
        if choices:
            st.pills(
                "Frame",
                choices,
                format_func=lambda n: f"{n}{' ✓' if n in marked else ''}",
                key=key,
                label_visibility="collapsed",
                help="The frames on which the models differ most; ✓ is marked",
            )
    frame: int | None = st.session_state.get(key)
    return frame


def _most_disputed(comparison: ClipComparison) -> list[int]:
    """The few frames on which the models differ most, the worst one first."""
    frames = sorted(comparison.disputed, key=lambda frame: -frame.dispute)
    return [frame.frame_index for frame in frames[:_SUGGESTED]]


def _key(comparison: ClipComparison) -> str:
    return f"{_FRAME}_{comparison.job.id[:8]}"


def _file(comparison: ClipComparison, frame: int) -> Path:
    """The frame as the browser is shown it, made once.

    Raises:
        InputError: it could not be decoded.
    """
    file = folder() / f"{comparison.clip.digest[:16]}.{frame}.stage.jpg"
    if not file.is_file():
        at = float(comparison.clip.info.timestamps_s[frame])
        found = frames(comparison.clip.info, at, at)
        decoded = next((f for f in found if f.index == frame), None)
        if decoded is None:
            raise InputError(f"Frame {frame} could not be decoded.", "Choose another one.")
        write_stage_file(decoded.image, file)
    return file


def _layers(comparison: ClipComparison, people: FramePeople) -> list[Layer]:
    return [
        pose_layer(
            spec,
            comparison.settings,
            Ink(comparison.colours[spec.key], comparison.variants[spec.key]),
            Drawn(people.shown[spec.key], people.numbers(spec.key)),
        )
        for spec in comparison.specs
        if spec.key in people.shown
    ]
