"""Recommendations for pictures, sets of them and clips; what `verdict.json` holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.agreement import median_of
from estimators.analysis.clip import NOBODY, ClipEstimates
from estimators.analysis.facts import Cost
from estimators.analysis.plausibility import Finding
from estimators.analysis.recommend import Evidence, Recommendation, recommend
from estimators.analysis.requirements import ANYTHING, Needs
from estimators.analysis.scale import above_thresholds, found
from estimators.analysis.seen import Seen
from estimators.analysis.thresholds import Thresholds
from estimators.analysis.truth import TruthErrors, truth_errors
from estimators.analysis.votes import Vote
from estimators.annotated import AnnotatedImage
from estimators.registry import get
from estimators.workflows.clip.analysis import ClipAnalysis

# Frames of a clip that are judged, evenly over it; more say little more and take their time.
_MOST_FRAMES = 40


def seen_in(
    estimates: Mapping[str, ClipEstimates],
    frame_index: int,
    thresholds: Mapping[str, Thresholds] | None = None,
    name: str = "",
) -> Seen:
    """What every model shows in a frame that all of them were given (0: a picture)."""
    people, numbers = {}, {}
    for model, e in estimates.items():
        used = (thresholds or {}).get(model) or Thresholds.of(get(model))
        row = int(np.searchsorted(e.frame_index, frame_index))
        poses = e.poses(row)
        people[model] = above_thresholds(poses, used.joint, used.pose)
        own = e.identity[e.offsets[row] : e.offsets[row + 1]][found(poses, used.joint, used.pose)]
        if (own != NOBODY).all():
            numbers[model] = own.tolist()
    any_one = next(iter(estimates.values()))
    return Seen(people, max(any_one.size), name, frame_index, numbers)


def _answered_by_all(analysis: ClipAnalysis, models: Sequence[str]) -> NDArray[np.int64]:
    """The frames that every model answered and in which one of them sees somebody, if any is."""
    answered = [analysis.estimates[m].frame_index[~analysis.estimates[m].failed] for m in models]
    common: NDArray[np.int64] = reduce(np.intersect1d, answered)
    anybody = np.zeros(len(common), bool)
    for model in models:
        shown_clip = analysis.report.shown[model]
        occupied = shown_clip.clip.frame_index[shown_clip.people > 0]
        anybody |= np.isin(common, occupied)
    return common[anybody] if anybody.any() else common[:1]


def of_clip(
    analysis: ClipAnalysis,
    memory_mb: Mapping[str, float],
    needs: Needs = ANYTHING,
    truth: TruthErrors | None = None,
    votes: Sequence[Vote] = (),
) -> Recommendation:
    """For a clip or recording, from at most 40 frames that all answered and anybody is seen in."""
    failed = [m for m, e in analysis.estimates.items() if not len(e) or e.failed.all()]
    given = {m: e for m, e in analysis.estimates.items() if m not in failed}
    report = analysis.report
    timed = {m: report.latency[m] for m in given}
    costs = {m: Cost(t.median_ms, memory_mb.get(m, np.nan), t.busy) for m, t in timed.items()}
    if not given:
        return recommend(Evidence([], costs, failed, subject="clip"), needs)
    frames = _answered_by_all(analysis, list(given))
    spread = np.linspace(0, max(len(frames) - 1, 0), min(_MOST_FRAMES, len(frames)))
    picked = frames[np.unique(spread.astype(int))]
    seen = [seen_in(given, int(frame), analysis.thresholds) for frame in picked]
    unsteady = [f for model in given for f in _unsteady(analysis, model)]
    held = _held_to(given)
    evidence = Evidence(seen, costs, failed, truth, unsteady, "clip", held, votes, apart=not seen)
    return recommend(evidence, needs)


def _held_to(estimates: Mapping[str, ClipEstimates]) -> dict[str, int]:
    return {m: e.held_to for m, e in estimates.items() if e.held_to is not None}


def _unsteady(analysis: ClipAnalysis, model: str) -> list[Finding]:
    """What the steadiness of a model says against it, with the first frame of each kind."""
    numbers = analysis.report.temporal[model]
    index = analysis.estimates[model].frame_index
    out = []
    if len(numbers.side_swaps):
        first = int(index[numbers.side_swaps[0]])
        out.append(Finding("side swap", model, 1, (), float(len(numbers.side_swaps)), first))
    if len(numbers.limb_jumps):
        first = int(index[numbers.limb_jumps[0]])
        out.append(Finding("limb jump", model, 1, (), float(len(numbers.limb_jumps)), first))
    return out


@dataclass(frozen=True)
class Settled:
    """What a person says of pictures.

    Attributes:
        marked: the truth marked on a picture, by its name.
        votes: blind votes between two models' answers, on these pictures or others.
    """

    marked: Mapping[str, AnnotatedImage] = field(default_factory=dict)
    votes: Sequence[Vote] = ()


def of_pictures(
    estimates: Sequence[Mapping[str, ClipEstimates]],
    memory_mb: Mapping[str, float],
    needs: Needs = ANYTHING,
    thresholds: Mapping[str, Thresholds] | None = None,
    settled: Settled | None = None,
) -> tuple[list[Recommendation], Recommendation]:
    """One for each picture, and one for all of them together.

    Args:
        estimates: of each picture, what every model said, the same models for each; a picture on
            which a model failed is judged without it, and not in what is said of all.
        thresholds: by model, each variant's own without.
        settled: what somebody marked on the pictures, and voted.
    """
    own = settled or Settled()
    answered = [{m: e for m, e in each.items() if not e.errors} for each in estimates]
    models = tuple(estimates[0]) if estimates else ()
    costs = {
        m: _cost([each[m] for each in answered if m in each], memory_mb.get(m, np.nan))
        for m in models
    }
    each_one, whole = [], []
    for here in answered:
        failed = [m for m in models if m not in here]
        seen = [_picture(here, thresholds)] if here else []
        truth = _truth(seen, own.marked)
        held_to = _held_to(here)
        evidence = Evidence(seen, costs, failed, truth, held_to=held_to, votes=own.votes)
        each_one.append(recommend(evidence, needs))
        if here and not failed:
            whole += seen
    working = [m for m in models if any(m in here for here in answered)]
    if not whole and 0 < len(working) < len(models):  # a model failed on every picture
        whole = [_picture(here, thresholds) for here in answered if set(here) == set(working)]
    if len(estimates) == 1:
        return each_one, each_one[0]
    failed = [m for m in models if not whole or m not in whole[0].people]
    truth = _truth(whole, own.marked)
    together = Evidence(whole, costs, failed, truth, subject="set of pictures", votes=own.votes)
    return each_one, recommend(together, needs)


def _cost(answers: Sequence[ClipEstimates], memory_mb: float) -> Cost:
    """Median time of a picture, of quiet ones where there are any, and the memory."""
    quiet = [e for e in answers if not e.busy.any()]
    latency = median_of(np.array([e.latency_ms[0] for e in quiet or answers], float))
    return Cost(latency, memory_mb, bool(answers) and not quiet)


def _truth(seen: Sequence[Seen], marked: Mapping[str, AnnotatedImage]) -> TruthErrors | None:
    """How far the models are from what is marked; None where nothing is."""
    pairs = [(marked[s.name], s.people) for s in seen if s.name in marked]
    pairs = [(image, people) for image, people in pairs if image.keypoints]
    return truth_errors(pairs) if pairs else None


def _picture(
    estimates: Mapping[str, ClipEstimates], thresholds: Mapping[str, Thresholds] | None
) -> Seen:
    return seen_in(estimates, 0, thresholds, next(iter(estimates.values())).file)


@dataclass(frozen=True)
class Verdicts:
    """One recommendation a picture or clip, and one for all of them together.

    Attributes:
        names: of the pictures or clips.
    """

    names: tuple[str, ...]
    each: Sequence[Recommendation]
    together: Recommendation

    def as_data(self) -> dict[str, Any]:
        """What `verdict.json` holds; docs/formats.md describes it."""
        pairs = zip(self.names, self.each, strict=True)
        pictures = [{"file": name, **verdict.as_data()} for name, verdict in pairs]
        return {
            "format": "pose-comparison-verdict/1",
            "pictures": pictures,
            "all": self.together.as_data(),
        }

    def write(self, sink: BinaryIO) -> None:
        """`as_data` as UTF-8 JSON."""
        text = json.dumps(self.as_data(), indent=1, ensure_ascii=False, allow_nan=False)
        sink.write(text.encode())

    @property
    def text(self) -> str:
        """What the terminal is told: the verdict over all with its reasons."""
        reasons = "\n".join(f"- {reason}" for reason in self.together.reasons)
        return f"{self.together.headline}\n{reasons}".rstrip()
