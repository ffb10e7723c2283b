"""The tables that `evaluate` prints: accuracy with intervals, kinds of mistakes, scores, cost."""

from __future__ import annotations

from estimators.analysis.accuracy.bootstrap import Figure
from estimators.analysis.accuracy.headline import MEDIAN_ERROR, PCK
from estimators.analysis.accuracy.kinds import KINDS
from estimators.cli.text import number, table
from estimators.numerals import counted, people
from estimators.workflows.evaluate.measure import PROTOCOLS, Measured, notes

_FIGURES = ("AP", "AP50", "AP75", "AR", PCK, MEDIAN_ERROR)
_ACCURACY = ("MODEL", "AP", "(95 %)", "AP50", "AP75", "AR", "PCK@0.2", "ERROR (torsos)")
_MISTAKES = ("MISTAKES OF", *(f"{kind.upper()} %" for kind in KINDS), "MISSED", "BACKGROUND")
_COSTS = ("COST OF", "MEDIAN ms", "MEMORY MB", "BEST THRESHOLD", "(95 %)", "SCORE", "DEVICE")


def text(measured: Measured) -> str:
    """The whole report."""
    report = measured.evaluation.report
    whom = f"{people(report.people)} and {counted(report.joints, 'labelled joint')}"
    parts = [
        f"{PROTOCOLS[report.protocol]}.\n"
        f"{counted(report.pictures, 'picture')} with {whom}; error is the median over the "
        "joints found; AP as pycocotools tells it",
        table(_ACCURACY, _accuracy(measured), right=range(1, len(_ACCURACY))),
        table(_MISTAKES, _mistakes(measured), right=range(1, len(_MISTAKES))),
        table(_COSTS, _costs(measured), right=range(1, len(_COSTS) - 1)),
        "\n".join(f"- {note}" for note in notes(measured.outcome)),
        measured.verdict.headline,
        "\n".join(f"- {reason}" for reason in measured.verdict.reasons),
    ]
    return "\n\n".join(part for part in parts if part)


def _accuracy(measured: Measured) -> list[tuple[str, ...]]:
    rows = []
    for model, numbers in measured.evaluation.report.models.items():
        ap, *others = (numbers.figures[name] for name in _FIGURES)
        cells = (number(figure.value, 3) for figure in others)
        rows.append((model, number(ap.value, 3), _interval(ap, 3), *cells))
    return rows


def _mistakes(measured: Measured) -> list[tuple[str, ...]]:
    rows = []
    for model, numbers in measured.evaluation.report.models.items():
        kinds = numbers.kinds
        shares = (number(100 * kinds.shares[kind].value, 1) for kind in KINDS)
        people = (str(kinds.missed_people), str(kinds.background_people))
        rows.append((model, *shares, *people))
    return rows


def _costs(measured: Measured) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for model, answers in measured.outcome.models.items():
        trust = measured.evaluation.report.models[model].trust
        best = trust.recommended
        latency = number(answers.cost.latency_ms, 1) + (" (busy)" if answers.cost.busy else "")
        memory = number(answers.cost.memory_mb, 0)
        kind = trust.kind or "-"
        device = "-" if answers.placement is None else answers.placement.computed
        threshold = (number(best.value, 2), _interval(best, 2), kind)
        rows.append((model, latency, memory, *threshold, device))
    return rows


def _interval(figure: Figure, digits: int) -> str:
    if not figure.known:
        return "-"
    return f"{number(figure.low, digits)} to {number(figure.high, digits)}"
