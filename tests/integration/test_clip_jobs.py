"""Clip jobs shared by viewers: computed once, ended when nobody waits, kept within bounds."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from estimators.analysis.clip import TIMINGS
from estimators.export.files import to_bytes, write_json
from estimators.export.tables import frame_table
from estimators.media.clip_info import ClipInfo
from estimators.runtime.api import RunResult, memory_by_model
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.workflows import room as rooms
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.clip.files import clip_files
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.jobs import ClipJobs, kept_bytes
from estimators.workflows.clip.run import ClipSettings
from estimators.workflows.own_folder import own_folder
from estimators.workflows.room import Need, Room
from tests.integration.exact_clip import clip_of
from tests.unit import fake_adapters
from tests.unit.fake_adapters import REFUSE, SLEEP, picture
from tests.unit.runtime_support import status, wait_until

ONE, TWO = "movenet-lightning", "movenet-thunder"
BOTH = ClipSettings((ONE, TWO))
FRAMES = 6


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    models = {key: replace(fake_adapters.spec(), key=key) for key in (ONE, TWO)}
    runner = ProcessRunner(Settings(), threads=1, models=models)
    yield runner
    runner.close()


@pytest.fixture
def clip(tmp_path: Path) -> ClipInfo:
    return clip_of(tmp_path, [picture(x, 10) for x in range(2, 2 + FRAMES)])


@pytest.fixture
def slow(tmp_path: Path) -> ClipInfo:
    """Half a minute of work."""
    return clip_of(tmp_path, [picture(5, 5, SLEEP, 4)] * 150)


def calls(runner: ProcessRunner) -> list[int]:
    return [entry.calls for entry in runner.status()]


def finished(job: ClipJob) -> ClipJob:
    wait_until(lambda: job.finished)
    job.join()
    return job


def test_the_same_clip_with_the_same_settings_is_not_computed_twice(
    runner: ProcessRunner, clip: ClipInfo
) -> None:
    jobs = ClipJobs(runner)
    assert jobs.find("abc", clip, BOTH) is None
    job = finished(jobs.watch("abc", clip, BOTH, "ann"))
    assert calls(runner) == [FRAMES, FRAMES]
    assert jobs.find("abc", clip, BOTH) is job
    again = finished(jobs.watch("abc", clip, BOTH, "ben"))
    assert again.ran == ()
    assert calls(runner) == [FRAMES, FRAMES]
    assert jobs.find("another clip", clip, BOTH) is None
    assert jobs.find("abc", clip, replace(BOTH, stride=2)) is None
    assert jobs.find("abc", replace(clip, name="other.mp4"), BOTH) is None


def test_every_time_of_a_frame_is_kept_and_whether_it_is_the_models_own(
    runner: ProcessRunner, clip: ClipInfo
) -> None:
    job, results = ClipJob(runner, clip, BOTH), []
    for n, outcome in enumerate(job.outcomes()):
        results.append(outcome.results[TWO])
        if n == 2:
            beside = runner.occupied()
            beside.__enter__()
    beside.__exit__(None, None, None)
    estimates = job.estimates[TWO]
    assert dict(zip(TIMINGS, estimates.timings_ms.T.tolist(), strict=True)) == {
        name: pytest.approx([times[name] for times in map(times_of, results)]) for name in TIMINGS
    }
    assert (estimates.timings_ms[:, 3:] > 0).all()
    assert not estimates.busy[1], "decoding waits on this frame"
    assert estimates.busy[3:].all()
    table = frame_table([estimates])
    assert table["busy"].tolist() == estimates.busy.tolist()
    document = json.loads(to_bytes(lambda sink: write_json([estimates], sink)))
    told = [frame.get("busy", False) for frame in document["results"][0]["frames"]]
    assert told == estimates.busy.tolist()


def times_of(result: RunResult) -> dict[str, float]:
    own = result.estimate.timings_ms
    return {
        "preprocess_ms": own.preprocess,
        "inference_ms": own.inference,
        "postprocess_ms": own.postprocess,
        "queue_ms": result.queue_ms,
        "transport_ms": result.transport_ms,
    }


def test_two_viewers_at_once_share_one_job(runner: ProcessRunner, slow: ClipInfo) -> None:
    jobs = ClipJobs(runner)
    job = jobs.watch("abc", slow, BOTH, "ann")
    assert jobs.watch("abc", slow, BOTH, "ben") is job
    jobs.leave(job, "ann")
    jobs.leave(job, "ben")
    finished(job)


def test_a_model_that_joins_runs_alone_and_one_that_leaves_needs_nothing(
    runner: ProcessRunner, clip: ClipInfo
) -> None:
    jobs = ClipJobs(runner)
    finished(jobs.watch("abc", clip, ClipSettings((ONE,)), "ann"))
    job = finished(jobs.watch("abc", clip, BOTH, "ann"))
    assert (job.state, job.ran, job.progress.done) == ("done", (TWO,), FRAMES)
    assert [len(e) for e in job.estimates.values()] == [FRAMES, FRAMES]
    assert calls(runner) == [FRAMES, FRAMES]
    alone = jobs.find("abc", clip, ClipSettings((TWO,)))
    assert alone is not None
    assert alone.estimates[TWO] is job.estimates[TWO]
    turned = jobs.find("abc", clip, ClipSettings((TWO, ONE)))
    assert turned is not None
    assert list(turned.estimates) == [TWO, ONE]
    assert (turned.state, turned.progress.done) == ("done", FRAMES)


def test_one_viewers_cancel_leaves_the_work_to_the_others(
    runner: ProcessRunner, slow: ClipInfo
) -> None:
    jobs = ClipJobs(runner)
    job = jobs.watch("abc", slow, BOTH, "ann")
    jobs.watch("abc", slow, BOTH, "ben")
    wait_until(lambda: job.progress.done >= 2)
    assert jobs.leave(job, "ann"), "it goes on"
    mine = job.so_far()
    done = mine.progress.done
    assert mine.state == "cancelled"
    assert {len(e) for e in mine.estimates.values()} == {done}
    wait_until(lambda: job.progress.done > done)
    assert job.state == "running"
    assert {len(e) for e in mine.estimates.values()} == {done}, "it no longer grows"
    assert not jobs.leave(job, "ben")
    assert finished(job).state == "cancelled"
    assert jobs.find("abc", slow, BOTH) is None


def test_a_closed_page_no_longer_holds_the_processor(runner: ProcessRunner, slow: ClipInfo) -> None:
    here = {"ann", "ben"}
    jobs = ClipJobs(runner, here.__contains__, patience_s=0.2)
    job = jobs.watch("abc", slow, BOTH, "ann")
    jobs.watch("abc", slow, BOTH, "ben")
    wait_until(lambda: job.progress.done >= 1)
    here.remove("ann")
    seen = job.progress.done
    wait_until(lambda: job.progress.done >= seen + 3)
    assert job.state == "running", "somebody still waits"
    here.remove("ben")
    assert finished(job).state == "cancelled"


def test_a_clip_is_there_until_the_work_that_waits_for_it_has_ended(
    runner: ProcessRunner, clip: ClipInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Room(100)
    monkeypatch.setattr(rooms, "_room", here)
    inside = Need(100)
    here.enter(inside, lambda: False)
    jobs = ClipJobs(runner)
    job = jobs.watch("abc", clip, BOTH, "ann")
    assert jobs.watch("abc", clip, BOTH, "ben") is job
    wait_until(lambda: job.place is not None)
    assert isinstance(clip.source, Path)
    clip.source.unlink()  # ann has left, or recorded another one
    here.leave(inside)
    assert (finished(job).state, job.error) == ("done", "")
    assert job.progress.done == FRAMES
    assert not list(own_folder().glob("clip-*"))


def test_work_that_waits_says_how_long_it_will_last(
    runner: ProcessRunner, clip: ClipInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = ClipJobs(runner)
    finished(jobs.watch("abc", clip, BOTH, "ann"))
    here = Room(100)
    monkeypatch.setattr(rooms, "_room", here)
    inside = Need(100)
    here.enter(inside, lambda: False)
    waiting = jobs.watch("another", clip, BOTH, "ben")
    wait_until(lambda: waiting.place is not None)
    told = [entry.median_ms for entry in runner.status()]
    answers = [FRAMES * ms / 1000 for ms in told if ms is not None]
    assert len(answers) == len(BOTH.models)
    assert waiting._left_s() == pytest.approx(sum(answers))
    here.leave(inside)
    assert finished(waiting).state == "done"


def test_a_connection_that_comes_back_in_time_loses_nothing(
    runner: ProcessRunner, clip: ClipInfo
) -> None:
    looks = iter([True, False, True])
    jobs = ClipJobs(runner, lambda viewer: next(looks, True))
    assert finished(jobs.watch("abc", clip, BOTH, "ann")).state == "done"


def test_whoever_sees_that_a_job_failed_finds_the_reason(
    runner: ProcessRunner, clip: ClipInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Watched(ClipJob):
        def __setattr__(self, name: str, value: object) -> None:
            if (name, value) == ("state", "failed"):
                told.append(self.error)
            super().__setattr__(name, value)

    def broken(*_: object) -> Iterator[None]:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("estimators.workflows.clip.job.run_clip", broken)
    job = Watched(runner, clip, BOTH)
    job.start()
    finished(job)
    assert told == [job.error] == ["RuntimeError: the disk is gone"]


def test_the_figures_tell_what_the_models_processes_hold(
    runner: ProcessRunner, clip: ClipInfo
) -> None:
    job = finished(ClipJobs(runner).watch("abc", clip, BOTH, "ann"))
    files = dict(clip_files(job, ClipAnalysis.of(job.estimates), ["json"]))
    figures = json.loads(to_bytes(files["summary.json"]))["figures"]
    told = {f["model"]: f["value"] for f in figures if f["figure"] == "memory"}
    assert told.keys() == {ONE, TWO}
    assert told == pytest.approx(memory_by_model(runner.status()), rel=0.2)


def test_models_that_failed_run_again_when_asked_for(runner: ProcessRunner, tmp_path: Path) -> None:
    clip = clip_of(tmp_path, [picture(5, 5), picture(5, 5, REFUSE)])
    jobs = ClipJobs(runner)
    job = finished(jobs.watch("abc", clip, BOTH, "ann"))
    assert job.failures == {ONE: 1, TWO: 1}
    assert jobs.find("abc", clip, BOTH) is job
    again = finished(jobs.watch("abc", clip, BOTH, "ann", afresh=True))
    assert again.ran == (ONE, TWO)
    assert jobs.find("abc", clip, BOTH) is again


def test_what_is_kept_is_bounded(runner: ProcessRunner, clip: ClipInfo) -> None:
    few = ClipJobs(runner, most_kept=2)
    first, *rest = (replace(BOTH, end_s=end) for end in (0.1, 0.2, 0.3))
    for settings in (first, *rest):
        finished(few.watch("abc", clip, settings, "ann"))
    kept = [few.find("abc", clip, settings) for settings in (first, *rest)]
    assert kept[0] is None
    assert None not in kept[1:]
    small = ClipJobs(runner, most_bytes=kept_bytes([job for job in kept if job]) // 2)
    for settings in (first, *rest):
        finished(small.watch("abc", clip, settings, "ann"))
    assert small.find("abc", clip, rest[1]) is not None
    assert small.find("abc", clip, first) is None


def test_many_viewers_at_once_start_one_job(runner: ProcessRunner, clip: ClipInfo) -> None:
    jobs = ClipJobs(runner)
    found: list[ClipJob] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(jobs.watch("abc", clip, BOTH, str(n))))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for job in found:
        finished(job)
    assert status(runner, ONE).calls == FRAMES
