"""Jumps, exchanges of places and cuts: who must stay one person, and who must not become one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.analysis.handover import without_handovers
from estimators.analysis.identity import shared_identities
from estimators.analysis.pairing import match_all
from estimators.analysis.tracking import track_people
from tests.unit.analysis_motion import shown, walking

Path = NDArray[np.float64]
TIME = np.arange(12 * 10) / 10


def at(x: float, y: float = 100, speed: float = 0) -> Path:
    return walking(TIME, (x, y), (speed, 0))


def only(path: Path, *spans: tuple[float, float]) -> Path:
    there = np.any([(first <= TIME) & (last > TIME) for first, last in spans], axis=0)
    return np.where(there[:, None, None], path, np.nan)


def then(*parts: tuple[float, Path]) -> Path:
    """The first part up to its time, then the next; nobody after the last one."""
    out, since = np.full_like(parts[0][1], np.nan), 0.0
    for until, path in parts:
        out = np.where(((since <= TIME) & (until > TIME))[:, None, None], path, out)
        since = until
    return out


NOBODY = np.full_like(at(0), np.nan)


def told(seen: dict[str, Sequence[Path]]) -> dict[str, list[NDArray[np.int64]]]:
    """The numbers that each path of each model gets, by model."""
    clips = {model: shown(paths, TIME, model) for model, paths in seen.items()}
    tracks = {model: track_people(clip) for model, clip in clips.items()}
    people = shared_identities(clips, tracks, match_all(clips))
    out: dict[str, list[NDArray[np.int64]]] = {}
    for model, paths in seen.items():
        xy, frame = clips[model].xy, clips[model].frame_of
        out[model] = [
            np.unique(people[model][np.abs(xy - path[frame]).max(axis=(1, 2)) < 1e-3])
            for path in paths
        ]
    return out


def people_of(seen: dict[str, Sequence[Path]]) -> int:
    numbers = [n for paths in told(seen).values() for path in paths for n in path]
    return len(set(numbers))


PASSER = at(100, 250, 60)


@pytest.mark.parametrize(
    ("torsos", "witness", "people"),
    # In sight of the camera 9 torsos; with nobody else in the picture, 0.5 + 6 less 1 a second.
    [(8.5, True, 2), (9.5, True, 3), (5.3, False, 1), (5.7, False, 2)],
)
def test_who_jumps_is_found_again_while_the_camera_goes_on(
    torsos: float, witness: bool, people: int
) -> None:
    jumper = then((4, at(200)), (5.9, NOBODY), (12, at(200 + 100 * torsos)))
    assert people_of({"a": [jumper, *[PASSER] * witness]}) == people


@pytest.mark.parametrize(("x", "people"), [(200, 2), (110, 3), (1170, 3)])
def test_who_is_lost_or_comes_at_the_side_may_have_left_there(x: float, people: int) -> None:
    """The picture is 1,280 px wide; nobody is 60 px wide to each side, and a torso is 100."""
    far = x + 700 if x < 640 else x - 700
    for left, came in ((x, far), (far, x)):
        jumper = then((4, at(left)), (5.9, NOBODY), (12, at(came)))
        assert people_of({"a": [jumper, PASSER]}) == people


def test_a_witness_must_see_it_all() -> None:
    jumper = then((4, at(200)), (7.9, NOBODY), (12, at(1000)))
    for spans, people in (
        (((0, 12),), 2),
        (((0, 5), (5.9, 12)), 2),
        (((0, 5), (6.9, 12)), 3),  # unseen for longer than a second
        (((4.5, 12),), 3),
        (((0, 7),), 3),
    ):
        assert people_of({"a": [jumper, only(at(600, 900), *spans)]}) == people


def test_models_of_one_person_have_no_witness_but_whom_they_turn_to() -> None:
    """The models of one person see the passer-by only while they do not see the jumper."""
    jumper = then((4, at(200)), (6, NOBODY), (12, at(950)))
    between = only(at(600, 250), (4, 6))
    assert people_of({"movenet-lightning": [jumper, between]}) == 2
    assert people_of({"blazepose-full": [jumper, between]}) == 2
    assert people_of({"movenet-multipose": [jumper, between]}) == 3
    assert people_of({"movenet-lightning": [jumper, between], "posenet": [between]}) == 3


@pytest.mark.parametrize(("seconds", "people"), [(0.1, 2), (0.2, 2), (0.5, 3)])
def test_what_is_seen_for_a_moment_in_a_fall_hides_nobody(seconds: float, people: int) -> None:
    """Somewhere on the way, too far from where they land for tracking, too short to be trusted."""
    fall = then((4, at(200)), (5.4 - seconds, NOBODY), (5.4, at(480)), (12, at(900)))
    assert people_of({"a": [fall, PASSER]}) == people


@pytest.mark.parametrize("unseen_s", [0.4, 0.9, 3.0])
def test_two_who_change_places_unseen_are_where_they_were_going(unseen_s: float) -> None:
    """Both are unseen while they pass each other, and each is then where the other one was."""
    half = unseen_s / 2
    spans = (3.0, 6.0 - half), (6.0 + half, 9.0)
    right, left = only(at(-600 + 640, 100, 100), *spans), only(at(600 + 640, 100, -100), *spans)
    numbers = told({"a": [right, left]})["a"]
    assert [len(n) for n in numbers] == [1, 1]
    assert numbers[0] != numbers[1]


def test_who_turned_round_unseen_is_who_was_there() -> None:
    for unseen_s in (0.5, 2.0):
        there = then((5, at(400, 100, 60)), (5 + unseen_s, NOBODY))
        back = only(at(400 + 600 + 60 * unseen_s, 100, -60), (5 + unseen_s, 9))
        path = np.where(np.isnan(back), there, back)
        assert people_of({"a": [path, at(100, 300)]}) == 2


@pytest.mark.parametrize("shift", [150, 300])
def test_nobody_comes_back_after_a_cut(shift: float) -> None:
    """One was lost a moment before; after the cut others stand near where they stood."""
    before = [only(at(300), (0, 4.8)), only(at(900), (0, 6))]
    after = [only(at(300 + shift, 60), (6, 12)), only(at(900 - shift, 60), (7, 12))]
    third = only(at(1150, 900), (0, 6))
    assert people_of({"a": [*before, *after, third]}) == 5
    # As long as somebody goes on through it, it is none.
    third = only(at(1150, 900), (0, 6.1))
    assert people_of({"a": [*before, *after, third]}) == 3


def test_a_single_new_person_is_no_cut() -> None:
    """The model went over from one to another for a moment; the one comes back."""
    one, other = only(at(300), (0, 5), (7, 12)), only(at(900), (5, 7))
    assert people_of({"a": [one, other]}) == 2


def test_a_track_that_is_two_people_of_another_model_is_parted() -> None:
    """One model slips from the standing man to the woman who passes; the other one sees both."""
    man, woman = at(300), only(at(900, 180, -70), (2, 12))
    slips = np.where((TIME < 8)[:, None, None], man, woman)
    clips = {"a": shown([slips], TIME, "a"), "b": shown([man, woman], TIME, "b")}
    tracks = {model: track_people(clip) for model, clip in clips.items()}
    assert len(set(tracks["a"].tolist())) == 1
    parted = without_handovers(clips, tracks, match_all(clips))
    assert np.flatnonzero(np.diff(parted["a"])).tolist() == [79]
    assert parted["b"].tolist() == tracks["b"].tolist()
    people = shared_identities(clips, tracks, match_all(clips))
    assert sorted(set(people["a"].tolist())) == sorted(set(people["b"].tolist())) == [1, 2]


def test_a_track_is_not_parted_without_proof() -> None:
    """For a moment only, or where the other model's two are never there together."""
    man, woman = at(300), only(at(360, 110), (2, 12))
    moment = np.where(((TIME > 8) & (TIME < 8.45))[:, None, None], woman, man)
    lasting = np.where((TIME > 8)[:, None, None], woman, man)
    apart = [only(man, (0, 8.05)), only(woman, (8.05, 12))]
    for a, b in (([moment], [man, woman]), ([lasting], apart)):
        clips = {"a": shown(a, TIME, "a"), "b": shown(b, TIME, "b")}
        tracks = {"a": np.zeros(len(clips["a"]), np.int64), "b": track_people(clips["b"])}
        parted = without_handovers(clips, tracks, match_all(clips))
        assert len(set(parted["a"].tolist())) == 1
