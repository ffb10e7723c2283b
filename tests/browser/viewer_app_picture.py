"""Streamlit page for the tests of the picture viewer: poses lie on marks of a drawn picture."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
import streamlit as st

from estimators.skeletons import BLAZEPOSE_33, COCO_17, Skeleton
from estimators.types import PoseSet
from pages.ui.viewer import (
    Layer,
    Panel,
    StagePicture,
    ViewOptions,
    picture_viewer,
    write_stage_file,
)

WIDTH, HEIGHT = 640, 400
SHAPE = {
    "nose": (0, -100), "left_eye": (8, -108), "right_eye": (-8, -108), "left_ear": (18, -102),
    "right_ear": (-18, -102), "left_shoulder": (40, -60), "right_shoulder": (-40, -60),
    "left_elbow": (60, -20), "right_elbow": (-60, -20), "left_wrist": (70, 20),
    "right_wrist": (-70, 20), "left_hip": (25, 30), "right_hip": (-25, 30),
    "left_knee": (30, 85), "right_knee": (-30, 85), "left_ankle": (32, 140),
    "right_ankle": (-32, 140),
}  # fmt: skip


def poses(skeleton: Skeleton, centres: list[tuple[float, float]], score: float) -> PoseSet:
    """One person around each centre; the right ankle has a tenth of `score`."""
    n, k = len(centres), len(skeleton)
    xy = np.full((n, k, 2), np.nan, np.float32)
    for name, offset in SHAPE.items():
        xy[:, skeleton.index(name)] = np.asarray(centres) + offset
    scores = np.full((n, k), score, np.float32)
    scores[:, skeleton.index("right_ankle")] = score / 10
    box = np.concatenate([np.nanmin(xy, axis=1), np.nanmax(xy, axis=1)], axis=1)
    return PoseSet(skeleton, xy, scores, np.full(n, score, np.float32), box)


def picture(marks: PoseSet, green: int) -> np.ndarray:
    """A flat picture with a white square of 5 px on every joint."""
    image = np.full((HEIGHT, WIDTH, 3), (40, green, 60), np.uint8)
    for x, y in marks.xy.reshape(-1, 2)[np.isfinite(marks.xy).all(-1).ravel()]:
        image[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] = 255
    return image


st.set_page_config(layout="wide")
threshold = st.sidebar.slider("Threshold", 0.0, 1.0, 0.3)
faint = st.sidebar.checkbox("Faint")
labels = st.sidebar.checkbox("Labels")
other = st.sidebar.checkbox("Other picture")
if st.sidebar.checkbox("Something above"):
    st.info("This came later.")

move = poses(COCO_17, [(160.5, 200.5), (450.5, 200.5)], 0.9)
blaze = poses(BLAZEPOSE_33, [(465.5, 210.5), (175.5, 210.5)], 0.8)
layers = [
    Layer("move", "MoveNet", "#0072B2", move, "confidence", threshold, person_ids=(1, 2)),
    Layer("blaze", "BlazePose", "#E69F00", blaze, "visibility", threshold, person_ids=(2, 1)),
]
panels = [
    Panel("MoveNet", "2 people · 1.6 ms", [layers[0]], "#0072B2"),
    Panel("BlazePose", "2 people · 9.4 ms", [layers[1]], "#E69F00"),
    Panel("Keypoint R-CNN", message="Weights could not be fetched: 403 Forbidden.", tone="failed"),
    Panel("All in one", layers=layers),
]
options = ViewOptions(weak="faint" if faint else "hidden", labels=labels, boxes=labels)
drawn = picture(move, 120 if other else 50)
file = Path(tempfile.gettempdir()) / f"viewer-app-{os.getpid()}-{other}.jpg"
write_stage_file(drawn, file)
shown = StagePicture(file, hashlib.sha256(drawn.tobytes()).hexdigest(), (WIDTH, HEIGHT))
picked = picture_viewer("viewer", shown, panels, options)
st.text(f"picked: {picked}")
