"""Which model to use on pictures like these, by the annotations."""

from __future__ import annotations

from functools import partial

from estimators.analysis.sentences import Place
from estimators.workflows.evaluate.measure import about_the_best
from estimators.workflows.evaluate.verdict import verdict
from pages.ui import verdict_box as box
from pages.ui.evaluate.cases import look_at_picture
from pages.ui.evaluate.found import Found


def verdict_box(found: Found) -> None:
    """The answer for what a person needs."""
    measured = found.measured
    said = about_the_best(found.evaluation.report)
    answer = verdict(measured.outcome, measured.thresholds, said, box.chosen_needs())
    box.verdict_box(answer, box.Ways(partial(_go, found)))


def _go(found: Found, place: Place) -> None:
    if place.picture and place.model:
        look_at_picture(found, place.model, place.picture, place.joint)
