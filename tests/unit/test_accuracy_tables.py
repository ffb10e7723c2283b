"""Annotated and predicted people as arrays, by hand: who is judged, and what is known of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from accuracy_sets import AREA, K, at, images, joint, person, result

from estimators.analysis.accuracy.tables import Predictions, Truth, of_found


def test_who_is_judged_has_an_area_and_labels_and_is_no_crowd() -> None:
    areas = [0.5, 0.0, math.nan, math.inf, AREA]
    sized = [person(at(100), area=area) for area in areas]
    others = [person(at(100), ()), person(at(100), iscrowd=True)]
    truth = Truth.of(images([], [*others, *sized]))
    assert (len(truth), truth.picture.tolist(), truth.person.tolist()) == (2, [1, 1], [2, 6])
    assert truth.area.tolist() == [0.5, AREA]
    assert truth.annotation.tolist() == [3, 7]
    assert [entry["num_keypoints"] for entry in truth.entries] == [0, 17, 17, 0, 0, 0, 17]
    assert [entry["iscrowd"] for entry in truth.entries] == [0, 1, 0, 0, 0, 0, 0]


def test_an_annotation_is_written_as_coco_does() -> None:
    """Pixel indices, the box by its size; without a box the one around the labelled joints."""
    somebody = person(at(100), ("nose", "left_hip"), box_xyxy=(10.0, 20.0, 110.0, 220.0))
    boxless = person(at(100), ("nose", "left_hip", "right_hip"), flag=1)
    first, second = Truth.of(images([somebody, boxless])).entries
    assert (first["id"], second["id"], first["image_id"], first["area"]) == (1, 2, 0, AREA)
    assert first["bbox"] == [10, 20, 100, 200]
    assert second["bbox"] == [135, 100, 30, 140]
    points = np.reshape(first["keypoints"], (K, 3))
    assert points[joint("nose")].tolist() == [149.5, 99.5, 2]
    assert points[joint("left_eye")].tolist() == [0, 0, 0]
    assert np.reshape(second["keypoints"], (K, 3))[joint("nose")].tolist() == [149.5, 99.5, 1]


def test_pictures_come_in_the_order_of_their_ids_of_which_each_is_there_once() -> None:
    a, b = images([person(at(100))], [person(at(200))])
    truth = Truth.of([b, a])
    assert [picture.image_id for picture in truth.pictures] == [1, 2]
    assert truth.xy[:, joint("nose"), 0].tolist() == [150, 250]
    with pytest.raises(ValueError, match="same id"):
        Truth.of([a, b, a])


def test_sums_over_the_people_of_each_picture() -> None:
    truth = Truth.of(images([person(at(100)), person(at(200))], [], [person(at(100))]))
    assert truth.a_picture(np.array([1.0, 2.0, 4.0])).tolist() == [3, 0, 4]
    assert truth.a_picture(truth.labelled).tolist() == [34, 0, 17]


def test_joints_of_a_prediction_without_numbers_are_absent() -> None:
    """At 0, 0, 0 or at no number; (0, 0) that is seen is a place."""
    found = result(2, at(100), 0.25, 0.5)
    points = np.reshape(found["keypoints"], (K, 3))
    points[0], points[1], points[2] = (0, 0, 0), (np.nan, 7, 1), (0, 0, 1)
    found["keypoints"] = points.ravel().tolist()
    scoreless = {k: v for k, v in result(1, at(300)).items() if k != "keypoint_scores"}
    people = Predictions.of([found, scoreless], Truth.of(images([], [])))
    assert people.picture.tolist() == [1, 0]
    assert people.score.tolist() == [0.25, 1.0]
    assert people.positioned[0].tolist() == [False, False, *[True] * 15]
    assert people.xy[0, 2].tolist() == [0.5, 0.5]
    assert people.xy[0, 3].tolist() == at(100)[3].tolist()
    assert people.keypoints[0, :9].tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert (people.joint_score[0] == 0.5).all()
    assert np.isnan(people.joint_score[1]).all()
    second = people.select(np.array([False, True]))
    assert (len(second), second.picture.tolist(), second.xy[0, 0, 0]) == (1, [0], 350)


def test_results_that_cannot_be_used_are_refused() -> None:
    truth = Truth.of(images([]))
    with pytest.raises(ValueError, match="the set has no picture 7"):
        Predictions.of([result(9, at(100)), result(7, at(100)), result(1, at(100))], truth)
    with pytest.raises(ValueError, match="no score"):
        Predictions.of([result(1, at(100)), result(1, at(100), math.nan)], truth)


def test_what_belongs_to_whoever_is_found() -> None:
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    of_people = of_found(values, np.array([1, -1, 0]))
    np.testing.assert_array_equal(of_people, [[3, 4], [np.nan, np.nan], [1, 2]])
    assert np.isnan(of_found(values[:0], np.array([-1]))).all()
