"""What of the clip is processed: the part, every how many frames, at which size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from estimators.media.clip_info import ClipInfo
from estimators.media.clips import selected
from estimators.numerals import counted
from estimators.workflows.clip.run import ClipSettings
from pages.ui import devices, engine, memory
from pages.ui.address import publish, recall
from pages.ui.people import choose_people, held_back
from pages.ui.settings import Settings
from pages.ui.video.clips import ChosenClip

_STRIDES = (1, 2, 3, 5, 10, 30)
_SIDES = (1920, 1280, 960, 640, 480)
# Larger frames are made smaller unless somebody wants them whole: no model looks at more.
_USUAL_SIDE = 1920
_WHOLE, _ADDRESSED = "whole", "clip_addressed"
_SEEN = "clip_results_of"


def planning(clip: ChosenClip) -> DeltaGenerator:
    """Where the clip and what of it is processed stand; folded away once results are there."""
    return st.expander(
        "The clip, and what of it is processed",
        expanded=st.session_state.get(_SEEN) != clip.digest,
        icon=":material/content_cut:",
    )


def fold(clip: ChosenClip) -> None:
    """There are results: from now on the player begins at the top of the page."""
    if st.session_state.get(_SEEN) != clip.digest:
        st.session_state[_SEEN] = clip.digest
        st.rerun()


def choose_plan(clip: ChosenClip, settings: Settings) -> ClipSettings:
    """Part, stride, size and people as the person chose them; the models whose weights are here."""
    widths = [3, 1, 1, 0.8]
    part, stride_column, side_column, people_column = st.columns(
        widths, vertical_alignment="bottom"
    )
    with part:
        start_s, end_s = _choose_part(clip)
    with stride_column:
        stride = _choose_stride(clip.info)
    with side_column:
        side = _choose_side(clip.info)
    specs = [spec for spec in settings.specs() if engine.has_weights(spec.key)]
    with people_column:
        people = choose_people(specs)
    if note := held_back(people, specs):
        st.caption(f":material/groups: {note}")
    models = tuple(spec.key for spec in specs)
    wishes = tuple((spec.key, wish) for spec in specs if (wish := devices.wanted(spec)))
    return ClipSettings(models, start_s, end_s, stride, side, tuple(people.items()), wishes)


def frames_wanted(clip: ClipInfo, plan: ClipSettings) -> int:
    """How many frames the plan selects."""
    return len(selected(clip, plan.start_s, plan.end_s, plan.stride))


def describe(clip: ClipInfo) -> str:
    """The clip in a line."""
    rate = f"{clip.average_rate:.4g} frames a second" + (", uneven" if clip.variable else "")
    sound = " · sound" if clip.has_audio else ""
    return (
        f"{clip.name} · {clip.width}×{clip.height} · {counted(clip.frame_count, 'frame')} in "
        f"{clip.duration_s:.2f} s · {rate} · {clip.codec}{sound}"
    )


def _choose_part(clip: ChosenClip) -> tuple[float | None, float | None]:
    """Limits in seconds on the clip's own clock; None where the clip's own end is meant."""
    # A part in the address is one of the first clip that it led to.
    addressed = st.session_state.setdefault(_ADDRESSED, clip.digest) == clip.digest
    times = clip.info.timestamps_s
    first, last = float(times[0]), float(times[-1])
    # Two decimals keep single frames of all but the fastest cameras apart.
    low, high = math.floor(100 * first) / 100, math.ceil(100 * last) / 100
    if clip.info.frame_count < 2 or high - low < 0.02:
        st.caption("The clip is too short to cut.")
        publish("part", _WHOLE, _WHOLE)
        return None, None
    key = f"clip_part_{clip.digest[:12]}"
    start, end = memory.keep(
        key,
        st.slider(
            "Part to process, seconds",
            low,
            high,
            memory.recall(key, _part_in_address(low, high) if addressed else (low, high)),
            step=0.01,
            format="%.2f",
            key=key,
            help="Only this part is given to the models. The sound comes along with whole clips.",
        ),
    )
    whole = (start, end) == (low, high)
    publish("part", _WHOLE if whole else f"{start:.2f}-{end:.2f}", _WHOLE)
    return (None if start == low else start), (None if end == high else end)


def _part_in_address(low: float, high: float) -> tuple[float, float]:
    start, _, end = st.query_params.get("part", "").partition("-")
    try:
        wanted = max(low, float(start)), min(high, float(end))
    except ValueError:
        return low, high
    return wanted if wanted[0] < wanted[1] else (low, high)


def _choose_stride(clip: ClipInfo) -> int:
    strides = [str(n) for n in _STRIDES if n <= max(1, clip.frame_count // 2)]
    names = {"1": "every frame", "2": "every 2nd", "3": "every 3rd"}
    return int(
        _choose(
            "stride",
            "Frames",
            strides,
            [names.get(n, f"every {n}th") for n in strides],
            "Leave frames out to be done sooner.",
        )
    )


def _choose_side(clip: ClipInfo) -> int | None:
    longest = max(clip.width, clip.height)
    smaller = [side for side in _SIDES if side < longest]
    options = ["own", *map(str, smaller)]
    # Alike for all clips: the browser goes on showing the words that were chosen for another one.
    labels = ["as it is", *(f"{side} px" for side in smaller)]
    if longest > _USUAL_SIDE:
        options = [str(_USUAL_SIDE), *(o for o in options if o != str(_USUAL_SIDE))]
        labels = [f"{_USUAL_SIDE} px", *(x for x in labels if x != f"{_USUAL_SIDE} px")]
    side = _choose(
        "side", "Longest side", options, labels, "Larger frames are made smaller for the models."
    )
    return None if side == "own" else int(side)


def _choose(key: str, label: str, options: Sequence[str], labels: Sequence[str], text: str) -> str:
    """A select box whose value is in the address; the first option is the usual one."""
    chosen = recall(key, options)
    if chosen not in options:  # of another clip
        chosen = st.session_state[key] = options[0]
    names = dict(zip(options, labels, strict=True))
    value = st.selectbox(
        label, options, options.index(chosen), format_func=names.__getitem__, key=key, help=text
    )
    publish(key, value, options[0])
    return value
