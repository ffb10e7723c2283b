"""Pages ask again and again whether something is done, and many of them ask less often."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

import pytest
import streamlit as st

from estimators.registry import get
from estimators.runtime.api import RunResult
from estimators.types import Estimate, PoseSet, Timings
from pages.ui import polling
from pages.ui.engine import Outcome
from pages.ui.image.waiting import rerun_when_done
from pages.ui.polling import polled

SPEC = get("movenet-lightning")


@pytest.fixture
def asked_every(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds between two runs of each fragment that is drawn."""
    told: list[float] = []

    def fragment(function: Callable[..., None], run_every: float) -> Callable[..., None]:
        told.append(run_every)
        return function

    monkeypatch.setattr(st, "fragment", fragment)
    return told


@pytest.mark.parametrize(("pages", "seconds"), [(0, 0.2), (5, 0.2), (20, 0.6), (100, 3.0)])
def test_the_more_pages_are_open_the_less_often_each_asks(
    monkeypatch: pytest.MonkeyPatch, asked_every: list[float], pages: int, seconds: float
) -> None:
    monkeypatch.setattr(polling, "connected", lambda: pages)
    drawn: list[str] = []
    polled(0.2)(drawn.append)("done")
    assert asked_every == pytest.approx([seconds])
    assert drawn == ["done"]


def test_a_better_time_of_an_answer_is_asked_for_rarely(asked_every: list[float]) -> None:
    job: Future[RunResult] = Future()
    known = RunResult(Estimate(PoseSet.empty(SPEC.skeleton), Timings(1, 1, 1)), 0, 0, busy=True)
    rerun_when_done([Outcome(SPEC, known)])
    rerun_when_done([Outcome(SPEC, job=job)])
    rerun_when_done([Outcome(SPEC, known, job=job)])
    rerun_when_done([Outcome(SPEC, known, job=job), Outcome(SPEC, job=job)])
    assert asked_every == [0.2, 2.0, 0.2]
