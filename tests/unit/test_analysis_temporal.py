"""Jitter, dropouts, swapped sides and impossible limbs of motions with known answers."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from estimators.analysis.temporal import (
    PersonPath,
    dropout,
    impossible_limbs,
    jitter,
    known_spans,
    person_path,
    side_swaps,
    temporal_numbers,
)
from estimators.analysis.thresholds import ShownClip, Thresholds
from estimators.analysis.tracking import track_people
from estimators.skeletons import COCO_17
from tests.unit.analysis_motion import TORSO, clip_of, irregular, shown, standing, vanished, walking

TIME = irregular(4, 30)
WRIST = COCO_17.index("left_wrist")


def path_of(xy: np.ndarray, time_s: np.ndarray = TIME) -> PersonPath:
    clip = shown([xy], time_s)
    return person_path(clip, np.arange(len(clip)))


def test_steady_motion_has_no_jitter_at_any_frame_rate() -> None:
    acceleration = jitter(path_of(walking(TIME, (100, 50), (120, 30))))
    assert np.nanmax(acceleration) == pytest.approx(0, abs=0.5)  # float32 pixels over short steps
    assert np.isnan(acceleration[[0, -1]]).all()


def test_jitter_of_constant_acceleration_is_that_acceleration() -> None:
    xy = walking(TIME, (100, 50), (0, 0))
    xy[:, WRIST, 1] += 0.5 * 300 * TIME**2  # 300 px/s² = 3 torsos per s²
    acceleration = jitter(path_of(xy))
    np.testing.assert_allclose(np.nanmedian(acceleration[:, WRIST]), 3.0, rtol=0.02)
    assert np.nanmedian(acceleration[:, 0]) == pytest.approx(0, abs=0.2)


def test_jitter_does_not_depend_on_the_size_of_the_person() -> None:
    rng = np.random.default_rng(0)
    xy = walking(TIME, (100, 50), (0, 0)) + rng.normal(0, 2, (len(TIME), 17, 2))
    small, large = jitter(path_of(xy)), jitter(path_of(3 * xy))
    np.testing.assert_allclose(np.nanmedian(small), np.nanmedian(large), rtol=0.01)
    assert np.nanmedian(small) > 10


def test_gaps_and_repeated_timestamps_give_no_jitter_rather_than_infinity() -> None:
    time_s = TIME.copy()
    time_s[30] = time_s[29]
    xy = vanished(walking(TIME, (100, 50), (90, 0)), 50, 54)
    acceleration = jitter(path_of(xy, time_s))
    assert np.isnan(acceleration[49:56]).all()
    assert np.isnan(acceleration[[28, 29, 30, 31]]).any()
    assert np.isfinite(acceleration[[10, 60]]).all()
    assert not np.isinf(acceleration).any()


@pytest.mark.parametrize("frames", [1, 2])
def test_clips_of_one_or_two_frames_have_no_jitter(frames: int) -> None:
    time_s = TIME[:frames]
    path = path_of(walking(time_s, (0, 0), (0, 0)), time_s)
    assert np.isnan(jitter(path)).all()
    assert not side_swaps(path).any()
    assert not impossible_limbs(path).any()


def test_dropout_is_the_share_of_frames_without_the_joint() -> None:
    xy = walking(TIME, (100, 50), (0, 0))
    xy[10:40, WRIST] = np.nan  # 30 frames
    xy = vanished(xy, 60, 69)  # 10 frames of all
    share = dropout(path_of(xy))
    assert share[WRIST] == pytest.approx(40 / len(TIME))
    assert share[0] == pytest.approx(10 / len(TIME))


def test_frames_before_and_after_somebody_are_no_dropout() -> None:
    xy = vanished(vanished(walking(TIME, (100, 50), (0, 0)), 0, 20), 100, len(TIME))
    assert dropout(path_of(xy)).max() == 0


def test_swapped_legs_are_found_where_they_swap() -> None:
    xy = walking(TIME, (100, 50), (40, 0))
    flip = list(COCO_17.flip_indices)
    legs = [COCO_17.index(f"{s}_{j}") for s in ("left", "right") for j in ("hip", "knee", "ankle")]
    swapped = xy.copy()
    swapped[50:60, legs] = xy[50:60][:, [flip[j] for j in legs]]
    found = side_swaps(path_of(swapped))
    assert np.flatnonzero(found[:, 1]).tolist() == [50, 60]
    assert not found[:, 0].any()
    assert not side_swaps(path_of(xy)).any()


@pytest.mark.parametrize(("crossed", "swaps"), [(0.3, 0), (0.5, 1)])
def test_a_swap_must_explain_the_step_by_more_than_half(crossed: float, swaps: int) -> None:
    """Legs that cross by a share of their distance: swapping explains the step the better, the
    further they cross, (1 - share) / (1 + share) of the movement being left."""
    xy = walking(TIME, (300, 50), (0, 0))
    legs = [COCO_17.index(f"{s}_{j}") for s in ("left", "right") for j in ("hip", "knee", "ankle")]
    wide = xy.copy()
    wide[:, legs, 0] = 300 + 2 * (xy[:, legs, 0] - 300)
    wide[50:, legs, 0] = 300 - crossed * (wide[50:, legs, 0] - 300)
    assert np.flatnonzero(side_swaps(path_of(wide))[:, 1]).tolist() == [50] * swaps


@pytest.mark.parametrize(("longer", "impossible"), [(1.45, False), (1.55, True)])
@pytest.mark.parametrize(
    ("end", "other", "share"),
    [
        *(("shoulder", "elbow", 0.186), ("elbow", "wrist", 0.146)),
        *(("hip", "knee", 0.245), ("knee", "ankle", 0.246)),
    ],
)
def test_a_limb_over_half_as_long_again_is_impossible(
    end: str, other: str, share: float, longer: float, impossible: bool
) -> None:
    """Always as long, so that only its length tells; shares of the body height, the torso 0.288."""
    xy = walking(TIME[:9], (300, 50), (0, 0))
    start, joint = COCO_17.index(f"left_{end}"), COCO_17.index(f"left_{other}")
    moved = xy[:, start] + (0, longer * TORSO * share / 0.288) - xy[:, joint]
    beyond = {"elbow": ["elbow", "wrist"], "knee": ["knee", "ankle"]}.get(other, [other])
    for name in beyond:
        xy[:, COCO_17.index(f"left_{name}")] += moved
    found = impossible_limbs(path_of(xy, TIME[:9]))
    assert found.any(axis=1).all() == impossible
    assert found.any(axis=0).sum() == impossible


@pytest.mark.parametrize(("shorter", "impossible"), [(0.43, False), (0.445, True)])
def test_a_limb_cannot_turn_away_faster_than_limbs_turn(shorter: float, impossible: bool) -> None:
    """A forearm of 0.507 torsos that turns at 20 rad/s shortens by 0.338 in a thirtieth of a
    second; a tenth of a torso more is noise."""
    time_s = np.arange(60) / 30
    xy = walking(time_s, (300, 50), (0, 0))
    forearm = TORSO * (0.146 / 0.288 - np.where(time_s < 1, 0, shorter))
    xy[:, WRIST] = xy[:, COCO_17.index("left_elbow")]
    xy[:, WRIST, 1] += forearm
    found = np.flatnonzero(impossible_limbs(path_of(xy, time_s)).any(axis=1))
    assert found.tolist() == [30] * impossible


def swapping(names: tuple[str, ...]) -> np.ndarray:
    """Somebody still, of whose legs those joints are exchanged in frames 50 to 59."""
    xy = walking(TIME, (300, 50), (0, 0))
    for name in names:
        left, right = COCO_17.index(f"left_{name}"), COCO_17.index(f"right_{name}")
        xy[50:60, [left, right]] = xy[50:60, [right, left]]
    return xy


@pytest.mark.parametrize(("names", "swaps"), [(("ankle",), []), (("knee", "ankle"), [50, 60])])
def test_two_of_three_pairs_are_enough_for_a_swap(names: tuple[str, ...], swaps: list[int]) -> None:
    assert np.flatnonzero(side_swaps(path_of(swapping(names)))[:, 1]).tolist() == swaps


@pytest.mark.parametrize("near", [49, 50])
def test_sides_that_nearly_meet_before_or_after_a_step_are_not_judged(near: int) -> None:
    """Swapped they would lie nearer, but left and right were, or are, within the noise."""
    xy = swapping(("hip", "knee", "ankle"))
    legs = [COCO_17.index(f"{s}_{j}") for s in ("left", "right") for j in ("hip", "knee", "ankle")]
    wide = 300 + np.repeat([0.5, -0.5], 3) * 0.25 * TORSO
    xy[:50, legs, 0], xy[50:, legs, 0] = wide, 600 - wide
    xy[near, legs, 0] = 300 + (xy[near, legs, 0] - 300) * 0.15 / 0.25
    assert not side_swaps(path_of(xy))[50].any()


def test_a_path_has_a_sighting() -> None:
    with pytest.raises(ValueError, match="at least one sighting"):
        person_path(shown([], TIME), np.zeros(0, np.int64))


def test_a_person_who_turns_slowly_does_not_swap() -> None:
    turn = np.cos(np.pi * TIME / TIME[-1])  # left and right change places over four seconds
    xy = walking(TIME, (0, 0), (0, 0))
    xy[..., 0] *= turn[:, None]
    assert not side_swaps(path_of(xy + 300)).any()


def test_legs_that_coincide_are_noise_not_swaps() -> None:
    rng = np.random.default_rng(0)
    side = standing()
    side[:, 0] = 0  # seen from the side
    xy = side + 300 + rng.normal(0, 3, (len(TIME), 17, 2))
    assert not side_swaps(path_of(xy)).any()


def test_a_limb_that_jumps_is_impossible() -> None:
    xy = walking(TIME, (100, 50), (40, 0))
    xy[50, WRIST] += (0, 120)  # forearm 1.6 torsos long for one frame
    found = np.flatnonzero(impossible_limbs(path_of(xy)).any(axis=1))
    assert found.tolist() == [50, 51]


def test_a_quick_but_possible_kick_is_not() -> None:
    angle = 1.2 * np.sin(2 * np.pi * 1.5 * TIME)  # up to 11 rad/s
    xy = walking(TIME, (300, 50), (0, 0))
    knee, ankle = COCO_17.index("left_knee"), COCO_17.index("left_ankle")
    shank = 80 * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    xy[:, ankle] = xy[:, knee] + shank
    assert not impossible_limbs(path_of(xy)).any()


def test_the_numbers_of_a_clip() -> None:
    rng = np.random.default_rng(0)
    calm = walking(TIME, (100, 50), (10, 0))
    shaky = walking(TIME, (800, 50), (0, 0)) + rng.normal(0, 3, calm.shape)
    calm[:30, WRIST] = np.nan
    clip = clip_of([calm, shaky], TIME, failed={5: "It crashed."})
    shown_clip = ShownClip.of(clip, Thresholds(0.3, 0.2))
    numbers = temporal_numbers(shown_clip, track_people(shown_clip))
    assert (numbers.frames, numbers.failed, numbers.people) == (len(TIME) - 1, 1, 2)
    assert numbers.dropout[WRIST] == pytest.approx(29 / (2 * (len(TIME) - 1)))
    assert numbers.dropout[0] == 0
    assert numbers.mean_dropout == pytest.approx(numbers.dropout[WRIST] / 17)
    assert numbers.median_jitter > 1
    assert numbers.sightings == 2 * (len(TIME) - 1)
    happened = (numbers.identity_switches, numbers.side_swaps, numbers.limb_jumps)
    assert [frames.tolist() for frames in happened] == [[], [], []]


def test_nobody_gives_nan_not_an_error() -> None:
    clip = shown([], TIME)
    numbers = temporal_numbers(clip, track_people(clip))
    assert numbers.people == 0
    assert np.isnan(numbers.median_jitter)
    assert np.isnan(numbers.mean_dropout)


def test_the_test_person_measures_what_it_says() -> None:
    assert path_of(walking(TIME, (100, 50), (0, 0))).torso == pytest.approx(TORSO, rel=1e-5)


def test_a_person_is_known_from_the_first_to_the_last_sighting_by_any_model() -> None:
    path = walking(TIME, (100, 50), (0, 0))
    lost = {"late": (0, 30), "early": (90, len(TIME)), "amid": (50, 60)}
    clips = {m: shown([vanished(path, *span)], TIME, m) for m, span in lost.items()}
    people = {model: np.ones(len(clip), np.int64) for model, clip in clips.items()}
    for models in permutations(clips):
        assert known_spans({m: clips[m] for m in models}, people) == {1: (0, len(TIME) - 1)}
    assert known_spans({"late": clips["late"]}, people)[1][0] > 29
    assert known_spans({"early": clips["early"]}, people)[1][1] < 91


@pytest.mark.parametrize(("apart", "swaps"), [(0.15, 0), (0.25, 2)])
def test_sides_nearer_than_twice_the_noise_do_not_swap(apart: float, swaps: int) -> None:
    xy = walking(TIME, (300, 50), (0, 0))
    legs = [COCO_17.index(f"{s}_{j}") for s in ("left", "right") for j in ("hip", "knee", "ankle")]
    xy[:, legs, 0] = 300 + np.repeat([0.5, -0.5], 3) * apart * TORSO
    flip = list(COCO_17.flip_indices)
    xy[50:60, legs] = xy[50:60][:, [flip[j] for j in legs]]
    assert np.flatnonzero(side_swaps(path_of(xy))[:, 1]).tolist() == [50, 60][:swaps]
