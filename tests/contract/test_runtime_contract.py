"""What every runner promises, whichever process hosts the models."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from estimators.errors import InputError, ModelError, ModelLoadError
from estimators.media.pictures import read_picture
from estimators.registry import MODELS, ModelSpec
from estimators.runtime.api import Runner
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import EstimatorOptions, Frame
from tests.in_process import InProcessRunner
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import Background, count, status, wait_until

ROOT = Path(__file__).resolve().parents[2]
VIDEO = EstimatorOptions(video=True)
FRAME = fake.picture(3, 3)
SPECS = {
    spec.key: spec
    for spec in (fake.spec(), fake.spec("slow", load_s=0.3), fake.spec("broken", fail="own"))
}


def make(kind: str, models: Mapping[str, ModelSpec] = MODELS) -> Runner:
    if kind == "processes":
        return ProcessRunner(Settings(), threads=1, models=models)
    return InProcessRunner(threads=1, models=models)


@pytest.fixture(params=["processes", "in-process"])
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    runner = make(request.param, SPECS)
    yield runner
    runner.close()


def test_a_picture(runner: Runner) -> None:
    result = runner.estimate("brightest", Frame(fake.picture(40, 7).image, 5, 1.5))
    assert np.allclose(result.estimate.poses.xy, (40.5, 7.5))
    assert (result.estimate.frame_index, result.estimate.time_s) == (5, 1.5)
    assert result.queue_ms >= 0
    assert result.transport_ms >= 0
    assert not result.restarted


def test_sessions_keep_their_own_state(runner: Runner) -> None:
    with runner.open("brightest", VIDEO) as a, runner.open("brightest", VIDEO) as b:
        assert [count(each.estimate(FRAME)) for each in (a, a, b, a)] == [1, 2, 1, 3]
    for each in (a, b):
        each.close()
        with pytest.raises(ModelError, match="closed"):
            each.estimate(FRAME)


def opened(runner: Runner) -> int:
    """How many estimators the model has open, with the one that answers this."""
    box = runner.estimate("brightest", FRAME).estimate.poses.box_xyxy
    assert box is not None
    return int(box[0, 0])


def test_closed_and_forgotten_sessions_free_their_memory(runner: Runner) -> None:
    sessions = [runner.open("brightest", VIDEO) for _ in range(4)]
    for session in sessions:
        session.estimate(FRAME)
    assert opened(runner) == 5
    sessions.pop().close()
    assert opened(runner) == 4
    del session
    sessions.clear()
    gc.collect()
    assert opened(runner) == 1


def test_a_session_goes_on_after_its_model_was_retired_and_says_so(runner: Runner) -> None:
    session = runner.open("brightest", VIDEO)
    session.estimate(FRAME)
    runner.retire("brightest")
    assert status(runner).state == "stopped"
    result = session.estimate(FRAME)
    assert (result.restarted, count(result)) == (True, 1)
    assert not session.estimate(FRAME).restarted


def test_a_new_session_is_not_restarted(runner: Runner) -> None:
    for _ in range(2):
        with runner.open("brightest", VIDEO) as session:
            assert not session.estimate(FRAME).restarted


def test_an_exception_in_a_clip_costs_its_state(runner: Runner) -> None:
    session = runner.open("brightest", VIDEO)
    session.estimate(FRAME)
    with pytest.raises(ModelError, match="no such luck"):
        session.estimate(fake.picture(3, 3, fake.RAISE))
    assert session.estimate(FRAME).restarted


def test_errors_have_their_type_and_words(runner: Runner) -> None:
    with pytest.raises(InputError, match=r"too dark\. Bring a lamp"):
        runner.estimate("brightest", fake.picture(3, 3, fake.REFUSE))
    with pytest.raises(ModelLoadError, match="moon"):
        runner.estimate("broken", FRAME)
    assert status(runner, "broken").state == "failed"
    assert "moon" in (status(runner, "broken").error or "")
    for call in (runner.warm, runner.open, runner.retire):
        with pytest.raises(InputError, match="no model 'sharpest'"):
            call("sharpest")


def test_warm_loads_and_everybody_waits_for_the_same_load(runner: Runner) -> None:
    runner.warm("slow")
    calls = [Background(runner.estimate, "slow", FRAME, VIDEO, str(n)) for n in range(3)]
    assert [call.done() for call in calls] == [None] * 3
    entry = status(runner, "slow")
    assert (entry.state, entry.calls, entry.restarts) == ("ready", 3, 0)
    assert entry.load_s is not None
    assert entry.first_call_ms is not None
    assert entry.median_ms is not None


def test_one_viewer_does_not_starve_another(runner: Runner) -> None:
    runner.estimate("brightest", FRAME)
    done: list[str] = []
    started = threading.Semaphore(0)

    def ask(viewer: str) -> None:
        started.release()
        runner.estimate("brightest", fake.picture(3, 3, fake.SLEEP, 4), viewer=viewer)
        done.append(viewer)

    clip = [Background(ask, "clip") for _ in range(6)]
    for _ in clip:
        started.acquire()
    wait_until(lambda: done)
    picture = Background(ask, "picture")
    for call in (*clip, picture):
        assert call.done() is None
    # One of the clip's frames may have been under way and one more may have had its turn.
    assert done.index("picture") <= 3, done


@pytest.mark.parametrize("kind", ["processes", "in-process"])
def test_closing_twice_is_safe(kind: str) -> None:
    runner = make(kind, SPECS)
    runner.estimate("brightest", FRAME)
    session = runner.open("brightest")
    runner.close()
    runner.close()
    for call in (lambda: runner.estimate("brightest", FRAME), lambda: session.estimate(FRAME)):
        with pytest.raises(ModelError, match="runner is closed"):
            call()
    session.close()


def test_a_real_model_answers_the_same_from_both() -> None:
    picture = read_picture(sorted((ROOT / "sample_media").glob("*.jpg"))[0])
    answers = []
    for kind in ("processes", "in-process"):
        runner = make(kind)
        try:
            answers.append(runner.estimate("movenet-lightning", picture).estimate.poses)
        finally:
            runner.close()
    assert len(answers[0]) == 1
    assert np.array_equal(answers[0].xy, answers[1].xy)
    assert np.array_equal(answers[0].score, answers[1].score)


@pytest.mark.parametrize(
    ("model", "strangers"),
    [
        ("movenet-lightning", ("tensorflow", "mediapipe", "libtorch", "pandas", "matplotlib")),
        ("blazepose-lite", ("tensorflow", "libtorch", "ai_edge_litert", "pandas")),
    ],
)
def test_a_host_loads_only_its_own_framework(model: str, strangers: tuple[str, ...]) -> None:
    runner = make("processes")
    try:
        runner.estimate(model, FRAME)
        maps = Path(f"/proc/{status(runner, model).pid}/maps")
        if not maps.exists():
            pytest.skip("this system does not tell what a process has loaded")
        loaded = maps.read_text()
        assert [library for library in strangers if f"/{library}" in loaded] == []
    finally:
        runner.close()
