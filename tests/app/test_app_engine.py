"""Estimates behind the page: the latency they tell, and what they leave behind."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import weakref
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from estimators.errors import PoseError
from estimators.registry import get
from estimators.runtime.api import DEFAULT_OPTIONS, ModelStatus, RunResult
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import Estimate, EstimatorOptions, Frame, PoseSet, Timings
from pages.ui import engine, sources
from pages.ui.frames import Frames
from pages.ui.sources import Picture
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import wait_until

ROOT = Path(__file__).resolve().parents[2]
MODEL = "movenet-lightning"

# An app with more slow estimates than it has patience for.
APP = """
import signal, sys, time
from contextlib import nullcontext
from estimators.runtime.api import DEFAULT_OPTIONS
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from pages.ui import engine, sources
from pages.ui.frames import Frames
from tests.unit import fake_adapters as fake

signal.signal(signal.SIGINT, signal.default_int_handler)
jobs = engine.Jobs(ProcessRunner(Settings(), models={"slow": fake.spec("slow")}, threads=1))
for n in range(40):
    key = (str(n), "slow", DEFAULT_OPTIONS)
    frame = fake.picture(3, 3, fake.SLEEP, 255)
    jobs.submit(key, lambda frame=frame: nullcontext(frame), "viewer")
while not jobs._turn.locked():
    time.sleep(0.01)
print("queued", flush=True)
"""


@dataclass
class Clock:
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Hosted:
    """A runner whose model loads on the calls of `cold`; times are told by `clock` alone."""

    clock: Clock
    load_s: float
    inference_ms: list[float]
    cold: tuple[int, ...] = (0,)
    calls: int = field(default=0)

    def estimate(self, *_: object) -> RunResult:
        cold = self.calls in self.cold
        self.clock.now += self.load_s if cold else 0.0
        inference = self.inference_ms[min(self.calls, len(self.inference_ms) - 1)]
        self.clock.now += inference / 1000
        self.calls += 1
        poses = PoseSet.empty(get(MODEL).skeleton)
        estimate = Estimate(poses, Timings(0, inference, 0))
        return RunResult(estimate, self.load_s * 1000, 0.1, cold)

    def status(self) -> tuple[ModelStatus, ...]:
        return (ModelStatus(MODEL, "ready", calls=self.calls),)


@pytest.mark.parametrize(
    ("load_s", "inference_ms", "told"),
    [
        (0.2, [60.0, 9.0, 5.0, 7.0, 6.0, 8.0], 7.0),  # the first call does not count
        (9.0, [900.0, 9.0, 5.0, 7.0, 6.0, 8.0], 7.0),  # nor on a machine that is slow to load
        (9.0, [4000.0, 3900.0], 3900.0),  # nor that of a slow model
        (0.2, [700.0, 300.0], 300.0),
        (0.2, [900.0, 130.0, 140.0], 130.0),  # of two the one, not what lies between
    ],
)
def test_the_latency_told_is_that_of_a_warm_model(
    load_s: float, inference_ms: list[float], told: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(engine, "time", clock)
    jobs = engine.Jobs(Hosted(clock, load_s, inference_ms))
    frame = Frame(np.zeros((8, 8, 3), np.uint8))
    result = jobs._measured(("digest", MODEL, DEFAULT_OPTIONS), frame, "viewer")
    assert result.estimate.timings_ms.inference == told


@pytest.mark.parametrize(
    ("cold", "told"),
    [
        ((0, 3), 7.0),  # lost in between, too
        ((0, 1), 7.0),
        ((0, 1, 2), 60.0),  # never warm: there is nothing else to tell
    ],
)
def test_a_lost_process_brings_no_cold_call_into_the_latency(
    cold: tuple[int, ...], told: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(engine, "time", clock)
    calls = [60.0 if n in cold else 7.0 for n in range(9)]
    jobs = engine.Jobs(Hosted(clock, 0.2, calls, cold))
    frame = Frame(np.zeros((8, 8, 3), np.uint8))
    result = jobs._measured(("digest", MODEL, DEFAULT_OPTIONS), frame, "viewer")
    assert result.estimate.timings_ms.inference == told


def test_the_first_call_of_every_process_is_cold() -> None:
    runner = ProcessRunner(Settings(), models={"a": fake.spec("a")}, threads=1)
    try:
        told = [runner.estimate("a", fake.picture(3, 3)).cold for _ in range(2)]
        runner.retire("a")
        told += [runner.estimate("a", fake.picture(3, 3)).cold for _ in range(2)]
    finally:
        runner.close()
    assert told == [True, False, True, False]


@pytest.mark.parametrize("command", [fake.RAISE, fake.KILL])
def test_a_failed_estimate_lets_go_of_its_picture(
    command: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = ProcessRunner(Settings(), models={MODEL: fake.spec(MODEL)}, threads=1)
    jobs = engine.Jobs(runner)
    monkeypatch.setattr(engine, "jobs", lambda: jobs)
    file = tmp_path / "a.png"
    Image.fromarray(fake.picture(3, 3, command).image).save(file)
    picture = Picture("a.png", f"failed {command}", file, (72, 64), "")
    store = Frames()
    monkeypatch.setattr(sources, "frames", lambda: store)
    with picture.lent() as frame:
        left = weakref.ref(frame)
    del frame
    gc.disable()  # a viewer's picture has 36 MB: it must not wait for the collector
    try:
        engine.estimates(picture, [get(MODEL)])
        job = jobs.submit((picture.digest, MODEL, EstimatorOptions()), picture.lent, "viewer")
        wait_until(job.done)
        for _ in range(2):  # as every run of the page asks again
            (outcome,) = engine.estimates(picture, [get(MODEL)])
        store.drop_left(lambda viewer: False)
        wait_until(lambda: left() is None)
    finally:
        gc.enable()
        runner.close()
    assert isinstance(outcome.error, PoseError)
    assert outcome.job is job


@pytest.mark.parametrize("last", ["time.sleep(1000)", "sys.exit(0)"])
def test_the_app_ends_without_its_queued_estimates(last: str) -> None:
    command = [sys.executable, "-c", APP + last]
    app = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert app.stdout is not None
        assert app.stdout.readline() == "queued\n"
        if "sleep" in last:
            app.send_signal(signal.SIGINT)
        app.wait(8)  # one estimate takes longer
    finally:
        app.kill()
        app.communicate()


def test_a_lost_file_is_told_to_its_owner_alone_and_another_ones_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = ProcessRunner(Settings(), models={MODEL: fake.spec(MODEL, load_s=0.5)}, threads=1)
    jobs = engine.Jobs(runner)
    monkeypatch.setattr(engine, "jobs", lambda: jobs)
    monkeypatch.setattr(sources, "frames", Frames)  # nothing stays decoded
    files = {name: tmp_path / name for name in ("Grandma.png", "x.png")}
    for file in files.values():
        Image.fromarray(fake.picture(3, 3).image).save(file)
    ann = Picture("Grandma.png", "two have it", files["Grandma.png"], (72, 64), "", viewer="ann")
    ben = Picture("x.png", "two have it", files["x.png"], (72, 64), "", viewer="ben")

    def said(picture: Picture) -> engine.Outcome:
        (outcome,) = engine.estimates(picture, [get(MODEL)], 0.0)
        return outcome

    try:
        assert said(ann).pending
        files["Grandma.png"].unlink()  # removed while the model loads
        job = said(ben).job
        assert job is not None
        wait_until(job.done)
        assert "Grandma.png" in str(said(ann).error)
        assert said(ben).pending  # and told nothing
        wait_until(lambda: not said(ben).pending)
        assert said(ben).result is not None
    finally:
        runner.close()


def test_a_file_that_was_gone_is_not_remembered_as_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "frames", Frames)
    file = tmp_path / "a.png"
    assert sources._looked_at("was gone", "a.png", file, "ann").fault
    Image.fromarray(fake.picture(3, 3).image).save(file)
    assert sources._looked_at("was gone", "a.png", file, "ben").size == (72, 64)
