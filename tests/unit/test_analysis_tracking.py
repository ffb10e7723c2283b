"""People followed through synthetic clips in which who is who is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.analysis.identity import shared_identities
from estimators.analysis.matching import oks_of
from estimators.analysis.over_time import agreement_over_time
from estimators.analysis.pairing import PairOverTime, match_all, match_clips
from estimators.analysis.thresholds import ShownClip
from estimators.analysis.tracking import TrackOptions, identity_switches, track_people
from tests.unit.analysis_motion import irregular, shown, vanished, walking

TIME = irregular(4, 30)


def whom(clip: ShownClip, tracks: NDArray[np.int64], x: float) -> set[int]:
    """The tracks of everybody whose nose is left of `x`."""
    return set(tracks[clip.xy[:, 0, 0] < x].tolist())


def test_two_people_keep_their_numbers_in_any_order() -> None:
    clip = shown([walking(TIME, (100, 50), (20, 0)), walking(TIME, (700, 50), (-20, 0))], TIME)
    tracks = track_people(clip)
    assert set(tracks.tolist()) == {0, 1}
    assert len(whom(clip, tracks, 400)) == 1
    assert len(identity_switches(clip, tracks)) == 0


def test_people_who_pass_each_other_keep_their_numbers() -> None:
    # They meet in the middle; one stands 40 px lower.
    left, right = walking(TIME, (100, 50), (150, 0)), walking(TIME, (700, 90), (-150, 0))
    clip = shown([left, right], TIME)
    tracks = track_people(clip)
    lower = clip.xy[:, 0, 1] > 120
    assert len(set(tracks[lower].tolist())) == 1
    assert len(set(tracks[~lower].tolist())) == 1


def test_a_short_absence_is_bridged_and_a_long_one_is_not() -> None:
    path = walking(TIME, (100, 50), (60, 0))
    short = shown([vanished(path, 40, 55)], TIME)  # about half a second
    assert set(track_people(short).tolist()) == {0}
    long = shown([vanished(path, 40, 80)], TIME)
    assert set(track_people(long).tolist()) == {0, 1}
    patient = TrackOptions(max_gap_s=3)
    assert set(track_people(long, patient).tolist()) == {0}


def test_a_second_of_absence_is_bridged() -> None:
    time_s = np.arange(0, 4, 0.25)
    for last_hidden, tracks in ((7, {0}), (8, {0, 1})):  # seen at 1 s, then at 2 or 2.25 s
        clip = shown([vanished(walking(time_s, (100, 50), (0, 0)), 5, last_hidden)], time_s)
        assert set(track_people(clip).tolist()) == tracks


@pytest.mark.parametrize("with_somebody", [False, True])
@pytest.mark.parametrize(("step_px", "same"), [(48, True), (54, False)])
def test_oks_finds_somebody_again_from_a_tenth_on(
    step_px: float, same: bool, with_somebody: bool
) -> None:
    """48 px aside the OKS is 0.11, 54 px aside it is 0.07; nobody is found by nearness here."""
    path = walking(TIME, (100, 50), (0, 0))
    path[50:] += (step_px, 0)
    others = [walking(TIME, (900, 50), (0, 0))] if with_somebody else []
    clip = shown([path, *others], TIME)
    tracks = track_people(clip, TrackOptions(reach=1e-6, reach_per_s=0))
    assert (len(whom(clip, tracks, 500)) == 1) == same


def test_a_fast_mover_with_a_long_stride_is_not_lost() -> None:
    time_s = np.arange(0, 4, 0.25)
    clip = shown([walking(time_s, (0, 50), (450, 0))], time_s)  # 1.1 torsos a step
    assert set(track_people(clip).tolist()) == {0}


def test_somebody_still_seen_does_not_take_the_number_of_who_is_unseen_beside_them() -> None:
    path = walking(TIME, (100, 50), (0, 0))
    clip = shown([vanished(path, 40, 50), walking(TIME, (220, 50), (0, 0))], TIME)
    tracks = track_people(clip)
    assert len(whom(clip, tracks, 160)) == 1
    assert set(tracks[clip.xy[:, 0, 0] > 160].tolist()) == {1}


def test_nobody_reaches_further_than_running_does() -> None:
    """Half a torso, and six more a second: 200 px in a quarter of a second."""
    time_s = np.arange(0, 4, 0.25)
    fast, impossible = (shown([walking(time_s, (0, 50), (v, 0))], time_s) for v in (760, 840))
    assert set(track_people(fast).tolist()) == {0}
    assert len(set(track_people(impossible).tolist())) == len(time_s)


def test_a_model_that_jumps_to_somebody_else_switches_identity() -> None:
    jumping = walking(TIME, (100, 50), (0, 0))
    jumping[50:] += (800, 0)
    jumping[90:] -= (800, 0)
    clip = shown([jumping], TIME)
    tracks = track_people(clip, TrackOptions(max_gap_s=0.5))
    assert identity_switches(clip, tracks, options=TrackOptions(max_gap_s=0.5)).tolist() == [50, 90]


def test_somebody_far_away_in_the_next_frame_is_somebody_else() -> None:
    """One and a half torsos within a thirtieth of a second, 75 m/s: nobody moves like that."""
    time_s = np.arange(60) / 30
    path = walking(time_s, (100, 50), (0, 0))
    path[30:] += (150, 0)
    assert set(track_people(shown([path], time_s)).tolist()) == {0, 1}


def test_people_who_come_after_one_has_left_took_nobodys_place() -> None:
    """One leaves and two others come: more people than before, so that nobody was mistaken."""
    leaves = vanished(walking(TIME, (100, 50), (0, 0)), 40, len(TIME))
    come = [vanished(walking(TIME, (x, 50), (0, 0)), 0, 50) for x in (700, 1000)]
    clip = shown([leaves, *come], TIME)
    tracks = track_people(clip)
    assert len(set(tracks.tolist())) == 3
    assert len(identity_switches(clip, tracks)) == 0


def switches(
    *there: list[tuple[int, int]], who: list[int] | None = None, options: TrackOptions | None = None
) -> list[int]:
    """The frames of the switches among people who each stand still, from first to last frame."""
    time_s = np.arange(40) / 20
    paths = []
    for k, spans in enumerate(there):
        gone = np.ones(len(time_s), np.bool_)
        for first, last in spans:
            gone[first : last + 1] = False
        path = walking(time_s, (400.0 * k, 50), (0, 0))
        path[gone] = np.nan
        paths.append(path)
    clip = shown(paths, time_s)
    tracks = np.round(clip.xy[:, 0, 0] / 400).astype(np.int64)
    people = None if who is None else np.array(who)[tracks]
    rows = identity_switches(clip, tracks, people, options or TrackOptions())
    # Whoever a switch goes over to was not there before.
    assert all(tracks[row] not in tracks[:row] for row in rows)
    return clip.frame_of[rows].tolist()


def test_a_switch_comes_after_the_other_has_gone_and_soon() -> None:
    assert switches([(0, 10)], [(10, 39)]) == []
    assert switches([(0, 10)], [(11, 39)]) == [11]
    assert switches([(0, 10)], [(30, 39)]) == [30]  # a second later
    assert switches([(0, 10)], [(31, 39)]) == []
    assert switches([(0, 10)], [(31, 39)], options=TrackOptions(max_gap_s=1.1)) == [31]


def test_one_of_two_who_left_was_replaced() -> None:
    assert switches([(0, 10)], [(0, 10)], [(11, 39)]) == [11]
    assert switches([(0, 10)], [(0, 10)], [(11, 39)], [(12, 39)]) == [11, 12]
    # The second one to come replaces the one who left while there were two.
    assert switches([(0, 10)], [(0, 12)], [(13, 39)], [(14, 39)]) == [13, 14]


def test_somebody_is_replaced_once() -> None:
    """Somebody who stays is unseen for a moment, in which there are no more people than before."""
    stays = [(0, 19), (23, 39)]
    assert switches([(0, 10)], stays, [(11, 39)], [(20, 39)]) == [11]


def test_who_is_known_to_be_the_same_is_no_switch_and_takes_nobody_elses_place() -> None:
    assert switches([(0, 10)], [(15, 39)], who=[7, 7]) == []
    assert switches([(0, 10)], [(15, 39)], who=[7, 8]) == [15]
    comes_back = [(15, 19), (23, 39)]
    assert switches([(0, 10)], comes_back, [(20, 39)], who=[7, 7, 8]) == []
    assert switches([(0, 10)], comes_back, [(20, 39)], who=[7, 9, 8]) == [15]


def test_somebody_who_joins_or_leaves_is_no_switch() -> None:
    stays = walking(TIME, (100, 50), (5, 0))
    joins = vanished(walking(TIME, (700, 50), (0, 0)), 0, 60)
    clip = shown([stays, joins], TIME)
    assert len(identity_switches(clip, track_people(clip))) == 0
    leaves = vanished(walking(TIME, (700, 50), (0, 0)), 60, len(TIME))
    clip = shown([stays, leaves], TIME)
    assert len(identity_switches(clip, track_people(clip))) == 0


def test_nobody_has_no_tracks() -> None:
    clip = shown([], TIME)
    assert len(track_people(clip)) == 0
    assert len(identity_switches(clip, track_people(clip))) == 0


def test_matching_a_whole_clip_equals_matching_each_frame() -> None:
    from estimators.analysis.matching import group_people

    rng = np.random.default_rng(0)
    first = [walking(TIME, (x, 50), (30, 0)) for x in (100, 420, 700)]
    second = [p + rng.normal(0, 6, p.shape) for p in first[:2]]
    second.append(vanished(walking(TIME, (1500, 50), (0, 0)), 0, 20))
    a, b = shown(first, TIME, "a"), shown(second, TIME, "b")
    pair = match_clips(a, b)
    expected = []
    for frame in range(len(TIME)):
        one, other = a.clip.poses(frame), b.clip.poses(frame)
        for person in (group.members for group in group_people({"a": one, "b": other})):
            if len(person) == 2:
                rows = a.offsets[frame] + person["a"], b.offsets[frame] + person["b"]
                expected.append((frame, *rows))
    found = sorted(zip(pair.frame_index.tolist(), pair.a.tolist(), pair.b.tolist(), strict=True))
    assert found == sorted(expected)
    assert len(found) == 2 * len(TIME)
    assert (pair.oks > 0.5).all()


def test_somebody_who_passes_by_is_not_the_one_passed() -> None:
    """Close enough to be matched for half a second of four, which is not half of the frames."""
    standing_there, passing = walking(TIME, (500, 50), (0, 0)), walking(TIME, (100, 50), (200, 0))
    clips = {"a": shown([standing_there], TIME, "a"), "b": shown([passing], TIME, "b")}
    tracks = {model: track_people(clip) for model, clip in clips.items()}
    pairs = match_all(clips)
    assert 5 < len(pairs[0].oks) < len(TIME) / 4
    people = shared_identities(clips, tracks, pairs)
    assert set(people["a"].tolist()).isdisjoint(people["b"].tolist())


def test_in_a_clip_two_people_are_as_alike_as_on_a_picture() -> None:
    """Of different sizes: neither of the two is the truth, so that both areas count alike."""
    large = walking(TIME, (500, 50), (10, 0))
    small = 0.8 * (large - large[:, :1]) + large[:, :1] + (0, 12)
    a, b = shown([large], TIME, "a"), shown([small], TIME, "b")
    expected = oks_of(a.xy, b.xy)
    assert expected.max() < 0.9
    np.testing.assert_allclose(match_clips(a, b).oks, expected)
    np.testing.assert_allclose(match_clips(b, a).oks, expected)
    one = {"a": np.ones(len(a), np.int64), "b": np.ones(len(b), np.int64)}
    over_time = agreement_over_time({"a": a, "b": b}, one)
    np.testing.assert_allclose(over_time.oks[0, 0], expected, rtol=1e-6)
    swapped = agreement_over_time({"b": b, "a": a}, one)
    np.testing.assert_array_equal(swapped.oks, over_time.oks)


def test_a_person_has_one_number_in_all_models() -> None:
    """One model loses a person for long, another sees only one of the two: still two people."""
    left, right = walking(TIME, (100, 50), (10, 0)), walking(TIME, (800, 50), (-10, 0))
    rng = np.random.default_rng(1)
    noisy = left + rng.normal(0, 4, left.shape)
    clips = {
        "both": shown([left, right], TIME, "both"),
        "one": shown([noisy], TIME, "one"),
        "losing": shown([vanished(left, 40, 100), right], TIME, "losing"),
    }
    tracks = {model: track_people(clip) for model, clip in clips.items()}
    assert set(tracks["losing"].tolist()) == {0, 1, 2}  # found again as somebody new
    people = shared_identities(clips, tracks, match_all(clips))
    for model, clip in clips.items():
        on_the_left = clip.xy[:, 0, 0] < 450
        numbers = set(people[model][on_the_left].tolist())
        assert len(numbers) == 1, model
        assert numbers.isdisjoint(people[model][~on_the_left].tolist())
    assert set(np.concatenate(list(people.values())).tolist()) == {1, 2}


@pytest.mark.parametrize(("together", "people"), [(0.4, 2), (0.6, 1)])
def test_who_agrees_for_half_of_the_time_is_the_same(together: float, people: int) -> None:
    stays = walking(TIME, (100, 50), (0, 0))
    moves = stays + np.maximum(TIME - together * TIME[-1], 0)[:, None, None] * (400, 0)
    clips = {"a": shown([stays], TIME, "a"), "b": shown([moves], TIME, "b")}
    tracks = {model: track_people(clip) for model, clip in clips.items()}
    assert all(set(numbers.tolist()) == {0} for numbers in tracks.values())
    numbers = shared_identities(clips, tracks, match_all(clips))
    assert len({int(n) for found in numbers.values() for n in found}) == people


def numbers(
    a: dict[int, range], b: dict[int, range], matched: list[tuple[int, int, int]]
) -> tuple[dict[int, int], dict[int, int]]:
    """The person of each track of two models, given in which frames it is there.

    Args:
        matched: track of the one, track of the other, in how many of their first frames.
    """
    time_s = np.arange(20) / 20
    clips, tracks = {}, {}
    # Not in the order of their names.
    for model, there in (("b", a), ("a", b)):
        paths = []
        for k, frames in there.items():
            path = walking(time_s, (400.0 * k, 50), (0, 0))
            path[[t for t in range(20) if t not in frames]] = np.nan
            paths.append(path)
        clips[model] = shown(paths, time_s, model)
        tracks[model] = np.round(clips[model].xy[:, 0, 0] / 400).astype(np.int64)
    rows = []
    for one, other, count in matched:
        for t in sorted({*a[one]} & {*b[other]})[:count]:
            at = [
                np.flatnonzero((tracks[m] == track) & (clips[m].frame_of == t))[0]
                for m, track in (("b", one), ("a", other))
            ]
            rows.append((t, *at))
    frame, row_a, row_b = np.array(rows).T
    pair = PairOverTime("b", "a", frame, row_a, row_b, np.ones(len(rows)))
    people = shared_identities(clips, tracks, [pair])
    of_a, of_b = (dict(zip(tracks[m].tolist(), people[m].tolist(), strict=True)) for m in "ba")
    return of_a, of_b


def test_the_one_matched_in_most_frames_is_the_same_and_the_one_seen_most_comes_first() -> None:
    everybody, some = {0: range(12), 1: range(16)}, {0: range(16)}
    one, other = numbers(everybody, some, [(0, 0, 6), (1, 0, 10)])
    assert (one, other) == ({0: 2, 1: 1}, {0: 1})
    one, other = numbers(everybody, some, [(0, 0, 10), (1, 0, 8)])
    assert (one, other) == ({0: 1, 1: 2}, {0: 1})


@pytest.mark.parametrize(("matched", "same"), [(8, True), (7, False)])
def test_half_of_the_frames_in_which_both_are_there_are_enough(matched: int, same: bool) -> None:
    one, other = numbers({0: range(18)}, {0: range(2, 18)}, [(0, 0, matched)])
    assert (one == other) == same


@pytest.mark.parametrize(("first", "people"), [(range(6), 1), (range(7), 2)])
def test_one_frame_together_makes_two_people_of_two_tracks(first: range, people: int) -> None:
    one, _ = numbers({0: first, 1: range(6, 18)}, {0: range(18)}, [(0, 0, 5), (1, 0, 12)])
    assert len(set(one.values())) == people


def test_two_people_whom_one_model_shows_together_stay_two() -> None:
    """A model that jumps between two people must not make one of them."""
    left, right = walking(TIME, (100, 50), (0, 0)), walking(TIME, (800, 50), (0, 0))
    jumping = left.copy()
    jumping[60:] = right[60:]
    clips = {"both": shown([left, right], TIME, "both"), "one": shown([jumping], TIME, "one")}
    tracks = {model: track_people(clip) for model, clip in clips.items()}
    people = shared_identities(clips, tracks, match_all(clips))
    assert len(set(people["both"].tolist())) == 2
    early = clips["one"].frame_of < 60
    assert len(set(people["one"][early].tolist())) == 1
    assert set(people["one"][early].tolist()).isdisjoint(people["one"][~early].tolist())
