"""What an evaluation has found, once computed, with what it takes to show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from estimators.analysis.accuracy.bootstrap import Figure
from estimators.analysis.accuracy.consensus import CONSENSUS
from estimators.analysis.accuracy.report import Evaluation
from estimators.analysis.thresholds import Thresholds
from estimators.annotated import AnnotatedImage
from estimators.registry import get
from estimators.workflows.evaluate.answers import Evaluated
from estimators.workflows.evaluate.measure import Measured, measure
from pages.ui.colours import colours, ink, variants
from pages.ui.evaluate.charts import Shown
from pages.ui.settings import Settings

_MEASURED = "evaluate_measured"


@dataclass(frozen=True, eq=False)
class Found:
    """One evaluation as it is shown; `models` in their order, the consensus last."""

    measured: Measured
    models: Mapping[str, Shown]

    @property
    def evaluation(self) -> Evaluation:
        return self.measured.evaluation

    def image(self, image_id: int) -> AnnotatedImage:
        """The picture with this number."""
        pictures = self.evaluation.truth.pictures
        return next(image for image in pictures if image.image_id == image_id)


def found(outcome: Evaluated, settings: Settings) -> Found:
    """Every number of the outcome, under the thresholds of the sidebar; computed once."""
    limits = {
        model: Thresholds(settings.joint_threshold(model), settings.pose_threshold(model))
        for model in outcome.models
    }
    known: tuple[Evaluated, object, Measured] | None = st.session_state.get(_MEASURED)
    if known is None or known[0] is not outcome or known[1] != limits:
        with st.spinner("Holding the answers against the truth"):
            known = outcome, limits, measure(outcome, limits)
        st.session_state[_MEASURED] = known
    measured = known[2]
    specs = [get(model) for model in outcome.models]
    shades, forms = colours(specs), variants(specs)
    named = {spec.key: (spec.title, shades[spec.key], forms[spec.key]) for spec in specs}
    named[CONSENSUS] = ("Consensus", ink(), 0)
    accuracies = measured.evaluation.report.models
    return Found(measured, {m: Shown(*named[m], accuracy) for m, accuracy in accuracies.items()})


def measured_before() -> tuple[Mapping[str, Figure], str]:
    """AP of each model that was evaluated last in this session, and the set's name."""
    known: tuple[Evaluated, object, Measured] | None = st.session_state.get(_MEASURED)
    if known is None:
        return {}, ""
    report = known[2].evaluation.report
    ap = {key: numbers.figures["AP"] for key, numbers in report.models.items() if key != CONSENSUS}
    return ap, known[0].annotated.name
