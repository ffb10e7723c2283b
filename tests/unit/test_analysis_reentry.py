"""Twenty seconds of two people are two people: through gaps, crossings, noise and out of sight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.analysis.identity import shared_identities
from estimators.analysis.pairing import match_all
from estimators.analysis.tracking import track_people
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.clip.series import lasting, people_worth_listing, seen_spans
from tests.unit.analysis_motion import shown, standing, walking

Path = NDArray[np.float64]
TIME = np.arange(20 * 10) / 10
MANY = "movenet-multipose"


def pacing(x: float, amplitude: float, period_s: float, y: float = 50, phase: float = 0) -> Path:
    """Somebody who walks to and fro."""
    way = x + amplitude * np.sin(2 * np.pi * TIME / period_s + phase)
    return standing() + np.stack([way, np.full_like(way, y)], -1)[:, None]


def away(path: Path, *spans: tuple[float, float]) -> Path:
    """`path` with nobody there from the one second to the other."""
    out = path.copy()
    for first, last in spans:
        out[np.searchsorted(TIME, first) : np.searchsorted(TIME, last)] = np.nan
    return out


def as_models_see(path: Path, seed: int, lost_share: float = 0.03) -> Path:
    """With noise of 6 % of a torso, joints missing, and half a second missed now and then."""
    random = np.random.default_rng(seed)
    out = path + random.normal(0, 6, path.shape)
    out[random.random(path.shape[:2]) < 0.15] = np.nan
    for start in np.flatnonzero(random.random(len(path)) < lost_share):
        out[start : start + random.integers(1, 5)] = np.nan
    return out


def numbers(seen: dict[str, Sequence[Path]], truth: Sequence[Path]) -> tuple[set[int], int, int]:
    """The people told; how often a person's number changes; people who share one number."""
    clips = {model: shown(paths, TIME, model) for model, paths in seen.items()}
    tracks = {model: track_people(clip) for model, clip in clips.items()}
    told = shared_identities(clips, tracks, match_all(clips))
    people, changes, mixed = set(), 0, 0
    for model, clip in clips.items():
        apart = [np.nanmean(np.abs(clip.xy - path[clip.frame_of]), axis=(1, 2)) for path in truth]
        who = np.argmin(apart, axis=0)
        changes += sum(int((np.diff(told[model][who == k]) != 0).sum()) for k in range(len(truth)))
        people |= set(told[model].tolist())
        mixed += sum(len(set(who[told[model] == n].tolist())) - 1 for n in set(told[model]))
    return people, changes, mixed


A, B = pacing(400, 200, 9), pacing(900, 200, 11, 90, 1.0)
PASSING, BELOW = walking(TIME, (0, 50), (60, 0)), pacing(900, 200, 11, 550, 1.0)
# Face to face in the middle every six seconds.
LEFT, RIGHT = pacing(650, 350, 12), pacing(650, 350, 12, 90, np.pi)
HIDDEN = np.abs(LEFT[:, :1, :1] - RIGHT[:, :1, :1]) < 50
SCENES = {
    "no gap": ([A, B], [A, B]),
    "gaps of a second or two": (
        [away(A, (3, 3.6), (8, 9.4)), away(B, (5, 6.3), (12, 13.8))],
        [A, B],
    ),
    "away for four seconds": ([away(A, (5, 9)), B], [A, B]),
    "both away at once": ([away(A, (8, 11)), away(B, (8, 11))], [A, B]),
    "behind a pillar": ([away(PASSING, (6, 9)), BELOW], [PASSING, BELOW]),
    "crossing": ([LEFT, RIGHT], [LEFT, RIGHT]),
    "crossing, one hidden": ([LEFT, np.where(HIDDEN, np.nan, RIGHT)], [LEFT, RIGHT]),
}


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("scene", SCENES)
def test_two_people_are_two_whatever_happens(scene: str, noise: bool) -> None:
    seen, truth = SCENES[scene]
    if noise:
        seen = [as_models_see(path, seed) for seed, path in enumerate(seen)]
    assert numbers({MANY: seen}, truth) == ({1, 2}, 0, 0)


@pytest.mark.parametrize("scene", [name for name in SCENES if "crossing" not in name])
def test_two_models_agree_on_who_came_back(scene: str) -> None:
    seen, truth = SCENES[scene]
    views = [[as_models_see(p, seed + 10 * view) for seed, p in enumerate(seen)] for view in (1, 2)]
    assert numbers(dict(zip(("a", "b"), views, strict=True)), truth) == ({1, 2}, 0, 0)


STILL = walking(TIME, (500, 50), (0, 0))


def people_of(*paths: Path) -> int:
    clips = {"a": shown(paths, TIME, "a")}
    told = shared_identities(clips, {"a": track_people(clips["a"])}, [])
    return len(set(told["a"].tolist()))


@pytest.mark.parametrize(("seconds", "people"), [(9.7, 1), (10.1, 2)])
def test_who_stays_away_for_long_is_somebody_new(seconds: float, people: int) -> None:
    assert people_of(away(STILL, (4, 4 + seconds))) == people


@pytest.mark.parametrize(
    ("seconds", "torsos", "people"),
    [(1.2, 6.2, 1), (1.2, 6.4, 2), (3, 4.4, 1), (3, 4.6, 2), (6, 2.9, 1), (6, 3.1, 2)],
)
def test_people_come_back_near_where_they_were(seconds: float, torsos: float, people: int) -> None:
    """Within three torsos; just after they were lost within as much as somebody runs or falls."""
    moved = STILL + 100 * torsos * (TIME > 4)[:, None, None] * (1, 0)
    assert people_of(away(moved, (4, 3.9 + seconds))) == people


def test_one_model_finds_at_once_whom_the_other_has_just_lost() -> None:
    """Half a second and two torsos later, which tells nothing of one model's own tracks."""
    fall = STILL + 200 * (TIME > 10)[:, None, None] * (0, 1)
    seen = {"a": [away(fall, (9.6, 20))], "b": [away(fall, (0, 10.1))]}
    assert numbers(seen, [fall]) == ({1}, 0, 0)


def test_who_is_there_for_a_moment_is_not_worth_listing() -> None:
    """Two frames of two hundred are a mistake of the models; five need not be."""
    others = [
        away(walking(TIME, (x, 50), (0, 0)), (0, 10), (end, 20))
        for x, end in ((1500, 10.3), (2500, 10.5))
    ]
    analysis = ClipAnalysis.of({MANY: shown([STILL, *others], TIME, MANY).clip})
    assert analysis.people == (1, 2, 3)
    assert people_worth_listing(analysis) == lasting(analysis, (1, 2, 3)) == (1, 2)
    assert lasting(analysis, (3,)) == (3,), "all that there is"
    assert seen_spans(analysis, 3) == [(10, pytest.approx(10.2))]


def test_a_passer_by_from_the_other_side_is_somebody_else() -> None:
    """One leaves on the right, and three seconds later another one comes in on the left."""
    first = away(walking(TIME, (0, 50), (150, 0)), (6, 20))
    second = away(walking(TIME, (-1350, 50), (150, 0)), (0, 9))
    assert people_of(first, second) == 2


@pytest.mark.parametrize(("size", "people"), [(1.5, 1), (1.7, 2), (0.65, 1), (0.6, 2)])
def test_nobody_grows_while_away(size: float, people: int) -> None:
    middle = (STILL.min(axis=1, keepdims=True) + STILL.max(axis=1, keepdims=True)) / 2
    other = middle + size * (STILL - middle)
    assert people_of(away(STILL, (6, 20)), away(other, (0, 9))) == people


def test_two_who_are_there_together_are_never_one() -> None:
    """Whoever left stood between both: the nearer one came back, the other is new."""
    gone = away(STILL, (6, 20))
    near, far = (away(walking(TIME, (x, 50), (0, 0)), (0, 9)) for x in (520, 300))
    clips = {"a": shown([gone, near, far], TIME, "a")}
    told = shared_identities(clips, {"a": track_people(clips["a"])}, [])["a"]
    x = clips["a"].xy[:, 0, 0]
    assert len(set(told.tolist())) == 2
    assert set(told[x == 500].tolist()) == set(told[x == 520].tolist()) == {1}


def test_the_first_is_whom_one_sees_longest_and_the_list_says_when() -> None:
    """Three seconds in two models are fewer than four in one."""
    often = away(STILL, (3, 20))
    long = away(walking(TIME, (1500, 50), (0, 0)), (0, 10), (12, 15), (17, 20))
    clips = {
        model: shown(paths, TIME, model).clip
        for model, paths in ((MANY, [often, long]), ("posenet", [often]))
    }
    analysis = ClipAnalysis.of(clips)
    assert seen_spans(analysis, 1) == [
        (pytest.approx(10), pytest.approx(12, abs=0.11)),
        (pytest.approx(15), pytest.approx(17, abs=0.11)),
    ]
    assert seen_spans(analysis, 2) == [(0, pytest.approx(3, abs=0.11))]
