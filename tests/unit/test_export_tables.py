"""Exports: every number that goes in comes out, in each format, and the docs name every column."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.figures import Figure
from estimators.devices import Placement
from estimators.errors import InputError
from estimators.export.files import (
    to_bytes,
    write_csv,
    write_json,
    write_parquet,
    write_png,
    write_summary,
)
from estimators.export.metadata import document_metadata
from estimators.export.tables import (
    FRAME_COLUMNS,
    JOINT_COLUMNS,
    frame_table,
    joint_table,
    summary_table,
)
from estimators.registry import MODELS, get
from estimators.skeletons import BLAZEPOSE_33, COCO_17, Skeleton
from estimators.types import Estimate, PoseSet, Timings

FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"


def poses(n: int, skeleton: Skeleton = COCO_17, seed: int = 0, **extra: object) -> PoseSet:
    rng = np.random.default_rng(seed)
    k = len(skeleton)
    xy = rng.uniform(-20, 640, (n, k, 2))
    if n:
        xy[0, 0] = np.nan
    return PoseSet(skeleton, xy, rng.random((n, k)), rng.random(n), **extra)  # type: ignore[arg-type]  # arrays by keyword


def clip_of(model: str, counts: list[int], **extra: object) -> ClipEstimates:
    clip = ClipEstimates(model, get(model).skeleton, "walk.mp4", (640, 480))
    for i, n in enumerate(counts):
        found = poses(n, get(model).skeleton, seed=i)
        estimate = Estimate(found, Timings(1.5, 4.25, 0.125), 2 * i, i * 0.1001)
        clip.append(estimate, queue_ms=0.5)
    return clip


def with_world() -> ClipEstimates:
    rng = np.random.default_rng(3)
    found = poses(1, BLAZEPOSE_33, box_xyxy=[[1, 2, 3, 4]], world_m=rng.normal(size=(1, 33, 3)))
    return ClipEstimates.of_picture(
        "blazepose-full", "a, b.png", (640, 480), Estimate(found, Timings(1, 2, 3))
    )


def test_joint_table_has_a_row_a_joint() -> None:
    clip = clip_of("movenet-multipose", [2, 0, 1])
    clip.identify(np.array([7, -1, 7]))
    table = joint_table([clip, with_world()])
    assert tuple(table.columns) == JOINT_COLUMNS
    assert len(table) == 3 * 17 + 33
    row = table.iloc[17 + 5]  # second person, left shoulder
    assert (row.model, row.file, row.person) == ("movenet-multipose", "walk.mp4", 1)
    assert row.joint == COCO_17.joints[5]
    assert (row.x_px, row.y_px) == tuple(clip.xy[1, 5])
    assert row.score == clip.score[1, 5]
    assert (row.score_kind, row.pose_score) == ("confidence", clip.pose_score[1])
    third = table.iloc[2 * 17]
    assert (third.frame_index, third.time_s, third.person) == (4, 0.2002, 0)
    assert table.identity[0] == 7
    assert table.identity[17] is pd.NA
    assert np.isnan(table.x_px[0])
    assert table.world_x_m[: 3 * 17].isna().all()
    world = table.iloc[-33:]
    assert world.joint.tolist() == list(BLAZEPOSE_33.joints)
    assert world.score_kind.unique().tolist() == ["visibility"]
    np.testing.assert_array_equal(
        world[["world_x_m", "world_y_m", "world_z_m"]], with_world().world_m[0]
    )


def test_a_skeleton_of_many_joints_keeps_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the 127 that one signed byte counts, alone and beside a model with fewer."""
    joints = (*COCO_17.joints, *(f"point_{i}" for i in range(133 - 17)))
    whole_body = replace(COCO_17, name="wholebody133", joints=joints)
    spec = replace(get("movenet-multipose"), key="wholebody", skeleton=whole_body)
    monkeypatch.setattr("estimators.export.tables.get", lambda key: (MODELS | {key: spec})[key])
    answer = Estimate(poses(2, whole_body), Timings(1, 2, 3))
    clip = ClipEstimates.of_picture("wholebody", "a.png", (640, 480), answer)
    beside = clip_of("movenet-multipose", [1])
    table = joint_table([beside, clip])
    assert table.joint.tolist() == [*COCO_17.joints, *joints, *joints]
    text = to_bytes(lambda sink: write_csv(table, sink))
    assert pd.read_csv(io.BytesIO(text)).joint.tolist() == table.joint.tolist()


def test_frame_table_keeps_empty_and_failed_frames() -> None:
    clip = clip_of("movenet-multipose", [2, 0])
    clip.append_failed(9, 0.7, "The model's process ended.")
    table = frame_table([clip])
    assert tuple(table.columns) == FRAME_COLUMNS
    assert table.frame_index.tolist() == [0, 2, 9]
    assert table.returned.tolist() == [2, 0, 0]
    assert table.inference_ms[:2].tolist() == [4.25, 4.25]
    assert table.inference_ms[2:].isna().all()
    assert table.transport_ms.isna().all()
    assert table.error.tolist() == ["", "", "The model's process ended."]


def test_nothing_at_all_still_has_its_columns() -> None:
    assert tuple(joint_table([]).columns) == JOINT_COLUMNS
    nobody = clip_of("movenet-lightning", [0])
    assert joint_table([nobody]).empty
    text = to_bytes(lambda sink: write_csv(joint_table([nobody]), sink)).decode()
    assert text.replace('"', "") == ",".join(JOINT_COLUMNS) + "\n"


def test_people_and_frames_of_figures_are_whole_numbers_where_they_are_known() -> None:
    figures = [Figure("oks", 0.5, person=2, frame_index=7), Figure("people", 3.0)]
    table = summary_table(figures)
    assert (table.person[0], table.frame_index[0], table.value[1]) == (2, 7, 3.0)
    assert table.person[1] is pd.NA
    text = to_bytes(lambda sink: write_csv(table, sink)).decode()
    assert text.splitlines()[1] == ',,,2,,7,,"oks",0.5,"OKS"'


def test_figures_as_json_with_null_for_what_is_not_known() -> None:
    figures = [Figure("oks", math.nan, model="Ä"), Figure("people", 0.0, person=0)]
    text = to_bytes(lambda sink: write_summary(figures, sink)).decode()
    assert '"model": "Ä"' in text
    one, other = json.loads(text)["figures"]
    known = {k: v for k, v in one.items() if v is not None}
    assert known == {"model": "Ä", "figure": "oks", "unit": "OKS"}
    known = {k: v for k, v in other.items() if v is not None}
    assert known == {"person": 0, "figure": "people", "value": 0.0, "unit": "count"}


def test_csv_gives_every_number_back() -> None:
    table = joint_table([clip_of("keypointrcnn-fast", [1, 3]), with_world()])
    text = to_bytes(lambda sink: write_csv(table, sink))
    back = pd.read_csv(io.BytesIO(text))
    assert tuple(back.columns) == JOINT_COLUMNS
    for column in ("x_px", "y_px", "score", "pose_score", "world_z_m"):
        np.testing.assert_array_equal(back[column].astype(np.float32), table[column])
    np.testing.assert_array_equal(back.time_s, table.time_s)
    assert back.file.tolist() == table.file.tolist()  # one of them holds a comma
    assert back.identity.isna().all()
    assert b",,," in text  # unknown is empty, not "nan"
    assert b"nan" not in text.lower()


def test_csv_writes_large_tables_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    table = joint_table([clip_of("movenet-multipose", [2, 3, 1])])
    whole = to_bytes(lambda sink: write_csv(table, sink))
    monkeypatch.setattr("estimators.export.files._ROWS_AT_A_TIME", 10)
    assert to_bytes(lambda sink: write_csv(table, sink)) == whole


def test_parquet_keeps_types_and_says_what_the_scores_mean(tmp_path: Path) -> None:
    table = joint_table([clip_of("movenet-multipose", [1, 2]), with_world()])
    path = tmp_path / "joints.parquet"
    write_parquet(table, path)
    pd.testing.assert_frame_equal(pd.read_parquet(path), table)
    assert pq.read_schema(path).names == list(table.columns)
    head = json.loads(pq.read_schema(path).metadata[b"pose_comparison"])
    assert head["models"]["blazepose-full"]["score_kind"] == "visibility"
    assert head == document_metadata(["movenet-multipose", "blazepose-full"])


def test_json_describes_itself_and_holds_everything() -> None:
    clip = clip_of("movenet-multipose", [2, 0])
    clip.append_failed(9, 0.7, "The model's process ended.")
    clip.identify(np.array([4, -1]))
    text = to_bytes(lambda sink: write_json([clip, with_world()], sink))
    document = json.loads(text)
    assert document["models"]["movenet-multipose"]["skeleton"] == "coco17"
    assert document["skeletons"]["blazepose33"]["joints"] == list(BLAZEPOSE_33.joints)
    first, second = document["results"]
    assert (first["width"], first["height"], first["file"]) == (640, 480, "walk.mp4")
    frame = first["frames"][0]
    assert frame["timings_ms"] == {
        "preprocess": 1.5,
        "inference": 4.25,
        "postprocess": 0.125,
        "queue": 0.5,
        "transport": None,
    }
    person = frame["people"][0]
    assert person["identity"] == 4
    assert frame["people"][1]["identity"] is None
    assert person["xy_px"][0] is None
    np.testing.assert_allclose(person["xy_px"][1:], clip.xy[0, 1:], atol=6e-4)
    np.testing.assert_allclose(person["score"], clip.score[0], atol=6e-6)
    assert first["frames"][2]["error"] == "The model's process ended."
    assert second["frames"][0]["people"][0]["box_xyxy_px"] == [1, 2, 3, 4]
    assert np.shape(second["frames"][0]["people"][0]["world_m"]) == (33, 3)


def test_json_of_a_long_clip_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = clip_of("movenet-multipose", [2, 0, 1, 3, 0])
    clip.append_failed(20, 0.7, "gone")
    whole = to_bytes(lambda sink: write_json([clip], sink))
    monkeypatch.setattr("estimators.export.document._FRAMES_AT_A_TIME", 2)
    assert to_bytes(lambda sink: write_json([clip], sink)) == whole
    assert [len(f["people"]) for f in json.loads(whole)["results"][0]["frames"]] == [
        *(2, 0, 1, 3, 0),
        0,
    ]


def test_png_gives_the_picture_back() -> None:
    image = np.random.default_rng(0).integers(0, 255, (30, 50, 3), dtype=np.uint8)
    data = np.frombuffer(to_bytes(lambda sink: write_png(image, sink)), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1], image)


def test_png_of_many_rows_and_of_one_picture_under_another() -> None:
    """More rows than are packed at a time, in both."""
    image = np.random.default_rng(0).integers(0, 255, (300, 5, 3), dtype=np.uint8)
    data = to_bytes(lambda sink: write_png(image[:140], sink, below=image[140:]))
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(back, image)
    for wrong in (image[..., :2], image[:0]):
        with pytest.raises(ValueError, match="cannot be written as PNG"):
            to_bytes(lambda sink, wrong=wrong: write_png(wrong, sink))


def test_an_unknown_model_is_refused() -> None:
    clip = ClipEstimates("openpose", COCO_17)
    with pytest.raises(InputError, match="openpose"):
        joint_table([clip])


def test_files_are_written_to_paths_too(tmp_path: Path) -> None:
    table = frame_table([clip_of("movenet-lightning", [1])])
    path = tmp_path / "frames.csv"
    write_csv(table, path)
    assert path.read_bytes() == to_bytes(lambda sink: write_csv(table, sink))


# ------------------------------------------------------------------------------------------ docs


def section(title: str) -> str:
    text = FORMATS.read_text("utf-8")
    (found,) = [part for part in re.split(r"^## ", text, flags=re.M) if part.startswith(title)]
    return found


def documented(title: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", section(title), flags=re.M)


def test_the_docs_list_the_real_columns_in_order() -> None:
    assert documented("`joints.csv`") == list(JOINT_COLUMNS)
    assert documented("`frames.csv`") == list(FRAME_COLUMNS)


def test_the_docs_list_the_real_keys_of_the_json_document() -> None:
    clip = clip_of("movenet-multipose", [2])
    clip.append_failed(9, 0.7, "gone")
    document = json.loads(to_bytes(lambda sink: write_json([clip, with_world()], sink)))
    words = set(re.findall(r"`(\w+)`", section("`results.json`")))
    person = document["results"][1]["frames"][0]["people"][0]
    assert documented("`results.json`") == [*document, *person]
    for keys in (
        document["models"]["blazepose-full"],
        document["skeletons"]["coco17"],
        document["results"][0],
        document["results"][0]["frames"][0],
        document["results"][0]["frames"][0]["timings_ms"],
        document["results"][0]["frames"][1],
    ):
        assert set(keys) <= words


def test_json_marks_frames_that_were_computed_again_or_while_busy() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17)
    for n, (restarted, busy) in enumerate([(False, False), (True, False), (False, True)]):
        estimate = Estimate(PoseSet.empty(COCO_17), Timings(1, 2, 3), n, n / 10)
        clip.append(estimate, restarted=restarted, busy=busy)
    document = json.loads(to_bytes(lambda sink: write_json([clip], sink)))
    marks = [(f.get("restarted"), f.get("busy")) for f in document["results"][0]["frames"]]
    assert marks == [(None, None), (True, None), (None, True)]


def test_the_table_of_frames_and_the_document_say_where_each_answer_was_computed() -> None:
    clip = ClipEstimates("movenet-multipose", COCO_17)
    clip.append_failed(0, 0.0, "It was not loaded.")
    for n, device in enumerate(("cuda:0", "cuda:0", "cpu"), 1):
        clip.computed(Placement(device, "because"))
        clip.append(Estimate(PoseSet.empty(COCO_17), Timings(1, 2, 3), n, n / 10))
    assert frame_table([clip])["device"].tolist() == ["", "cuda:0", "cuda:0", "cpu"]
    document = json.loads(to_bytes(lambda sink: write_json([clip], sink)))
    told = document["results"][0]["device"]
    assert (told["device"], told["reason"]) == ("cpu", "because")
    unknown = ClipEstimates("movenet-multipose", COCO_17)
    unknown.append_failed(0, 0.0, "It was not loaded.")
    assert frame_table([unknown])["device"].tolist() == [""]
    document = json.loads(to_bytes(lambda sink: write_json([unknown], sink)))
    assert "device" not in document["results"][0]
