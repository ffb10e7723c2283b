"""AP as `pycocotools` says, PCK worked out by hand, intervals and what they let one say."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accuracy_sets import (
    AREA,
    K,
    at,
    coco_dataset,
    images,
    joint,
    person,
    pycocotools_stats,
    random_results,
    random_set,
    read_coco,
    result,
)

from estimators.analysis.accuracy.bootstrap import (
    Difference,
    figure,
    interval,
    median,
    once,
    picture_draws,
    share,
)
from estimators.analysis.accuracy.coco_ap import STATS, matches, paired_people, stats
from estimators.analysis.accuracy.headline import (
    METRICS,
    PCK,
    PCKH,
    Headline,
    differences,
    headline,
    in_words,
)
from estimators.analysis.accuracy.nearness import BODY, Nearness, joint_accuracy, nearness
from estimators.analysis.accuracy.tables import Predictions, Truth
from estimators.annotated import AnnotatedImage, AnnotatedPerson
from estimators.skeletons import COCO_17


def measured(pictures: list[AnnotatedImage], results: list[dict[str, Any]]) -> Headline:
    truth = Truth.of(pictures)
    predictions = Predictions.of(results, truth)
    near = nearness(truth, predictions)
    draws = picture_draws(len(pictures), 100)
    return headline(truth, matches(truth, predictions), near, draws)


def untied(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**r, "score": r["score"] + number / 1000} for number, r in enumerate(results)]


def own_stats(pictures: list[AnnotatedImage], results: list[dict[str, Any]]) -> np.ndarray:
    truth = Truth.of(pictures)
    kept = matches(truth, Predictions.of(results, truth))
    return stats(kept, np.ones((1, len(pictures)), np.int64))[0]


@pytest.mark.parametrize("seed", range(4))
def test_ap_is_exactly_that_of_pycocotools(seed: int) -> None:
    pictures = random_set(seed)
    results = random_results(pictures, seed + 10)
    expected = pycocotools_stats(coco_dataset(pictures), results)
    np.testing.assert_allclose(own_stats(pictures, results), expected, atol=1e-9)
    assert 0.05 < expected[0] < 0.95


def test_ap_is_that_of_pycocotools_on_annotated_pictures(shared: Path) -> None:
    pictures = read_coco(shared / "data" / "coco20" / "person_keypoints.json")
    results = random_results(pictures, 3)
    expected = pycocotools_stats(coco_dataset(pictures), results)
    np.testing.assert_allclose(own_stats(pictures, results), expected, atol=1e-9)


TURNED = [[0.0, 1.0, 0.0], [-1.0, 0.0, 640.0]]  # as stored, before EXIF turns it
COUNTED = {"twice": [[2, 0, 0], [0, 2, 0]], "small": [[0.5, 0, 0], [0, 0.5, 0]], "turned": TURNED}


@pytest.mark.parametrize("pixels", COUNTED)
def test_ap_is_that_of_pycocotools_in_the_pixels_that_the_file_counts_in(pixels: str) -> None:
    """Who is medium is told by the file's areas, who is near an unlabelled person by its box."""
    matrix = np.array(COUNTED[pixels], np.float64)
    pictures = random_set(7)
    hidden = person(at(200), (), area=4000.0, box_xyxy=(200, 100, 260, 385))
    pictures = [replace(image, people=(*image.people, hidden)) for image in pictures]
    results = random_results(pictures, 8) + [result(i.image_id, at(261), 0.6) for i in pictures]

    def mapped(xy: np.ndarray) -> np.ndarray:
        there = np.column_stack([xy, np.ones(len(xy))]) @ matrix.T
        return np.where(np.isfinite(xy), there, np.nan)

    def counted(p: AnnotatedPerson) -> AnnotatedPerson:
        (left, top, right, bottom), area = p.box_xyxy, p.area * abs(np.linalg.det(matrix[:, :2]))
        corners = mapped(np.array([[left, top], [right, bottom]]))
        box = (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
        return replace(p, xy=mapped(p.xy), area=area, box_xyxy=box)

    def told(r: dict[str, Any]) -> dict[str, Any]:
        x, y, v = np.reshape(r["keypoints"], (17, 3)).T
        there = mapped(np.column_stack([x, y]) + 0.5) - 0.5
        return {**r, "keypoints": np.column_stack([there * v[:, None], v]).ravel().tolist()}

    file = [replace(i, people=tuple(map(counted, i.people))) for i in pictures]
    expected = pycocotools_stats(coco_dataset(file), list(map(told, results)))
    own = own_stats([replace(i, to_annotated=matrix) for i in pictures], results)
    np.testing.assert_allclose(own, expected, atol=1e-9)
    assert 0.05 < expected[0] < 0.95
    assert not np.allclose(own, own_stats(pictures, results), atol=1e-9)


def test_a_draw_is_what_pycocotools_says_of_the_pictures_drawn() -> None:
    pictures = random_set(5)
    # Without ties: in which order people of one score come is anybody's choice.
    results = untied(random_results(pictures, 6))
    truth = Truth.of(pictures)
    draws = picture_draws(len(pictures), 3)
    own = stats(matches(truth, Predictions.of(results, truth)), draws)
    for row, drawn in zip(own, draws, strict=True):
        copies: list[AnnotatedImage] = []
        answers: list[dict[str, Any]] = []
        for image, times in zip(pictures, drawn, strict=True):
            for _ in range(times):
                number = len(copies) + 1
                copies.append(replace(image, image_id=number))
                mine = [r for r in results if r["image_id"] == image.image_id]
                answers += [{**r, "image_id": number} for r in mine]
        expected = pycocotools_stats(coco_dataset(copies), answers)
        np.testing.assert_allclose(row, expected, atol=1e-9)


def test_at_most_twenty_people_a_picture_count() -> None:
    pictures = images([person(at(100))])
    results = [result(1, at(300 + i), 0.9) for i in range(20)]
    late = [*results, result(1, at(100), 0.1)]
    assert own_stats(pictures, late)[0] == 0.0
    early = [*results, result(1, at(100), 1.0)]
    assert own_stats(pictures, early)[0] == pytest.approx(1)
    twentieth = [*results[:19], result(1, at(100), 0.1)]
    assert own_stats(pictures, twentieth)[0] == pytest.approx(1 / 20)


def test_pairs_are_made_by_oks_and_an_ignored_person_is_not_nobody() -> None:
    crowd = person(at(400), (), iscrowd=True, box_xyxy=(400, 100, 500, 400))
    pictures = images([person(at(100)), person(at(250)), crowd])
    truth = Truth.of(pictures)
    results = [result(1, at(402), 0.9), result(1, at(101), 0.8), result(1, at(-400, -400), 0.7)]
    results.append(result(1, at(110), 0.6))
    found, nobody, again = paired_people(truth, Predictions.of(results, truth), 0.1)
    assert found.tolist() == [1, -1]
    assert nobody.tolist() == [False, False, True, True]
    assert again.tolist() == [False, False, False, True]


def test_pck_and_errors_by_hand() -> None:
    """Torso 100 px: 19 px off is right, 21 px is wrong; a missed person's joints are wrong."""
    off = at(100)
    off[joint("left_wrist"), 0] += 19
    off[joint("right_wrist"), 0] += 21
    off[joint("nose"), 0] += 60  # the face is not in PCK
    pictures = images([person(at(100), head_px=80.0)], [person(at(100), head_px=80.0)])
    found = measured(pictures, [result(1, off)])
    assert found.values[PCK] == pytest.approx(11 / 24)
    assert found.values[PCKH] == pytest.approx(12 / 24)  # half a head is 40 px
    assert found.counts[PCK] == 24
    assert {len(draws) for draws in found.draws.values()} == {100}
    assert found.values["mean_error"] == pytest.approx((0.19 + 0.21 + 0.6) / 17, abs=1e-6)
    assert found.values["median_error"] == pytest.approx(0, abs=1e-6)
    sigma = 0.062
    ks = [math.exp(-(d**2) / (2 * AREA * (2 * sigma) ** 2)) for d in (19, 21)]
    ks.append(math.exp(-(60**2) / (2 * AREA * 0.052**2)))
    assert found.values["mean_KS"] == pytest.approx((14 + sum(ks)) / 34, abs=1e-6)


@pytest.mark.parametrize(("head", "expected"), [(43.0, 12), (41.0, 11), (math.nan, math.nan)])
def test_pckh_takes_half_the_head_and_is_not_told_without_one(head: float, expected: float) -> None:
    off = at(100)
    off[joint("right_wrist"), 0] += 21
    value = measured(images([person(at(100), head_px=head)]), [result(1, off)]).values[PCKH]
    assert value == pytest.approx(expected / 12, nan_ok=True)


def near_to(pictures: list[AnnotatedImage], results: list[dict[str, Any]]) -> Nearness:
    truth = Truth.of(pictures)
    return nearness(truth, Predictions.of(results, truth))


def test_who_is_whom_is_decided_within_a_torso_by_the_body() -> None:
    pictures = images([person(at(100))])
    for dx, found in ((95, 0), (105, -1)):
        beheaded = at(100 + dx)
        beheaded[~BODY] += (500, 0)
        assert near_to(pictures, [result(1, beheaded)]).found.tolist() == [found], dx
    # A face alone is found by its own joints, if nobody with a body wants the same prediction.
    face = person(at(102), ("nose", "left_eye", "right_eye"))
    only = [result(1, at(102))]
    assert near_to(images([face]), only).found.tolist() == [0]
    assert near_to(images([face, person(at(100))]), only).found.tolist() == [-1, 0]


def test_the_torso_is_measured_by_the_body_alone() -> None:
    """Shoulders 50 px apart make it 55.6 px; the nose far away would make the person larger."""
    labels = ("nose", "left_shoulder", "right_shoulder")
    high = at(100)
    high[joint("nose"), 1] -= 900
    off = high.copy()
    off[joint("left_shoulder"), 0] += 10
    near = near_to(images([person(high, labels)]), [result(1, off)])
    assert near.error[0, joint("left_shoulder")] == pytest.approx(10 / (50 * 0.288 / 0.259))


def test_joints_one_by_one() -> None:
    off = at(100)
    off[joint("left_knee"), 0] += 30
    off[joint("left_ankle")] = np.nan
    pictures = images([person(at(100))], [person(at(100), ("left_knee", "left_hip", "nose"))])
    truth = Truth.of(pictures)
    near = nearness(truth, Predictions.of([result(1, off), result(2, at(100))], truth))
    rows = {row.joint: row for row in joint_accuracy(truth, near)}
    knee, ankle, nose = rows["left_knee"], rows["left_ankle"], rows["nose"]
    assert (knee.labelled, knee.found, knee.pck) == (2, 2, 0.5)
    assert (knee.mean_error, knee.median_error) == (pytest.approx(0.15), pytest.approx(0.15))
    ks = math.exp(-(30**2) / (2 * AREA * (2 * 0.087) ** 2))
    assert knee.mean_similarity == pytest.approx((1 + ks) / 2)
    assert (ankle.labelled, ankle.found, ankle.pck, ankle.mean_similarity) == (1, 0, 0.0, 0.0)
    assert math.isnan(ankle.mean_error)
    assert (nose.labelled, nose.found) == (2, 2)
    assert math.isnan(nose.pck)


def test_pck_is_the_same_without_the_face_and_with_other_areas() -> None:
    """As in an MPII or YOLO-pose copy of the same pictures."""
    pictures = random_set(2)
    results = random_results(pictures, 7)
    body = tuple(j for j, is_body in zip(COCO_17.joints, BODY, strict=True) if is_body)
    assert len(body) == 12

    def copied(image: AnnotatedImage) -> AnnotatedImage:
        people = tuple(
            replace(p, visibility=np.where(BODY, p.visibility, 0), area=3 * p.area)
            for p in image.people
        )
        return replace(image, people=people)

    one, other = (measured(p, results) for p in (pictures, [copied(i) for i in pictures]))
    assert one.values[PCK] == pytest.approx(other.values[PCK], abs=1e-12)
    assert 0.1 < one.values[PCK] < 0.9


def test_nobody_no_truth_one_joint_and_nan() -> None:
    nobody = measured(images([person(at(100))], []), [])
    assert [nobody.values[m] for m in ("AP", "AR", PCK)] == [0, 0, 0]
    assert math.isnan(nobody.values["median_error"])
    empty = measured(images([], []), [result(1, at(100))])
    assert all(math.isnan(empty.values[m]) for m in METRICS)
    alone = measured(images([person(at(100), ("nose",))]), [result(1, at(100))])
    assert alone.values["AP"] == pytest.approx(1)
    assert math.isnan(alone.values[PCK])
    assert all(math.isnan(f.low) for f in alone.figures().values())
    bad = {**result(1, at(100))}
    bad["keypoints"] = [*bad["keypoints"][:-3], math.nan, math.nan, 1]
    spoilt = measured(images([person(at(100))]), [bad])
    assert spoilt.values[PCK] == pytest.approx(11 / 12)
    with pytest.raises(ValueError, match="no score"):
        measured(images([person(at(100))]), [result(1, at(100), math.nan)])
    with pytest.raises(ValueError, match="no picture 9"):
        measured(images([person(at(100))]), [result(9, at(100))])


@pytest.mark.parametrize("area", [0.0, math.nan])
def test_whoever_has_no_size_is_not_judged_and_costs_nothing(area: float) -> None:
    """As of one labelled joint without a box."""
    sizeless = person(at(300), ("nose",), area=area)
    results = [result(1, at(100)), result(1, at(300), 2.0)]
    found = measured(images([person(at(100)), sizeless]), results)
    assert found.counts["AP"] == 1
    assert found.values["AP"] == pytest.approx(1)
    assert found.values[PCK] == 1
    # Only one prediction may be them, and it is not the one of somebody who is judged.
    others = measured(images([person(at(100)), sizeless]), [*results, result(1, at(400), 3.0)])
    assert others.values["AP"] == pytest.approx(0.5)


def test_intervals_are_the_middle_of_seeded_draws() -> None:
    draws = picture_draws(20)
    assert draws.shape == (1000, 20)
    assert (draws.sum(axis=1) == 20).all()
    np.testing.assert_array_equal(draws, picture_draws(20))
    # The mean of 20 numbers has a standard error that is known.
    values = np.random.default_rng(0).normal(0, 1, 20)
    low, high = interval(draws @ values / 20, 20)
    error = values.std() / math.sqrt(20)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)
    assert interval(np.arange(1001.0), 6) == (25, 975)
    assert np.isnan(interval(np.arange(1001.0), 5)).all()
    assert not figure(math.nan, np.ones(9), 9, 0).known


def test_the_median_of_a_draw_counts_pictures_as_often_as_drawn() -> None:
    values, picture = np.array([5.0, 1.0, 3.0, np.nan]), np.array([0, 1, 1, 2])
    weights = np.array([[1, 1, 1], [3, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 2]])
    drawn = median(values, picture, weights)
    expected = [np.median(v) for v in ([5, 1, 3], [5, 5, 5, 1, 3], [1, 3], [5])]
    assert drawn[:4].tolist() == expected
    assert math.isnan(drawn[4])


def many(off: float, seed: int, pictures: int = 12) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        result(i, at(100) + rng.normal(0, off, (K, 2)), 1 - i / 100) for i in range(1, pictures + 1)
    ]


TITLES = {"a": "Thunder", "b": "Lightning"}


def compared(results: dict[str, list[dict[str, Any]]], pictures: int = 12, by: str = "AP") -> str:
    truth = images(*[[person(at(100))]] * pictures)
    heads = {name: measured(truth, answers) for name, answers in results.items()}
    (difference,) = differences(heads, by)
    return in_words(difference, TITLES)


def test_a_difference_is_told_with_its_interval_or_not_at_all() -> None:
    good, bad = many(6, 0), many(14, 1)
    said = compared({"b": bad, "a": good})
    assert said.startswith("Thunder is 0.")
    assert said.endswith(" better than Lightning on your pictures.")
    assert " to 0." in said
    for by in (PCK, "mean_error"):
        said = compared({"b": bad, "a": good}, by=by)
        assert said.startswith("Thunder is 0.")
        assert said.endswith(f"on your pictures by {by}.")
    alike = compared({"b": many(10, 2), "a": many(10, 3)})
    assert alike.startswith("Too few pictures to tell ")
    same = compared({"b": good, "a": good})
    assert same == (
        "Lightning and Thunder are equally good on your pictures: they differ by "
        "0.00 (0.00 to 0.00)."
    )
    few = compared({"b": many(14, 1, 5), "a": many(6, 0, 5)}, 5)
    assert few == (
        "Too few pictures to tell Thunder from Lightning: it takes 6 pictures with people."
    )


def test_differences_are_paired() -> None:
    """Two models that fail on the same pictures differ surely though each alone varies widely."""
    rng = np.random.default_rng(4)
    hard = rng.random(30) < 0.5
    truth = images(*[[person(at(100))]] * 30)
    answers: dict[str, list[dict[str, Any]]] = {"a": [], "b": []}
    for i, is_hard in enumerate(hard, 1):
        for name, extra in (("a", 0.0), ("b", 6.0)):
            moved = at(100 + (60.0 if is_hard else 8.0) + extra)
            answers[name].append(result(i, moved, 0.5 + i / 100))
    heads = {name: measured(truth, found) for name, found in answers.items()}
    (gap,) = differences(heads, "mean_KS")
    a, b = (heads[m].figures()["mean_KS"] for m in "ab")
    assert gap.better == "a"
    assert gap.sure
    assert a.low < b.high  # the intervals of the two alone overlap


def test_every_number_has_an_interval_around_it_and_a_count() -> None:
    pictures = random_set(3)
    figures = measured(pictures, random_results(pictures, 3)).figures()
    assert set(figures) == set(METRICS)
    people = sum(p.judged for i in pictures for p in i.people)
    assert figures["AP"].count == people
    assert figures["APm"].count + figures["APl"].count < people
    for name in ("AP", "AR", PCK, "mean_KS", "mean_error", "median_error"):
        f = figures[name]
        assert f.low < f.value < f.high, name
    assert math.isnan(figures[PCKH].value)
    assert math.isnan(figures[PCKH].low)
    assert set(STATS) < set(METRICS)


def test_of_two_within_a_torso_the_nearer_one_is_the_person() -> None:
    for near, far in ((20, 60), (-10, 30)):
        results = [result(1, at(100 + far)), result(1, at(100 + near))]
        assert near_to(images([person(at(100))]), results).found.tolist() == [1]


def told(metric: str, value: float, low: float, high: float) -> str:
    return in_words(Difference(metric, "a", "b", value, low, high, True), TITLES)


def test_how_a_difference_is_put_into_words() -> None:
    """Two decimals, three where the lower end is so small that two would hide it."""
    both = "Thunder and Lightning"
    ours = "on your pictures"
    assert told("AP", 0.123, 0.05, 0.2) == (
        f"Thunder is 0.12 (0.05 to 0.20) better than Lightning {ours}."
    )
    assert told(PCK, 0.0123, 0.0012, 0.0234) == (
        f"Thunder is 0.012 (0.001 to 0.023) better than Lightning {ours} by PCK@0.2."
    )
    assert "0.13 (0.01 to 0.25)" in told("AP", 0.13, 0.005, 0.25)
    assert told("AP", 0.001, -0.004, 0.0049) == (
        f"{both} are equally good {ours}: they differ by 0.00 (0.00 to 0.00)."
    )
    apart = f"Too few pictures to tell {both} apart"
    assert told("AP", 0.0, -0.004, 0.006) == f"{apart}: they differ by 0.00 (0.00 to 0.01)."
    assert (
        told(PCK, 0.1, -0.006, 0.2) == f"{apart} by PCK@0.2: they differ by 0.10 (-0.01 to 0.20)."
    )
    assert told("AP", 0.1, 0.0, 0.2) == f"{apart}: they differ by 0.10 (0.00 to 0.20)."
    assert told("AP", 0.1, math.nan, math.nan) == (
        "Too few pictures to tell Thunder from Lightning: it takes 6 pictures with people."
    )


def figures_of(ap: float, error: float, pictures: int = 6) -> Headline:
    """Of 1001 draws whose AP rises from 0 to twice the value, and whose error is what it is."""
    draws = {"AP": np.linspace(0, 2 * ap, 1001), "mean_error": np.full(1001, error)}
    return Headline({"AP": ap, "mean_error": error}, draws, {}, pictures)


def test_the_better_model_stands_first_in_a_difference() -> None:
    models = {"x": figures_of(math.nan, 0.5), "a": figures_of(0.2, 0.25), "b": figures_of(0.6, 0.5)}
    (by_ap,) = differences(models)  # nothing is told of "x"
    assert (by_ap.better, by_ap.other, by_ap.higher_is_better) == ("b", "a", True)
    assert (by_ap.value, by_ap.low, by_ap.high) == pytest.approx((0.4, 0.02, 0.78))
    of_errors = differences(models, "mean_error")
    assert [(d.better, d.other, d.higher_is_better) for d in of_errors] == [
        ("a", "x", False),
        ("x", "b", False),
        ("a", "b", False),
    ]
    assert (of_errors[0].value, of_errors[0].low) == (0.25, 0.25)
    assert of_errors[1].value == 0
    few = {"a": figures_of(0.2, 0.5, 6), "b": figures_of(0.6, 0.5, 5)}
    assert [math.isnan(d.low) for d in differences(few)] == [True]


def test_a_share_over_draws_is_of_what_was_drawn() -> None:
    top, bottom = np.array([1.0, 3.0, 0.0]), np.array([4.0, 4.0, 0.0])
    weights = np.array([[1, 1, 1], [2, 0, 1], [0, 0, 3]])
    np.testing.assert_array_equal(share(top, bottom, weights), [0.5, 0.25, np.nan])
    assert share(top, bottom, once(3)).tolist() == [0.5]
    assert share(top, bottom / 16, once(3)).tolist() == [8.0]  # over less than one
    assert picture_draws(0, 4).shape == (4, 0)
    assert picture_draws(3, 1)[0].sum() == 3
    assert np.isnan(median(np.array([np.nan]), np.array([0]), np.ones((2, 1), np.int64))).all()
