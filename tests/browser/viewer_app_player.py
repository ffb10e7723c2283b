"""Streamlit page for the tests of the clip player; ?clip= chooses the clip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from viewer_app_clips import FRAMES, HEIGHT, WIDTH, clip, pose_at, timestamps

from estimators.analysis.clip import ClipEstimates
from estimators.skeletons import COCO_17
from estimators.types import Estimate, Timings
from pages.ui.viewer import (
    Clip,
    ClipLayer,
    ClipPoses,
    PlayerOptions,
    Seek,
    ViewOptions,
    clip_player,
)


def found(model: str, frames: list[int], offset: float, rotated: bool) -> ClipEstimates:
    """One person in `frames`, and BlazePose fails at 62."""
    answers = ClipEstimates(model, COCO_17)
    for f in sorted(frames):
        if model == "blaze" and f == 62:
            answers.append_failed(f, f / 30, "the model crashed twice")
        else:
            answers.append(Estimate(pose_at(f, offset, rotated), Timings(0, 0, 0), f, f / 30))
    answers.identify(np.ones(answers.person_count, np.int64))
    return answers


@st.cache_resource(show_spinner=False)
def prepared(kind: str) -> Clip:
    rotated = kind == "rotated"
    misshapen = kind == "misshapen"
    data = b"no clip at all" if kind == "broken" else clip("constant" if misshapen else kind)
    times = np.arange(FRAMES) / 30 if kind == "broken" else timestamps(data)
    every, fifth = list(range(FRAMES)), [*range(5, FRAMES, 5), 62]
    move = found("move", every, 0, rotated)
    wavy = move.xy + 6 * np.sin(np.arange(FRAMES))[:, None, None]
    move, blaze = ClipPoses.of(move, wavy), ClipPoses.of(found("blaze", fifth, 40, rotated))
    layers = [
        ClipLayer("move", "MoveNet", "#0072B2", "confidence", 0.3, (0.0, 1.0), move),
        ClipLayer("blaze", "BlazePose", "#D55E00", "visibility", 0.5, (0.0, 1.0), blaze),
        ClipLayer(
            "rcnn", "Keypoint R-CNN", "#009E73", "logit", 2.0, (-5.0, 20.0), None,
            message="Weights could not be fetched: 403 Forbidden.",
        ),
    ]  # fmt: skip
    size = (HEIGHT, WIDTH) if rotated or misshapen else (WIDTH, HEIGHT)
    return Clip(data, "video/mp4", times, size, layers)


st.set_page_config(layout="wide")
faint = st.sidebar.checkbox("Faint")
threshold = st.sidebar.slider("Threshold", 0.0, 1.0, 0.3)
if st.sidebar.button("Go to 77"):
    st.session_state.seq = st.session_state.get("seq", 0) + 1
if st.sidebar.checkbox("Something above"):
    st.info("This came later.")
options = PlayerOptions(
    view=ViewOptions(weak="faint" if faint else "hidden"),
    thresholds={"move": threshold},
    marks={20: "0.31 of a torso apart", 90: "one of them sees nobody"},
)
shown = prepared(st.query_params.get("clip", "constant"))
if st.sidebar.checkbox("Only sure people"):
    shown = shown.drawn([replace(layer, pose_threshold=0.95) for layer in shown.layers])
seek = Seek(77, st.session_state.seq) if "seq" in st.session_state else None
state = clip_player("player", shown, options, seek)
st.text(f"frame {state.frame}, picked {state.picked}, problem {state.problem!r}")
st.text(f"unplayable {state.unplayable}")
