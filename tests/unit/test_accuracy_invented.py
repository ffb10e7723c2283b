"""Crops that cut through people, and what a model says about the part they do not show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from accuracy_sets import AREA, K, at, images, joint, person, random_set

from estimators.analysis.accuracy.invented import (
    CUT_SHARES,
    FEWEST_INSIDE,
    FEWEST_LABELLED,
    SMALLEST_SIDE_PX,
    CutCrop,
    cut_crops,
    ex_oks_distance,
    invented_joints,
)
from estimators.analysis.accuracy.protocol import window_around
from estimators.analysis.matching import COCO_SIGMAS
from estimators.skeletons import BLAZEPOSE_33, COCO_17
from estimators.types import PoseSet

# Of somebody at (100, 100): all above the knees.
WINDOW = (60, 60, 220, 300)
LEGS = np.array(["knee" in name or "ankle" in name for name in COCO_17.joints])


def crop(number: int = 0) -> CutCrop:
    image = images(*[[person(at(100))]] * (number + 1))[number]
    return CutCrop(image, image.people[0], WINDOW)


def answer(xy: np.ndarray, score: float = 1.0) -> PoseSet:
    return PoseSet(COCO_17, xy[None].astype(np.float32), np.full((1, K), score, np.float32))


def ks(name: str, distance: float) -> float:
    sigma = float(COCO_SIGMAS[joint(name)])
    return math.exp(-(distance**2) / (2 * AREA * (2 * sigma) ** 2))


def test_which_joints_a_crop_shows() -> None:
    assert crop().outside.tolist() == LEGS.tolist()
    assert crop().inside.tolist() == (~LEGS).tolist()


def test_joints_drawn_in_at_the_edge_are_invented() -> None:
    """Both knees 20 px over the lower edge, both ankles 30 px over it; the rest in its place."""
    xy = at(100)
    xy[[joint("left_knee"), joint("right_knee")], 1] = 280
    xy[[joint("left_ankle"), joint("right_ankle")], 1] = 270
    found = invented_joints([crop()], [answer(xy)], 0.5)
    assert (found.crops, found.joints) == (1, 4)
    assert (found.invented.value, found.guessed.value, found.left_out.value) == (1, 0, 0)
    assert found.invented_depth == pytest.approx(0.25)  # of 100 px of torso
    assert math.isnan(found.guessed_error)
    expected = (13 + 2 * ks("left_knee", 20) + 2 * ks("left_ankle", 30)) / 17
    assert found.ex_oks.value == pytest.approx(expected, abs=1e-5)
    assert found.oks.value == pytest.approx(1, abs=1e-6)


def test_joints_guessed_outside_and_left_out() -> None:
    xy = at(100)
    xy[joint("left_knee"), 0] += 40
    xy[joint("left_ankle")] = np.nan
    found = invented_joints([crop()], [answer(xy)], 0.5)
    assert (found.invented.value, found.guessed.value, found.left_out.value) == (0, 0.75, 0.25)
    assert found.guessed_error == pytest.approx(0)  # median of 0, 0 and 0.4
    assert found.ex_oks.value == pytest.approx(1, abs=1e-6)


def test_a_threshold_hides_what_is_invented_and_costs_what_is_there() -> None:
    xy = at(100)
    xy[LEGS] = at(100)[LEGS] - (0, 100)
    poses = answer(xy, 0.4)
    assert invented_joints([crop()], [poses], 0.4).invented.value == 1
    hidden = invented_joints([crop()], [poses], 0.41)
    assert hidden.left_out.value == 1
    assert hidden.oks.value == 0
    nobody = invented_joints([crop()], [PoseSet.empty(COCO_17)], 0.4)
    assert str(nobody) == str(hidden)
    # Ex-OKS then measures every joint inside from the edge.
    deep = {name: min(*(xy_ - 60), *(np.array([220, 300]) - xy_)) for name, xy_ in _inside()}
    expected = (4 + sum(ks(name, d) for name, d in deep.items())) / 17
    assert hidden.ex_oks.value == pytest.approx(expected, abs=1e-9)


def _inside() -> list[tuple[str, np.ndarray]]:
    return [(n, at(100)[k]) for k, n in enumerate(COCO_17.joints) if not LEGS[k]]


def test_ex_oks_distances_case_by_case() -> None:
    xy = at(100)
    xy[joint("nose"), 0] += 7  # both in
    xy[joint("left_hip"), 1] = 320  # truth in, prediction out: truth to the edge
    xy[joint("left_knee"), 1] = 290  # truth out, prediction in: prediction to the edge
    distance = ex_oks_distance(crop(), xy)
    expected = {"nose": 7, "left_hip": 220 - 165, "left_knee": 10, "right_knee": 0}
    for name, value in expected.items():
        assert distance[joint(name)] == pytest.approx(value), name


def test_other_skeletons_are_mapped_by_name() -> None:
    xy = np.full((1, len(BLAZEPOSE_33), 2), 100.0)
    for k, name in enumerate(COCO_17.joints):
        xy[0, BLAZEPOSE_33.index(name)] = at(100)[k]
    poses = PoseSet(BLAZEPOSE_33, xy, np.ones(xy.shape[:2]))
    found = invented_joints([crop()], [poses], 0.5)
    assert (found.guessed.value, found.oks.value) == (1, pytest.approx(1))


def test_figures_have_intervals_over_pictures() -> None:
    rng = np.random.default_rng(0)
    crops, answers = [], []
    for i in range(12):
        xy = at(100)
        xy[LEGS & (rng.random(K) < 0.5), 1] = 280
        crops.append(crop(i))
        answers.append(answer(xy))
    found = invented_joints(crops, answers, 0.5)
    assert found.invented.low < found.invented.value < found.invented.high
    assert found.invented.count == found.joints == 48
    assert found.ex_oks.count == 12
    none = invented_joints([], [], 0.5)
    assert (none.crops, none.joints) == (0, 0)
    assert math.isnan(none.invented.value)


def test_crops_cut_off_some_joints_and_leave_enough() -> None:
    crops = cut_crops(random_set(3, 60))
    assert len(crops) > 20
    sides = set()
    for one in crops:
        left, top, right, bottom = one.window
        assert min(right - left, bottom - top) >= SMALLEST_SIDE_PX == 24
        assert one.person.judged
        assert one.person.labelled.sum() >= FEWEST_LABELLED == 6
        assert one.inside.sum() >= FEWEST_INSIDE == 3
        assert one.outside.any()
        box = one.person.box_xyxy
        assert box is not None
        whole = window_around(box, (one.image.width, one.image.height))
        changed = [i for i in range(4) if one.window[i] != whole[i]]
        assert len(changed) == 1
        sides.add(changed[0])
        share = one.outside.sum() / one.person.labelled.sum()
        assert share <= CUT_SHARES[1] + 0.1
    assert sides == {0, 1, 2, 3}
    shares = [c.outside.sum() / c.person.labelled.sum() for c in crops]
    assert 0.3 < float(np.mean(shares)) < 0.5


def test_crops_are_the_same_whatever_the_order_and_the_other_pictures() -> None:
    pictures = random_set(4, 20)
    crops = cut_crops(pictures)
    assert [c.window for c in cut_crops(pictures[::-1])] == [c.window for c in crops]
    half = cut_crops(pictures[:10])
    assert [c.window for c in half] == [c.window for c in crops if c.image in pictures[:10]]
    assert [c.window for c in cut_crops(pictures, seed=1)] != [c.window for c in crops]
    few = cut_crops(pictures, most=3)
    assert len(few) == 3
    assert {id(c.person) for c in few} < {id(c.person) for c in crops}
    assert len({id(c.person) for c in cut_crops(random_set(0, 300))}) == 200
    assert cut_crops(images([person(at(100), ("nose", "left_eye"))])) == ()
    # All joints in one place: no cut.
    assert cut_crops(images([person(np.full((K, 2), 100.0))])) == ()


def test_a_joint_on_the_very_edge_of_the_crop_is_in_it() -> None:
    xy = at(100)
    xy[[joint("left_knee"), joint("right_knee")], 1] = (299.5, 300.0)
    xy[[joint("left_ankle"), joint("right_ankle")], 1] = 300.5
    found = invented_joints([crop()], [answer(xy)], 0.5)
    assert (found.joints, found.invented.value, found.guessed.value) == (4, 0.5, 0.5)
