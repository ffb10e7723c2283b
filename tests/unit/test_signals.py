"""What quality is guessed from: every signal of a person and of a picture, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.analysis.matching import oks_of
from estimators.analysis.plausibility import exchanged
from estimators.analysis.signals import (
    PERSON_SIGNALS,
    PICTURE_SIGNALS,
    borne_out,
    picture_signals,
)
from estimators.skeletons import COCO_17
from estimators.types import PoseSet

LIGHTNING, THUNDER, MULTI = "movenet-lightning", "movenet-thunder", "movenet-multipose"
FULL, LITE, POSENET, RCNN = "blazepose-full", "blazepose-lite", "posenet", "keypointrcnn-fast"
# Around the nose, the torso 80 px long.
_LEFT = [(4, -4), (8, -2), (20, 40), (28, 75), (30, 110), (12, 120), (14, 180), (14, 240)]
UPRIGHT = np.array([(0, 0), *(each for x, y in _LEFT for each in ((x, y), (-x, y)))], float)
FLIP = list(COCO_17.flip_indices)


def person(x: float = 300.0) -> np.ndarray:
    return np.add(UPRIGHT, (x, 100))


def poses(*people: np.ndarray, score: float | np.ndarray = 0.8) -> PoseSet:
    xy = np.array(people, np.float32).reshape(-1, 17, 2)
    return PoseSet(COCO_17, xy, np.broadcast_to(np.float32(score), xy.shape[:2]))


def of_people(people: dict[str, PoseSet], model: str) -> list[dict[str, float]]:
    rows = picture_signals(people, 640).people[model]
    return [dict(zip(PERSON_SIGNALS, row.tolist(), strict=True)) for row in rows]


def of_picture(people: dict[str, PoseSet], model: str) -> dict[str, float]:
    return dict(zip(PICTURE_SIGNALS, picture_signals(people, 640).picture[model], strict=True))


def with_long_shank(xy: np.ndarray) -> np.ndarray:
    """The left one 120 px, 1.5 torsos, where the right one has 60."""
    out = xy.copy()
    out[COCO_17.index("left_ankle")] += (0, 60)
    return out


def test_a_person_whom_one_model_alone_sees() -> None:
    xy = with_long_shank(person())
    xy[:4] = np.nan
    given = poses(xy, score=np.where(np.arange(17) < 4, 0.1, 0.9))
    assert of_people({LIGHTNING: given, FULL: poses()}, LIGHTNING) == [
        pytest.approx(
            {
                "agreement": 0,
                "best_agreement": 0,
                "seen_share": 0,
                "seen_by": 0,
                "visible": 13 / 17,
                "size": np.log(80 / 640 + 0.001),
                "uneven": np.log(2) / 4,
                "long_limbs": 1 / 8,
                "exchanged": 0,
                "score": (4 * 0.1 + 13 * 0.9) / 17,
            },
            rel=1e-5,
        )
    ]


def test_somebody_without_extent_counts_as_a_torso_of_one_pixel() -> None:
    point = np.full((17, 2), np.nan)
    point[:3] = 100
    assert of_people({LIGHTNING: poses(point)}, LIGHTNING)[0]["size"] == pytest.approx(
        np.log(1 / 640 + 0.001)
    )


def test_each_other_family_speaks_by_its_best_variant() -> None:
    """One family agrees, by one of its variants, one less, and one sees nobody."""
    off = person(306)
    oks = float(oks_of(person(), off))
    assert 0.5 < oks < 0.9
    people = {LIGHTNING: poses(person()), FULL: poses(off), LITE: poses(person())}
    people |= {POSENET: poses(off), RCNN: poses(), THUNDER: poses(off)}
    (told,) = of_people(people, LIGHTNING)
    assert told["agreement"] == pytest.approx((1 + oks) / 3, rel=1e-5)
    assert told["best_agreement"] == pytest.approx(1)
    assert told["seen_share"] == pytest.approx(2 / 3)
    assert told["seen_by"] == 1
    assert of_picture(people, LIGHTNING)["agreement"] == pytest.approx((1 + oks) / 3, rel=1e-5)


@pytest.mark.parametrize(("more", "share"), [((), 1.0), ((MULTI,), 0.5)])
def test_a_family_is_asked_about_somebody_where_one_of_it_looks_for_more_than_one_person(
    more: tuple[str, ...], share: float
) -> None:
    both, one = poses(person(), person(500)), poses(person())
    people = {FULL: both, POSENET: both, LIGHTNING: one, THUNDER: one, **dict.fromkeys(more, one)}
    first, second = of_people(people, FULL)
    assert (first["seen_share"], second["seen_share"]) == (1, share)
    assert second["agreement"] == pytest.approx(share)
    assert second["seen_by"] == 0.5


def test_too_few_shared_joints_are_no_agreement() -> None:
    """One model shows the upper half, one the lower half, and both are whom the third shows."""
    upper, lower = person(), person()
    upper[11:], lower[:11] = np.nan, np.nan
    people = {LIGHTNING: poses(upper), FULL: poses(lower), POSENET: poses(person())}
    (told,) = of_people(people, LIGHTNING)
    assert told["seen_share"] == 1
    assert told["agreement"] == pytest.approx(0.5)
    assert of_picture(people, LIGHTNING)["agreement"] == pytest.approx(0.5)


def test_exchanged_sides_are_told_by_whoever_gains_most() -> None:
    turned = person()[FLIP]
    gain = exchanged(turned, person())
    assert gain > 0.15
    right, wrong = poses(person()), poses(turned)
    for others in (
        {FULL: right, LITE: wrong, POSENET: wrong},
        {FULL: wrong, LITE: right, POSENET: wrong},
        {FULL: wrong, POSENET: right},
    ):
        (told,) = of_people({LIGHTNING: wrong, **others}, LIGHTNING)
        assert told["exchanged"] == pytest.approx(gain)
        assert of_picture({LIGHTNING: wrong, **others}, LIGHTNING)["exchanged"] == told["exchanged"]
    assert of_people({LIGHTNING: right, THUNDER: wrong, FULL: right}, LIGHTNING)[0][
        "exchanged"
    ] == pytest.approx(0)


def test_how_many_are_found_is_held_against_the_mean_of_the_other_families() -> None:
    """BlazePose finds three by its better variant, PoseNet one: two in the mean."""
    crowd = [person(x) for x in (100, 300, 500)]
    people = {LIGHTNING: poses(crowd[1]), FULL: poses(*crowd), LITE: poses(*crowd[:2])}
    people[POSENET] = poses(crowd[1])
    told = of_picture(people, LIGHTNING)
    assert (told["found_share"], told["found_more"]) == (0.5, 0)
    assert (told["few"], told["single"]) == (pytest.approx(1 / 3), 0.5)
    # Of the three or two whom a variant sees it shares one, with PoseNet all.
    assert told["agreement"] == pytest.approx((1 / 2 + 1) / 2)
    told = of_picture(people, FULL)
    assert (told["found_share"], told["found_more"]) == (1, pytest.approx(2 / 3))
    assert (told["few"], told["single"]) == (0.5, 0)


def test_signals_of_a_picture_on_which_others_find_nobody() -> None:
    told = of_picture({LIGHTNING: poses(person()), FULL: poses(), POSENET: poses()}, LIGHTNING)
    assert list(told.values()) == pytest.approx([0, 0, 1, 1, 0, 0, 0, 0])
    told = of_picture({LIGHTNING: poses(person()), FULL: poses(person()), POSENET: poses()}, FULL)
    # The others find half a person in the mean.
    assert list(told.values()) == pytest.approx([0.5, 1, 0.5, 1 / 1.5, 0, 0, 0, 0])
    nobody = dict.fromkeys((LIGHTNING, FULL), poses())
    assert list(of_picture(nobody, FULL).values()) == pytest.approx([0, 1, 0, 1, 0, 0, 0, 0])
    assert of_people(nobody, FULL) == []


def test_a_model_alone_is_held_against_its_own_count() -> None:
    alone = of_picture({FULL: poses(person(100), with_long_shank(person()))}, FULL)
    assert list(alone.values()) == pytest.approx([0, 1, 0, 1 / 3, 0, np.log(2) / 8, 1 / 16, 0])


def test_whom_no_other_family_sees_is_left_out_where_only_the_others_count() -> None:
    crowd = [person(x) for x in (100, 300, 500)]
    people = {LIGHTNING: poses(), FULL: poses(crowd[1]), POSENET: poses(*crowd)}
    every = picture_signals(people, 640)
    seen = borne_out(every)
    assert {model: len(rows) for model, rows in seen.people.items()} == {
        LIGHTNING: 0,
        FULL: 1,
        POSENET: 1,
    }
    assert seen.group_of[POSENET] == seen.group_of[FULL] == every.group_of[FULL]
    assert seen.people[POSENET].tolist() == [every.people[POSENET][1].tolist()]
    # A variant of the same family is nobody else.
    twice = picture_signals({LIGHTNING: poses(person()), THUNDER: poses(person())}, 640)
    assert all(len(rows) == 0 for rows in borne_out(twice).people.values())
