"""The Image page's files: the command line's schemas, the numbers of the page."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from estimators.export.tables import JOINT_COLUMNS
from estimators.media import limits
from estimators.registry import get
from estimators.runtime.api import ModelStatus, RunResult
from estimators.skeletons import BLAZEPOSE_33
from estimators.types import Estimate, PoseSet, Timings
from pages.ui.engine import Outcome
from pages.ui.image import downloads
from pages.ui.image.comparison import Comparison
from pages.ui.image.tables import cost_table, joint_table, people_table
from pages.ui.settings import Settings
from pages.ui.sources import Picture

SINGLE, SEVERAL = "movenet-lightning", "blazepose-full"
PICTURE = Picture("785.jpg", "digest", Path("785.jpg"), (900, 400), "Two people.")
BODY = dict(
    zip(BLAZEPOSE_33.joints, np.random.default_rng(0).uniform(0, 100, (33, 2)), strict=True)
)


def outcome(model: str, people: list[tuple[float, float]]) -> Outcome:
    """People of one shape, given by how far to the right they stand and by their pose score."""
    skeleton = get(model).skeleton
    body = np.array([BODY[joint] for joint in skeleton.joints])
    xy = np.array([body + np.array((x, 0)) for x, _ in people])
    poses = PoseSet(skeleton, xy, np.full(xy.shape[:2], 0.9), [score for _, score in people])
    measured = {"busy": True, "least_ms": 4, "most_ms": 9, "calls": 5}
    return Outcome(get(model), RunResult(Estimate(poses, Timings(1, 2, 3)), 0.0, 0.1, **measured))


def compared(**pose_thresholds: float) -> Comparison:
    people = {SINGLE: [(500, 0.9)], SEVERAL: [(0, 0.95), (500, 0.9), (250, 0.2)]}
    settings = Settings(models=tuple(people), pose_thresholds={SEVERAL: 0.5} | pose_thresholds)
    return Comparison.of(PICTURE, settings, [outcome(m, found) for m, found in people.items()])


def identities(comparison: Comparison) -> dict[str, list[str]]:
    rows = csv.DictReader(io.StringIO(downloads._csv(comparison).decode()))
    assert rows.fieldnames == list(JOINT_COLUMNS)
    noses = [row for row in rows if row["joint"] == "nose"]
    return {m: [row["identity"] for row in noses if row["model"] == m] for m in (SINGLE, SEVERAL)}


def test_people_carry_the_numbers_of_the_page() -> None:
    comparison = compared()
    assert comparison.person_ids(SINGLE) == [1]
    assert comparison.person_ids(SEVERAL) == [2, 1]
    # The third is under the threshold: in the file, but nobody on the page.
    assert identities(comparison) == {SINGLE: ["1"], SEVERAL: ["2", "1", ""]}


def test_everybody_over_the_threshold_of_the_page_has_a_number() -> None:
    comparison = compared(**{SEVERAL: 0.1})
    assert identities(comparison)[SEVERAL] == [str(n) for n in comparison.person_ids(SEVERAL)]


def test_the_figures_of_the_page_are_in_a_file() -> None:
    comparison = compared()
    # What it holds now depends on what it was given since its first call.
    memory = {"rss_mb": 950, "pss_mb": 450, "settled_mb": 300, "peak_mb": 1000}
    status = ModelStatus(SINGLE, "ready", **memory, load_s=2, first_call_ms=40)
    rows = list(
        csv.DictReader(io.StringIO(downloads._summary(comparison, lambda: [status]).decode()))
    )

    def values(figure: str, **where: str) -> list[float]:
        kept = [r for r in rows if all(r[name] == wanted for name, wanted in where.items())]
        return [float(r["value"]) for r in kept if r["figure"] == figure and r["value"]]

    both = {"model": SINGLE, "other_model": SEVERAL}
    assert values("matched_people", **both) == [comparison.matrix.matched[0, 1]] == [1]
    assert values("mean_oks", **both) == [comparison.matrix.oks[0, 1]]
    assert values("median_distance", **both) == [comparison.matrix.distance[0, 1]]
    people = people_table(comparison)["agreement, OKS"].dropna().tolist()
    assert values("mean_oks", model="", other_model="") == people
    table = joint_table(comparison, 0)
    (far,) = [column for column in table.columns if column[1] == "apart, torsos"]
    joints = table[far].dropna()
    apart = values("distance_from_others", model=SINGLE, person="1")[1:]  # after that of them all
    np.testing.assert_allclose(apart, joints, atol=1e-12)
    assert len(apart) == 17
    (cost,) = cost_table(comparison, [status]).loc[[get(SINGLE).title]].to_dict("records")
    assert (cost.pop("device"), cost.pop("measured")) == ("cpu", "5 calls, while busy")
    told = ("preprocess", "inference", "postprocess", "latency", "latency_least", "latency_most")
    told += ("transport", "first_call", "load", "memory", "memory_peak")
    assert [values(name, model=SINGLE)[0] for name in told] == list(cost.values())
    assert values("frames_busy", model=SINGLE) == [1]
    assert (cost["least, ms"], cost["total, ms"], cost["most, ms"]) == (4, 6, 9)
    assert values("memory", model=SINGLE) == [300]
    assert values("memory", model=SEVERAL) == []


def test_coco_results_hold_everybody_under_the_number_in_the_name() -> None:
    results = json.loads(downloads._coco(compared(), SEVERAL))
    assert [r["image_id"] for r in results] == [785] * 3
    np.testing.assert_allclose([r["score"] for r in results], [0.95, 0.9, 0.2], atol=1e-6)


@pytest.mark.parametrize(("width", "saved"), [(900, (1800, 444)), (12000, (4096, 400))])
def test_pictures_have_the_size_that_is_told(
    width: int, saved: tuple[int, int], tmp_path: Path
) -> None:
    file = tmp_path / "wide.png"
    Image.new("RGB", (width, 400)).save(file)
    picture = replace(PICTURE, digest=str(width), path=file, size=(width, 400))
    comparison = replace(compared(), picture=picture)

    def size(png: bytes) -> tuple[int, int]:
        return Image.open(io.BytesIO(png)).size

    def below(wide: int, *models: str) -> int:
        return len(downloads._legend(comparison, models, wide))

    whole = size(downloads._overlay(comparison, tmp_path))
    assert whole == (width, 400 + below(width, SINGLE, SEVERAL))
    single = size(downloads._overlay(comparison, tmp_path, SINGLE))
    assert single == (width, 400 + below(width, SINGLE))
    wide, high = size(downloads._side_by_side(comparison, tmp_path))
    assert (wide, high - below(wide, SINGLE, SEVERAL)) == saved
    assert list(tmp_path.iterdir()) == [file]


def test_an_overlay_of_a_large_picture_is_drawn_where_the_people_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The models saw a smaller copy; the file has the picture's own pixels."""
    monkeypatch.setattr(limits, "MAX_KEPT_SIDE", 300)
    file = tmp_path / "large.png"
    Image.new("RGB", (900, 400)).save(file)
    comparison = replace(compared(), picture=replace(PICTURE, digest="large", path=file))
    with comparison.picture.lent() as frame:
        assert (frame.width, frame.full_size) == (300, (900, 400))
    drawn = np.asarray(Image.open(io.BytesIO(downloads._overlay(comparison, tmp_path, SINGLE))))
    drawn = drawn[:400]
    xs = np.flatnonzero(drawn.any(axis=(0, 2)))
    wanted = comparison.people[SINGLE].xy[0, :, 0]
    assert [xs.min(), xs.max()] == pytest.approx([wanted.min(), wanted.max()], abs=12)


def test_the_dataset_to_annotate_has_who_is_found_at_the_thresholds_of_the_page() -> None:
    dataset = json.loads(downloads._coco_dataset(compared(), SEVERAL))
    assert [a["score"] for a in dataset["annotations"]] == [0.95, 0.9]
    assert dataset["images"][0]["id"] == 785
    settings = replace(compared().settings, joint_thresholds={SEVERAL: 0.95})
    none = replace(compared(), settings=settings)
    assert json.loads(downloads._coco_dataset(none, SEVERAL))["annotations"] == []
