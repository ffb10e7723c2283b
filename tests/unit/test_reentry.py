"""Who comes back after some seconds: both sides of every reach, worked out by hand."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from estimators.analysis.reentry import Camera, Sighting, ends_of, returns
from estimators.analysis.tracking import TrackOptions
from tests.unit.analysis_motion import shown, standing, walking

STILL = (0.0, 0.0)
# Tracks bridge a second, and half a torso and six more a second.
TRACKING = TrackOptions(max_gap_s=1.0, reach=0.5, reach_per_s=6.0)


def sighting(
    time_s: float,
    middle: tuple[float, float] = STILL,
    velocity: tuple[float, float] = STILL,
    torso: float = 100.0,
    model: str = "a",
) -> Sighting:
    return Sighting(model, time_s, np.array(middle), np.array(velocity), torso, inside=False)


def comes_back(
    away_s: float,
    middle: tuple[float, float] = STILL,
    velocity: tuple[float, float] = STILL,
    torsos: tuple[float, float] = (100.0, 100.0),
    by: str = "a",
) -> bool:
    """Somebody leaves at 0 s from (0, 0), and `by` sees somebody come so much later at `middle`."""
    left = sighting(-5.0), sighting(0.0, STILL, velocity, torsos[0])
    came = sighting(away_s, middle, STILL, torsos[1], by), sighting(away_s + 1, middle)
    found = returns([left, came], TRACKING)
    assert found in ([], [(0, 1)])
    return bool(found)


@pytest.mark.parametrize(
    ("away_s", "by", "back"),
    [
        *((0.5, "a", False), (1.0, "a", False), (1.1, "a", True), (9.9, "a", True)),
        *((10.0, "a", False), (0.0, "b", False), (0.1, "b", True)),
    ],
)
def test_between_a_gap_that_tracks_bridge_and_ten_seconds(
    away_s: float, by: str, back: bool
) -> None:
    """Another model may go on at once."""
    assert comes_back(away_s, by=by) == back


@pytest.mark.parametrize(
    ("away_s", "px", "by"), [(0.5, 350, "b"), (2, 550, "a"), (4, 350, "a"), (6, 300, "a")]
)
def test_as_far_as_in_tracking_and_less_by_the_second_but_three_torsos(
    away_s: float, px: float, by: str
) -> None:
    """0.5 + 6 x 0.5; then 0.5 + 6 and less by 1 and by 3; by 5 it would be under 3."""
    # Of the smaller of the two torsos.
    for torsos in ((100.0, 100.0), (100.0, 125.0), (125.0, 100.0)):
        for off, back in ((px - 10, True), (px + 10, False)):
            assert comes_back(away_s, (off, 0), torsos=torsos, by=by) == back
            assert comes_back(away_s, (0, -off), torsos=torsos, by=by) == back


@pytest.mark.parametrize(("other", "back"), [(159, True), (161, False), (np.nan, False)])
def test_nobody_grows_or_shrinks_much(other: float, back: bool) -> None:
    assert comes_back(2, torsos=(100, other)) == comes_back(2, torsos=(other, 100)) == back


@pytest.mark.parametrize(
    ("middle", "back"),
    [
        *(((200, 0), True), ((740, 0), True), ((760, 0), False)),  # beyond where they were going
        *(((-540, 0), True), ((-560, 0), False)),  # behind where they left
        *(((100, 540), True), ((100, 560), False)),  # beside their way
    ],
)
def test_people_come_back_near_the_way_that_they_were_going(
    middle: tuple[float, float], back: bool
) -> None:
    """At 100 px a second, two seconds away: the way is 200 px long, and 550 px are near."""
    assert comes_back(2, middle, (100, 0)) == back


def test_the_likeliest_is_who_left_nearer_in_space_and_time() -> None:
    came = sighting(5.0, (100, 0)), sighting(6.0, (100, 0))

    def left(time_s: float, x: float) -> tuple[Sighting, Sighting]:
        return sighting(-5.0), sighting(time_s, (x, 0))

    assert returns([left(0, 0), left(3, 0), came], TRACKING) == [(1, 2)]
    assert returns([left(3, 0), left(0, 0), came], TRACKING) == [(0, 2)]
    assert returns([left(3, 0), left(3, 50), came], TRACKING) == [(1, 2)]
    assert returns([left(3, 50), left(3, 0), came], TRACKING) == [(0, 2)]
    far = sighting(5.0, (1100, 0)), sighting(6.0, (1100, 0))
    # Each of two comes back; the one who comes back nearer is told first.
    assert returns([left(3, 1000), left(3, 90), far, came], TRACKING) == [(1, 3), (0, 2)]
    assert returns([left(3, 1090), left(3, 0), far, came], TRACKING) == [(0, 2), (1, 3)]
    assert returns([], TRACKING) == []


@pytest.mark.parametrize(
    ("walked", "walks", "off", "who"),
    [
        *(((100, 0), (-100, 0), 100, 1), ((100, 0), (-100, 0), 120, 0)),  # turned round: 0.8
        *(((100, 0), (0, 100), 50, 1), ((100, 0), (0, 100), 60, 0)),  # to the side: 0.9
        *(((100, 0), (300, 0), 10, 0), ((100, 0), (-49, 0), 10, 0)),  # on, or hardly walking: 1
        *(((51, 0), (-51, 0), 10, 1), ((49, 0), (-51, 0), 10, 0)),  # half a torso a second
    ],
)
def test_who_walks_on_is_likelier_than_who_turned_round(
    walked: tuple[float, float], walks: tuple[float, float], off: float, who: int
) -> None:
    """Held against who stood `off` pixels of 550 away: 0.82 and 0.78, 0.91 and 0.89, or 0.98."""
    walker = sighting(-5.0), sighting(0.0, STILL, walked)
    stood = sighting(-5.0), sighting(0.0, (0, off))
    came = sighting(2.0, STILL, walks), sighting(3.0)
    assert returns([walker, stood, came], TRACKING) == [(who, 2)]


def test_where_a_track_begins_and_ends_and_where_it_was_going() -> None:
    """Still for the first quarter of the last half second, then at 200 px a second; 100 in all."""
    time_s = np.arange(33) / 16
    path = walking(time_s, (300, 50), (500, 0))
    path[time_s > 1.5] = path[time_s == 1.5]
    path[:, :, 0] += 200 * np.maximum(time_s - 1.75, 0)[:, None]
    clip = shown([path], time_s)
    first, last = ends_of(clip, np.arange(len(clip)))
    middle = np.array([300, 50 + (standing()[:, 1].min() + standing()[:, 1].max()) / 2])
    np.testing.assert_allclose(first.middle, middle, rtol=1e-5)
    np.testing.assert_allclose(last.middle - middle, (750 + 50, 0), rtol=1e-5)
    assert (first.time_s, last.time_s) == (0, 2)
    np.testing.assert_allclose(first.velocity, [500, 0], atol=0.01)
    np.testing.assert_allclose(last.velocity, [100, 0], atol=0.01)
    assert first.torso == last.torso == pytest.approx(100, rel=1e-4)


def test_one_sighting_goes_nowhere_and_a_point_has_no_torso() -> None:
    time_s = np.array([0.0])
    for path, torso in ((standing()[None], 100), (np.full((1, 17, 2), 7.0), np.nan)):
        first, last = ends_of(shown([path], time_s), np.array([0]))
        assert last.velocity.tolist() == first.velocity.tolist() == [0, 0]
        assert last.torso == pytest.approx(torso, nan_ok=True)


def test_cuts_in_a_long_clip_of_a_crowd_take_no_table_of_all_people_at_all_times() -> None:
    half = [np.arange(first, first + 20) / 10 for first in range(0, 10_000, 10)]
    camera = Camera([*half, *(seen + 1002 for seen in half)])
    tracemalloc.start()
    try:
        cuts_s = camera.cuts_s
        assert tracemalloc.get_traced_memory()[1] < 10e6  # such a table has 40 MB
    finally:
        tracemalloc.stop()
    assert cuts_s.tolist() == []  # nobody is seen for over a second between them
    near = Camera([*half, half[-1], *(seen + 1001.5 for seen in half)])
    assert near.cuts_s.tolist() == [1001.5]
