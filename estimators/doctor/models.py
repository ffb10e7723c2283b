"""The weights, and whether models answer, in the processes that they have in the app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from estimators import libraries
from estimators.doctor.report import INSTALL, Finding
from estimators.errors import PoseError

if TYPE_CHECKING:
    from estimators.runtime.api import Runner
    from estimators.settings import Settings
    from estimators.types import Frame


def weights_here() -> Iterator[Finding]:
    """Every file of weights against its SHA-256; those that are downloaded on demand are no fault.

    Raises:
        WeightsError: a manifest cannot be read.
    """
    from estimators import weights

    fine, away = [], []
    for key, entry in weights.entries().items():
        state = weights.state(key)
        if state.state == "failed" or (entry.kind == "embedded" and state.path is None):
            yield Finding("weights", "broken", f"{key}: {state.detail}")
        elif state.path is None:
            away.append(key)
        else:
            fine.append(key)
    if fine:
        yield Finding("weights", "fine", f"verified: {', '.join(fine)}")
    if away:
        yield Finding(
            "weights on demand",
            "fine",
            f"not on this machine: {', '.join(away)}",
            "`python -m estimators weights fetch KEY` brings one, the Models page too.",
        )


def smallest() -> list[str]:
    """Of each engine the variant with the least memory whose weights are on this machine.

    Not one of TensorFlow: its variants are references.
    """
    from estimators import weights
    from estimators.registry import MODELS

    least: dict[str, str] = {}
    for key in sorted(MODELS, key=lambda key: MODELS[key].expected_mb):
        here = weights.state(MODELS[key].weights).state in ("embedded", "cached")
        if here and MODELS[key].reference_of is None:
            least.setdefault(MODELS[key].engine, key)
    return list(least.values())


def models_answer(settings: Settings) -> Iterator[Finding]:
    """A small model of each engine, asked about a sample.

    Raises:
        InputError: the samples cannot be read, or models cannot run on this system at all.
    """
    from estimators.media.pictures import read_picture
    from estimators.media.samples import pictures
    from estimators.registry import MODELS
    from estimators.runtime.runner import ProcessRunner

    frame = read_picture(pictures()[0].path)
    runner = ProcessRunner(settings)
    try:
        for key in smallest():
            yield _answer(runner, MODELS[key].title, key, frame)
    finally:
        runner.close()


def _answer(runner: Runner, title: str, key: str, frame: Frame) -> Finding:
    try:
        answer = runner.estimate(key, frame)
    except PoseError as error:
        repair = libraries.cure(error.message) or error.advice or INSTALL
        return Finding(title, "broken", error.message, repair)
    if not len(answer.estimate.poses.xy):
        return Finding(title, "broken", "answers, but finds nobody in the first sample", INSTALL)
    where = answer.placement
    why = f" ({where.reason})" if where.reason else ""
    return Finding(title, "fine", f"loads and answers, on {where.words}{why}")
