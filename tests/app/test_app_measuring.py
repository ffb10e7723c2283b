"""Estimates behind the page take turns, wait for their model quietly, and are timed fairly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image

from estimators.registry import get
from estimators.runtime.api import DEFAULT_OPTIONS, RunResult
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from pages.ui import engine, sources
from pages.ui.frames import Frames
from pages.ui.sources import Picture
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import status, wait_until

MODEL, OTHER, SLOW = "movenet-lightning", "movenet-thunder", "movenet-multipose"
SLEEPS = fake.picture(3, 3, fake.SLEEP, 6)  # 0.3 s


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    specs = [fake.spec(MODEL), fake.spec(OTHER), fake.spec(SLOW, load_s=1.0)]
    runner = ProcessRunner(Settings(), models={spec.key: spec for spec in specs}, threads=1)
    yield runner
    runner.close()
    st.cache_data.clear()


def test_one_estimate_at_a_time(runner: ProcessRunner) -> None:
    for model in (MODEL, OTHER):
        runner.warm(model).wait(60)
    jobs = engine.Jobs(runner)
    begun = [
        jobs.submit((str(n), model, DEFAULT_OPTIONS), lambda: nullcontext(SLEEPS), "viewer")
        for n, model in enumerate((MODEL, OTHER, MODEL, OTHER))
    ]
    assert [job.result(60).busy for job in begun] == [False] * 4


def test_a_model_that_loads_is_waited_for_without_asking_and_holds_nobody_up(
    runner: ProcessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.warm(MODEL).wait(60)
    jobs = engine.Jobs(runner)
    asked: list[str] = []
    really = runner.status
    monkeypatch.setattr(runner, "status", lambda: asked.append("status") or really())
    ended: dict[str, float] = {}

    def submit(model: str) -> None:
        job = jobs.submit(
            ("a", model, DEFAULT_OPTIONS), lambda: nullcontext(fake.picture(3, 3)), "v"
        )
        job.add_done_callback(lambda _: ended.setdefault(model, time.monotonic()))

    submit(SLOW)
    submit(MODEL)
    wait_until(lambda: len(ended) == 2)
    assert ended[MODEL] < ended[SLOW]
    assert asked == []


def test_what_was_measured_while_busy_is_marked_and_timed_again_when_it_is_quiet(
    runner: ProcessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, store = engine.Jobs(runner), Frames()
    monkeypatch.setattr(engine, "jobs", lambda: jobs)
    monkeypatch.setattr(sources, "frames", lambda: store)
    file = tmp_path / "a.png"
    Image.fromarray(fake.picture(3, 3).image).save(file)
    picture = Picture("a.png", "timed again", file, (72, 64), "")

    def told() -> RunResult:
        (outcome,) = engine.estimates(picture, [get(MODEL)], patience_s=5)
        assert outcome.result is not None
        return outcome.result

    with runner.occupied():
        first = told()
        assert first.busy
        assert told().busy  # it waits, and what there is stays on the page
        calls = status(runner, MODEL).calls
    wait_until(lambda: not told().busy)
    assert status(runner, MODEL).calls > calls
    calls = status(runner, MODEL).calls
    assert told().estimate.poses.xy.tolist() == first.estimate.poses.xy.tolist()
    assert status(runner, MODEL).calls == calls  # and that is that
