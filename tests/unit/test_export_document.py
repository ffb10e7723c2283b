"""`results.json` by hand: how exact its numbers are, and what stands in it only sometimes."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from estimators.analysis.clip import ClipEstimates
from estimators.export.document import write_json
from estimators.export.sinks import to_bytes
from estimators.registry import get
from estimators.types import Estimate, PoseSet, Timings

BLAZE = "blazepose-full"


def written(*clips: ClipEstimates) -> str:
    return to_bytes(lambda sink: write_json(clips, sink)).decode()


def clip(name: str = "a.mp4") -> ClipEstimates:
    skeleton = get(BLAZE).skeleton
    k = len(skeleton)
    found = PoseSet(
        skeleton,
        np.full((1, k, 2), 1.23456),
        np.full((1, k), 0.123456),
        [0.765432],
        box_xyxy=[[1.23456, 2, 3, 4]],
        world_m=np.full((1, k, 3), 0.123456),
    )
    clip = ClipEstimates(BLAZE, skeleton, name, (640, 480))
    clip.append(Estimate(found, Timings(1.23456, 2, 3), 7, 0.123456789))
    return clip


def first_frame(document: str) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(document)["results"][0]["frames"][0]
    return frame


def test_pixels_have_three_decimals_scores_and_metres_five() -> None:
    frame = first_frame(written(clip()))
    (person,) = frame["people"]
    assert person["xy_px"][0] == [1.235, 1.235]
    assert person["score"][0] == 0.12346
    assert person["pose_score"] == 0.76543
    assert person["box_xyxy_px"] == [1.235, 2, 3, 4]
    assert person["world_m"][0] == [0.12346] * 3
    assert frame["timings_ms"]["preprocess"] == 1.235
    assert (frame["frame_index"], frame["time_s"]) == (7, 0.123456789)


def test_how_many_people_a_model_was_held_to_where_it_was() -> None:
    free, held = clip(), clip()
    held.held_to = 1
    results = json.loads(written(free, held))["results"]
    assert [r.get("held_to_people") for r in results] == [None, 1]
    assert "held_to_people" not in results[0]


def test_names_are_utf_8_and_what_is_no_number_is_refused() -> None:
    assert '"file": "Tänzer 猫.mp4"' in written(clip("Tänzer 猫.mp4"))
    timeless = clip()
    timeless.append_failed(9, math.nan, "gone")
    with pytest.raises(ValueError, match="not JSON compliant"):
        written(timeless)
