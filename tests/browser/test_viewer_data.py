"""What the viewer and the player are given: checked before it leaves for the browser."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from viewer_app_clips import pose_at

from estimators.analysis.clip import ClipEstimates
from estimators.skeletons import BLAZEPOSE_33, COCO_17
from estimators.types import Estimate, PoseSet, Timings
from pages.ui.viewer.clip import ClipLayer, ClipPoses, pack_poses
from pages.ui.viewer.media_files import media_url
from pages.ui.viewer.panels import (
    Layer,
    Panel,
    ViewOptions,
    joint_ref,
    panels_payload,
    skeleton_payload,
)
from pages.ui.viewer.player import Clip

HERE = Path(__file__).parent


def layer(poses: PoseSet | None = None, **changes: object) -> Layer:
    given = {"key": "move", "title": "MoveNet", "colour": "#0072B2", "score_kind": "confidence"}
    given |= {"poses": poses or pose_at(3), "threshold": 0.3}
    return Layer(**{**given, **changes})


def answers() -> ClipEstimates:
    """Frames 0, 4 (failed), 5 (nobody) and 9, two people in the first."""
    clip = ClipEstimates("move", COCO_17)
    one = pose_at(2)
    both = PoseSet(
        COCO_17,
        np.concatenate([one.xy, one.xy + 7]),
        np.concatenate([one.score, one.score]),
        np.array([0.9, 0.25], np.float32),
    )
    both.xy.flags.writeable = True
    both.xy[1, 3] = np.nan
    for index, poses in [(0, both), (4, None), (5, PoseSet.empty(COCO_17)), (9, one)]:
        if poses is None:
            clip.append_failed(index, index / 30, "the model crashed twice")
        else:
            clip.append(Estimate(poses, Timings(0, 0, 0), index, index / 30))
    return clip


def unpacked(data: bytes) -> dict:
    """The file as its description says, read without the code that wrote it."""
    assert data[:8] == b"POSECLP1"
    (length,) = struct.unpack("<I", data[8:12])
    header = json.loads(data[12 : 12 + length])

    def read(value: object) -> object:
        if isinstance(value, dict):
            return {key: read(v) for key, v in value.items()}
        if not isinstance(value, list):
            return value
        if isinstance(value[0], list):
            steps = read(value[0])
            return np.where(steps == 65535, np.nan, value[1] + steps * value[2])
        dtype, offset, count = value
        assert (12 + length + offset) % 8 == 0
        return np.frombuffer(data, np.dtype(dtype).newbyteorder("<"), count, 12 + length + offset)

    return read(header)


def test_poses_of_a_clip_come_out_as_they_went_in() -> None:
    clip = answers()
    times = np.cumsum(np.full(10, 0.033))
    file = unpacked(pack_poses(times, {"move": ClipPoses.of(clip, clip.xy + 2)}))
    move = file["models"]["move"]
    assert np.array_equal(file["timestamps"], times)
    assert move["joints"] == 17
    assert move["frames"].tolist() == [0, 5, 9]
    assert move["starts"].tolist() == [0, 2, 2, 3]
    assert move["failed"].tolist() == [4]
    assert move["ids"].tolist() == [-1, -2, -1], "nobody in particular, but different"
    assert move["box"] is None
    span = float(np.nanmax(clip.xy) - np.nanmin(clip.xy))
    for name, values in [("xy", clip.xy), ("smooth", clip.xy + 2), ("score", clip.score)]:
        assert np.allclose(move[name], values.ravel(), atol=span / 65534, equal_nan=True)
    assert np.allclose(move["trust"], [0.9, 0.25, 0.9], atol=1e-4)


def test_people_keep_their_numbers() -> None:
    clip = answers()
    clip.identify(np.array([2, 1, 2]))
    assert ClipPoses.of(clip).person_ids.tolist() == [2, 1, 2]


def test_a_clip_without_people_or_with_one_value_packs() -> None:
    clip = ClipEstimates("move", COCO_17)
    clip.append(Estimate(PoseSet.empty(COCO_17), Timings(0, 0, 0)))
    move = unpacked(pack_poses(np.array([0.0]), {"move": ClipPoses.of(clip)}))["models"]["move"]
    assert move["xy"].size == 0
    assert move["starts"].tolist() == [0, 0]


def test_what_does_not_fit_is_refused() -> None:
    poses = ClipPoses.of(answers())
    times = np.arange(10) / 30
    with pytest.raises(ValueError, match="frame 9 of a clip of 9"):
        pack_poses(times[:9], {"move": poses})
    with pytest.raises(ValueError, match="ascending"):
        pack_poses(times[::-1], {"move": poses})
    with pytest.raises(ValueError, match=r"score: expected shape \[3, 17\], got \[2, 17\]"):
        ClipPoses(COCO_17, poses.frames, poses.starts, poses.person_ids, poses.xy, poses.score[:2])
    starts = np.array([0, 2, 1, 3])
    with pytest.raises(ValueError, match="rise from 0 to 3"):
        ClipPoses(COCO_17, poses.frames, starts, poses.person_ids, poses.xy, poses.score)
    with pytest.raises(ValueError, match="#rrggbb"):
        layer(colour="blue")
    with pytest.raises(ValueError, match="expected a number"):
        layer(threshold=math.nan)
    with pytest.raises(ValueError, match="expected 1 different"):
        layer(person_ids=[1, 2])
    with pytest.raises(ValueError, match="at least one"):
        panels_payload([], ViewOptions())
    with pytest.raises(ValueError, match="two different layers have the key 'move'"):
        panels_payload([Panel("A", layers=[layer()]), Panel("B", layers=[layer()])], ViewOptions())
    with pytest.raises(RuntimeError, match="inside a running Streamlit app"):
        media_url(b"", "video/mp4", "slot", "id")


def test_drawing_a_clip_otherwise_packs_nothing_again() -> None:
    def drawn(poses: ClipPoses, threshold: float) -> ClipLayer:
        return ClipLayer("move", "MoveNet", "#0072B2", "confidence", threshold, (0, 1), poses)

    poses = ClipPoses.of(answers())
    clip = Clip(b"clip", "video/mp4", np.arange(10) / 30, (640, 360), [drawn(poses, 0.3)])
    other = clip.drawn([drawn(poses, 0.5)])
    assert other.numbers is clip.numbers
    assert other.layers[0].threshold == 0.5
    assert clip.layers[0].threshold == 0.3
    with pytest.raises(ValueError, match="make a new Clip"):
        clip.drawn([drawn(ClipPoses.of(answers()), 0.5)])


def test_only_right_limbs_are_dashed() -> None:
    for skeleton in (COCO_17, BLAZEPOSE_33):
        payload = skeleton_payload(skeleton)
        names = payload["joints"]
        dashed = {(names[i], names[j]) for i, j, right in payload["bones"] if right}
        assert ("right_hip", "right_knee") in dashed
        assert ("nose", "right_eye" if skeleton is COCO_17 else "right_eye_inner") in dashed
        assert not any("left" in a + b for a, b in dashed)


def test_a_panel_of_several_models_has_a_legend_and_right_joints_are_rings() -> None:
    one, other = layer(), layer(key="more", title="More", colour="#D55E00", variant=1)
    alone = Panel("MoveNet", layers=[one], colour=one.colour)
    payload = panels_payload([Panel("All in one", layers=[one, other]), alone], ViewOptions())
    together, single = payload["panels"]
    assert together["legend"] == [
        {"title": "MoveNet", "colour": "#0072B2", "variant": 0},
        {"title": "More", "colour": "#D55E00", "variant": 1},
    ]
    assert single["legend"] == []
    assert payload["layers"]["more"]["variant"] == 1
    joints = payload["skeletons"]["coco17"]["joints"]
    ringed = {joints[k] for k in payload["skeletons"]["coco17"]["right"]}
    assert ringed == {joint for joint in COCO_17.joints if joint.startswith("right_")}


def test_numbers_are_short_and_absent_joints_stay_absent() -> None:
    poses = answers().poses(0)
    people = panels_payload([Panel("A", layers=[layer(poses)])], ViewOptions())["layers"]["move"]
    assert people["people"][1]["xy"][6:8] == [None, None]
    assert people["people"][0]["xy"][:2] == [1745, 2405]
    assert [p["id"] for p in people["people"]] == [1, 2]
    assert not people["matched"]


@pytest.mark.parametrize(
    "value", [None, "nose", {}, {"model": "other", "person": 1, "joint": "nose"}]
)
def test_a_joint_that_is_not_on_show_is_not_picked(value: object) -> None:
    assert joint_ref(value, [layer()]) is None


@pytest.mark.parametrize("page", ["viewer_app_picture.py", "viewer_app_player.py"])
def test_the_pages_run_where_there_is_no_browser(page: str) -> None:
    assert not AppTest.from_file(str(HERE / page), default_timeout=60).run().exception
