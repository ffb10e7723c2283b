"""Windows around people by hand: enlarged by a quarter, inside the picture, never empty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from accuracy_sets import COCO_17, STANDING, K, at, images, person

from estimators.analysis.accuracy.invented import cut_crops
from estimators.analysis.accuracy.protocol import Window, box_of, depth_in, window_around
from estimators.annotated import AnnotatedImage, Box


@pytest.mark.parametrize(
    ("box", "window"),
    [
        ((100, 200, 140, 300), (95, 187, 145, 313)),  # 40 × 100 become 50 × 125
        ((2, 3, 638, 478), (0, 0, 640, 480)),
        ((700, 10, 720, 20), (639, 8, 640, 22)),  # beside the picture
        ((-50, 10, -40, 20), (0, 8, 1, 22)),
        ((10, 600, 20, 700), (8, 479, 22, 480)),
    ],
)
def test_a_window_is_the_box_enlarged_by_a_quarter(box: Box, window: Window) -> None:
    assert window_around(box, (640, 480)) == window


def test_the_box_of_whoever_has_none_is_around_their_joints() -> None:
    joints = ("nose", "left_hip", "right_hip")
    assert box_of(person(at(100), joints)) == (135, 100, 165, 240)
    assert box_of(person(at(100), joints, box_xyxy=(1.0, 2.0, 3.0, 4.0))) == (1, 2, 3, 4)


def test_depth_is_the_distance_from_the_nearest_edge() -> None:
    xy = np.array([[[15, 100], [60, 210]], [[10, 50], [5, 300]], [[np.nan, 50], [109, 30]]])
    depth = depth_in((10, 20, 110, 220), xy)
    np.testing.assert_array_equal(depth, [[5, 10], [0, -80], [np.nan, 1]])


def thin(width: float) -> list[AnnotatedImage]:
    """Twelve people whose boxes are so wide."""
    xy = STANDING * (width / 60, 1) + (100 - 20 * width / 60, 100)
    left, top, right, bottom = xy[:, 0].min(), xy[:, 1].min(), xy[:, 0].max(), xy[:, 1].max()
    return images(*[[person(xy, box_xyxy=(left, top, right, bottom))]] * 12)


def test_crops_are_24_pixels_wide_at_least() -> None:
    widths = [c.window[2] - c.window[0] for c in cut_crops(thin(18))]
    assert widths
    assert set(widths) == {24}
    assert cut_crops(thin(17)) == ()


def test_crops_take_people_with_six_labelled_joints_of_pictures_with_any_number() -> None:
    six = COCO_17.joints[5:11]
    groups = [replace(i, image_id=-3) for i in images([person(at(100), six)])]
    (crop,) = cut_crops(groups)
    assert (crop.image.image_id, int(crop.person.labelled.sum())) == (-3, 6)
    assert cut_crops(images([person(at(100), six[:5])])) == ()


def test_each_person_of_a_picture_is_cut_by_chance_of_their_own() -> None:
    crops = cut_crops(images([person(at(100)) for _ in range(8)]))
    assert len({crop.window for crop in crops}) > 4
    assert all(len(crop.inside) == K for crop in crops)


@pytest.mark.parametrize("left", [0.0, 0.5])
def test_joints_on_the_edge_of_the_picture_are_seen(left: float) -> None:
    """Of six two lie outside: four are few enough that each counts."""
    xy = np.zeros((K, 2))
    xy[:6] = [(left, 50), (40, 60), (60, 120), (80, 200), (-30, 80), (-20, 150)]
    somebody = person(xy, COCO_17.joints[:6], box_xyxy=(-30, 50, 80, 200))
    crops = cut_crops(images(*[[somebody]] * 20))
    assert crops
    assert {int(c.inside.sum()) for c in crops} == {3}
