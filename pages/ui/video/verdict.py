"""Which should I use?  The answer in words, from what was measured on this clip."""

from __future__ import annotations

from functools import partial

from estimators.analysis.requirements import Needs
from estimators.analysis.sentences import Place
from estimators.workflows.clip.files import clip_verdict
from estimators.workflows.verdicts import Verdicts
from pages.ui.steps import third_family
from pages.ui.verdict_box import Ways, verdict_box
from pages.ui.video import truth
from pages.ui.video.comparison import ClipComparison
from pages.ui.video.stage import go_to
from pages.ui.viewer.panels import JointRef
from pages.ui.votes import votes


def verdict_of(comparison: ClipComparison, needs: Needs) -> Verdicts:
    """What `compare` says of the clip, with the page's marks and votes."""
    errors = truth.errors(comparison)
    return clip_verdict(comparison.job, comparison.analysis, needs, errors, votes())


def clip_box(comparison: ClipComparison, verdict: Verdicts) -> None:
    """The verdict on the clip."""
    steps = third_family(comparison.job.settings.models, comparison.settings.models)
    steps[("Mark the truth", ":material/edit_location:")] = partial(truth.begin, comparison)
    steps["Vote", ":material/how_to_vote:"] = partial(truth.begin, comparison, truth.VOTE)
    verdict_box(verdict.together, Ways(_to_place, steps))


def _to_place(place: Place) -> None:
    joint = JointRef(place.model, place.person, place.joint) if place.person else None
    go_to(place.frame or 0, joint)
