"""Evaluations that several viewers, or one who came back, watch together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from estimators.types import Frame, PoseSet
from estimators.workflows.evaluate import jobs
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.jobs import EvaluateJobs, SetKey
from tests.unit.evaluate_stand import LIGHTNING, MULTI, StandInRunner, annotated_set, found

KEY = SetKey("mine", "content")
ONE = EvaluateSettings((LIGHTNING,), invented=False)
BOTH = EvaluateSettings((LIGHTNING, MULTI), invented=False)


class Gated:
    """A runner that answers while its gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.began = threading.Event()
        self.runner = StandInRunner(self._poses)

    def _poses(self, model: str, frame: Frame) -> PoseSet:
        self.began.set()
        assert self.gate.wait(60)
        return found(model)


@pytest.fixture
def gated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gated]:
    monkeypatch.setattr(jobs, "own_folder", lambda: tmp_path / "own")
    (tmp_path / "own").mkdir()
    stand = Gated()
    yield stand
    stand.gate.set()


def test_who_comes_back_finds_the_running_job_and_then_what_it_brought(
    gated: Gated, tmp_path: Path
) -> None:
    shared, truth = EvaluateJobs(gated.runner), annotated_set(tmp_path)
    job = shared.watch(KEY, truth, ONE, "before")
    assert shared.watch(KEY, truth, ONE, "after") is job
    assert shared.find(KEY, ONE) is job
    assert shared.running_on(KEY) == [job]
    assert shared.find(KEY, BOTH) is None
    assert shared.find(SetKey("another", "content"), ONE) is None
    gated.gate.set()
    job.join(60)
    assert shared.find(KEY, ONE) is job
    assert shared.running_on(KEY) == []
    assert not job.pictures._kept._first, "what is kept of it has no pictures in memory"
    shared.forget()
    assert shared.find(KEY, ONE) is None


def test_a_job_ends_when_the_last_who_watched_it_has_left(gated: Gated, tmp_path: Path) -> None:
    shared = EvaluateJobs(gated.runner)
    job = shared.watch(KEY, annotated_set(tmp_path), ONE, "one")
    shared.watch(KEY, annotated_set(tmp_path), ONE, "other")
    assert gated.began.wait(60)
    assert shared.leave(job, "one")
    assert not shared.leave(job, "other")
    gated.gate.set()
    job.join(60)
    assert job.state == "cancelled"


def test_what_a_job_said_is_known_to_the_next_one_on_the_same_content(
    gated: Gated, tmp_path: Path
) -> None:
    gated.gate.set()
    shared, truth = EvaluateJobs(gated.runner), annotated_set(tmp_path)
    shared.watch(KEY, truth, ONE, "me").join(60)
    asked = len(gated.runner.asked)
    later = shared.watch(SetKey("brought again", "content"), truth, BOTH, "me")
    later.join(60)
    assert later.progress.models[0].known == len(truth.images)
    assert len(gated.runner.asked) == 2 * asked  # those of the model that was added


def test_two_jobs_on_one_set_do_not_get_into_each_others_way(gated: Gated, tmp_path: Path) -> None:
    shared, truth = EvaluateJobs(gated.runner), annotated_set(tmp_path)
    running = [shared.watch(KEY, truth, settings, "me") for settings in (ONE, BOTH)]
    assert shared.running == 2
    gated.gate.set()
    for job in running:
        job.join(60)
        assert (job.state, job.error) == ("done", "")


def test_only_so_many_finished_ones_are_kept(gated: Gated, tmp_path: Path) -> None:
    gated.gate.set()
    shared, truth = EvaluateJobs(gated.runner), annotated_set(tmp_path)
    keys = [SetKey(str(n), str(n)) for n in range(jobs.MOST_FOLDERS + 4)]
    for key in keys:
        shared.watch(key, truth, ONE, "me").join(60)
    assert [shared.find(key, ONE) is not None for key in keys[-2:]] == [True, True]
    assert sum(shared.find(key, ONE) is not None for key in keys) <= jobs.MOST_KEPT + 1
    folders = list((tmp_path / "own" / "evaluations").iterdir())
    assert len(folders) <= jobs.MOST_FOLDERS + 1
    shared.forget()
    assert list((tmp_path / "own" / "evaluations").iterdir()) == []
