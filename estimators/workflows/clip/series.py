"""A clip's numbers as series for charts, thinned so that long clips draw as fast as short ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.agreement import mean_of, median_of
from estimators.analysis.tracking import TrackOptions
from estimators.analysis.truth import TruthErrors, truth_errors
from estimators.annotated import AnnotatedImage
from estimators.media.clip_info import ClipInfo
from estimators.types import PoseSet
from estimators.workflows.clip.analysis import ClipAnalysis

# More points than a chart has pixels show nothing more.
MOST_POINTS = 1500
MOST_COLUMNS = 600
# Of the frames in which the person is there who is seen longest; more for who is there for less
# than a quarter of a second in all, which is much of a short clip only.
_A_MOMENT, _OF_A_SHORT_CLIP, _SHORT_S = 0.02, 0.1, 0.25


@dataclass(frozen=True, eq=False)
class Series:
    """One line of a chart; NaN where it is interrupted.

    Attributes:
        frame_index: int64 [N], frames of the clip.
        time_s: float64 [N].
        values: float64 [N].
    """

    frame_index: NDArray[np.int64]
    time_s: NDArray[np.float64]
    values: NDArray[np.float64]

    def after_first(self) -> Series:
        """Without the first frame, in which a model may warm up."""
        return Series(self.frame_index[1:], self.time_s[1:], self.values[1:])

    @property
    def typical(self) -> float:
        """The median of the finite values; NaN without any."""
        return median_of(self.values)

    def thinned(self, most: int = MOST_POINTS) -> Series:
        """At most about `most` points: the lowest and the highest of each stretch of frames.

        So no spike is lost, and every point is one that was measured.
        """
        if len(self.values) <= most:
            return self
        kept: list[int] = []
        for part in np.array_split(np.arange(len(self.values)), max(1, most // 2)):
            finite = part[np.isfinite(self.values[part])]
            if not len(finite):
                kept.append(int(part[0]))
                continue
            ends = {int(finite[self.values[finite].argmin()])}
            ends.add(int(finite[self.values[finite].argmax()]))
            kept.extend(sorted(ends))
        rows = np.array(kept)
        return Series(self.frame_index[rows], self.time_s[rows], self.values[rows])


@dataclass(frozen=True, eq=False)
class ScoreMap:
    """One model's score of every joint of a person over time.

    Attributes:
        time_s: float64 [C], middle of each column.
        joints: K names.
        score: float64 [K, C], mean over the frames of a column; NaN where the person is not seen.
    """

    time_s: NDArray[np.float64]
    joints: tuple[str, ...]
    score: NDArray[np.float64]


def latency_series(analysis: ClipAnalysis, model: str) -> Series:
    """The model's own time for each frame in ms; NaN where it failed."""
    e = analysis.estimates[model]
    return Series(e.frame_index, e.time_s, e.latency_ms.astype(np.float64))


def agreement_series(analysis: ClipAnalysis, person: int, model: str) -> Series:
    """How a model agrees with the others on one person: mean OKS in each frame, NaN without any."""
    over_time = analysis.report.over_time
    pairs = [i for i, pair in enumerate(over_time.pairs) if model in pair]
    oks = over_time.oks[over_time.people.index(person)][pairs].astype(np.float64)
    return Series(over_time.frame_index, over_time.time_s, mean_of(oks, axis=0))


def score_map(
    analysis: ClipAnalysis, model: str, person: int, most: int = MOST_COLUMNS
) -> ScoreMap:
    """Scores whatever the joint thresholds, so that it shows what they would hide."""
    e = analysis.estimates[model]
    score = analysis.report.scores(model, person).astype(np.float64)
    parts = np.array_split(np.arange(len(e)), min(most, max(1, len(e))))
    columns = [mean_of(score[part], axis=0) for part in parts]
    times = np.array([e.time_s[part].mean() if len(part) else np.nan for part in parts])
    return ScoreMap(times, e.skeleton.joints, np.stack(columns, axis=1))


def position_series(
    analysis: ClipAnalysis, model: str, person: int, joint: str, smoothed: bool = False
) -> tuple[Series, Series]:
    """Where a joint is in each frame, x and y in pixels; NaN where it is hidden or not seen.

    Args:
        joint: of the model's own skeleton.
        smoothed: after the One Euro filter.
    """
    e, shown = analysis.estimates[model], analysis.report.shown[model]
    rows = np.flatnonzero(analysis.report.people[model] == person)
    xy = analysis.report.smoothed(model)[shown.rows[rows]] if smoothed else shown.own_xy(rows)
    values = np.full((len(e), 2), np.nan)
    values[shown.frame_of[rows]] = xy[:, e.skeleton.index(joint)]
    x, y = (Series(e.frame_index, e.time_s, column) for column in values.T)
    return x, y


def people_in_common(analysis: ClipAnalysis) -> tuple[int, ...]:
    """The people that at least two models follow, else all of them."""
    return analysis.report.over_time.people or analysis.people


def people_worth_listing(analysis: ClipAnalysis) -> tuple[int, ...]:
    """`people_in_common` without those who are there for a moment only, most often mistakes."""
    return lasting(analysis, people_in_common(analysis))


def lasting(analysis: ClipAnalysis, people: Sequence[int]) -> tuple[int, ...]:
    """Those of `people` who are there for more than a moment."""
    frames = {person: len(_times_seen(analysis, person)) for person in people}
    longest = max(frames.values(), default=0)
    times = np.unique(np.concatenate([e.time_s for e in analysis.estimates.values()]))
    frame_s = median_of(np.diff(times)) if len(times) > 1 else 0.0

    def least(person: int) -> float:
        short = frames[person] * frame_s < _SHORT_S
        return (_OF_A_SHORT_CLIP if short else _A_MOMENT) * longest

    return tuple(person for person in people if frames[person] >= least(person))


def seen_spans(analysis: ClipAnalysis, person: int) -> list[tuple[float, float]]:
    """When any model shows a person, [(from, to)] in seconds; shorter gaps than a second count."""
    seen = _times_seen(analysis, person)
    parts = np.split(seen, np.flatnonzero(np.diff(seen) > TrackOptions().max_gap_s) + 1)
    return [(float(part[0]), float(part[-1])) for part in parts if len(part)]


def _times_seen(analysis: ClipAnalysis, person: int) -> NDArray[np.float64]:
    """Of the frames in which any model shows a person, ascending."""
    times = [np.zeros(0)]
    for model, shown in analysis.report.shown.items():
        rows = np.flatnonzero(analysis.report.people[model] == person)
        times.append(shown.clip.time_s[shown.frame_of[rows]])
    return np.unique(np.concatenate(times))


def playable_times(clip: ClipInfo, first_frame_s: float = 0.0) -> NDArray[np.float64]:
    """When a player shows each frame, strictly ascending: frames at one time get a microsecond.

    Args:
        first_frame_s: where the played file's clock stands at the first frame: at zero in copies,
            at `clip.first_frame_s` in the clip's own file.
    """
    times = clip.timestamps_s + first_frame_s
    if (np.diff(times) > 0).all():
        return times
    least = 1e-6 * np.arange(len(times))
    apart: NDArray[np.float64] = np.maximum.accumulate(times - least) + least
    return apart


@dataclass(frozen=True, eq=False)
class FramePeople:
    """One frame of a clip as if it were a picture.

    Attributes:
        shown: what each model that answered shows there, thresholds applied.
        members: of each person by number, its index in the set of every model that found it.
    """

    shown: Mapping[str, PoseSet]
    members: Mapping[int, Mapping[str, int]]

    def numbers(self, model: str) -> list[int]:
        """The number of each person that the model shows."""
        found = {each[model]: number for number, each in self.members.items() if model in each}
        return [found[i] for i in range(len(self.shown[model]))]


def frame_people(analysis: ClipAnalysis, frame_index: int) -> FramePeople:
    """Who is in a frame, by the numbers that hold for the whole clip."""
    shown: dict[str, PoseSet] = {}
    members: dict[int, dict[str, int]] = {}
    for model, people in analysis.report.shown.items():
        at = int(np.searchsorted(people.clip.frame_index, frame_index))
        if at == len(people.clip) or people.clip.frame_index[at] != frame_index:
            continue
        if people.clip.failed[at]:
            continue
        rows = np.arange(people.offsets[at], people.offsets[at + 1])
        poses = people.clip.poses(at)
        own = people.rows[rows] - people.clip.offsets[at]
        shown[model] = replace(poses.select(own), xy=people.own_xy(rows))
        for i, number in enumerate(analysis.report.people[model][rows]):
            members.setdefault(int(number), {})[model] = i
    return FramePeople(shown, dict(sorted(members.items())))


def shown_by_all(analysis: ClipAnalysis, image: AnnotatedImage) -> Mapping[str, PoseSet] | None:
    """What every model shows in a marked frame; None where not all of them answered there."""
    if image.frame_index is None:
        return None
    shown = frame_people(analysis, image.frame_index).shown
    return shown if len(shown) == len(analysis.estimates) else None


def unanswered_note(analysis: ClipAnalysis, marked: Sequence[AnnotatedImage]) -> str:
    """Of how many marked frames nothing could be told; "" where of all."""
    missing = sum(shown_by_all(analysis, image) is None for image in marked)
    if not missing:
        return ""
    return (
        f"{missing:,} of {len(marked):,} marked frames are not held against the marks: they were "
        "not processed, or not by every model."
    )


def clip_errors(analysis: ClipAnalysis, marked: Sequence[AnnotatedImage]) -> TruthErrors | None:
    """How far every model is from what is marked in frames of a clip; None where nothing is."""
    pairs = [(image, shown) for image in marked if (shown := shown_by_all(analysis, image))]
    return truth_errors(pairs) if pairs else None
