"""Why nobody is shown, in words: a page never blames thresholds for what no model has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.scale import FEWEST_JOINTS
from estimators.analysis.thresholds import Absence, Thresholds
from estimators.registry import ModelSpec
from pages.ui import engine
from pages.ui.settings import Settings

_WORKING = "is still working"
_NO_WEIGHTS = "has no weights on this machine yet"
_BRIEFLY = {
    "failed": "failed",
    "nobody": "nobody found",
    "people": "hidden by the person threshold",
    "joints": "hidden by the joint threshold",
}


def why_nobody(
    settings: Settings,
    specs: Sequence[ModelSpec],
    estimates: Mapping[str, ClipEstimates],
) -> list[str]:
    """A sentence for each model none of whose people count, and what to do about it.

    Args:
        specs: of the models to ask about, those that have not answered, too.
        estimates: the answers by model; they may be left out.
    """
    said = {spec.title: _reason(settings, spec, estimates.get(spec.key)) for spec in specs}
    return [f"{title} {words}" for title, words in said.items() if words]


def briefly(answer: ClipEstimates, thresholds: Thresholds) -> str:
    """Why a model shows nobody, for a heading; "" where it shows somebody."""
    absence = Absence.of(answer, thresholds)
    return _BRIEFLY[absence.why] if absence is not None else ""


def listed(first: str, reasons: Sequence[str]) -> str:
    """What is not there, and why, as Markdown."""
    if len(reasons) == 1:
        return f"{first} {reasons[0]}"
    return "\n".join([first, *(f"- {reason}" for reason in reasons)])


def _reason(settings: Settings, spec: ModelSpec, answer: ClipEstimates | None) -> str:
    joint, pose = settings.joint_threshold(spec.key), settings.pose_threshold(spec.key)
    if answer is None:
        return f"{_WORKING if engine.has_weights(spec.key) else _NO_WEIGHTS}."
    absence = Absence.of(answer, Thresholds(joint, pose))
    if absence is None:
        return ""
    if absence.why == "failed":
        return "failed: its own panel says why."
    if absence.why == "nobody":
        return "found nobody."
    if absence.why == "people":
        return (
            f"is not sure enough of anybody: {absence.strongest:.2f} at most, and people below "
            f"{pose:.2f} are hidden. Lower “Hide people below” in the sidebar."
        )
    return (
        f"shows nobody with {FEWEST_JOINTS} joints or more over its {spec.score_kind} threshold of "
        f"{joint:.2f}. Lower “Hide joints below” in the sidebar."
    )
