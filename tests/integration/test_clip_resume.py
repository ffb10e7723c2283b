"""Work on a clip that was stopped goes on from where it was, as if it had never stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from estimators.media.clip_info import ClipInfo
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.jobs import ClipJobs
from estimators.workflows.clip.run import ClipSettings
from tests.integration.exact_clip import clip_of
from tests.unit import fake_adapters
from tests.unit.fake_adapters import SLEEP, picture
from tests.unit.runtime_support import wait_until

ONE, TWO, THREE = "movenet-lightning", "movenet-thunder", "posenet"
FRAMES, BEFORE = 40, 15


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    models = {key: replace(fake_adapters.spec(), key=key) for key in (ONE, TWO, THREE)}
    runner = ProcessRunner(Settings(), threads=1, models=models)
    yield runner
    runner.close()


@pytest.fixture
def clip(tmp_path: Path) -> ClipInfo:
    return clip_of(tmp_path, [picture(x, 10, SLEEP, 0) for x in range(2, 2 + FRAMES)])


def calls(runner: ProcessRunner) -> dict[str, int]:
    return {entry.model: entry.calls for entry in runner.status()}


def finished(job: ClipJob) -> ClipJob:
    wait_until(lambda: job.finished)
    job.join()
    return job


def stopped(runner: ProcessRunner, clip: ClipInfo, settings: ClipSettings, frames: int) -> ClipJob:
    job = ClipJob(runner, clip, settings)
    steps = job.outcomes()
    assert len(list(islice(steps, frames))) == frames
    steps.close()
    assert (job.state, job.progress.done) == ("cancelled", frames)
    return job


def same(one: ClipJob, other: ClipJob) -> None:
    assert list(one.estimates) == list(other.estimates)
    for model, e in one.estimates.items():
        np.testing.assert_array_equal(e.frame_index, other.estimates[model].frame_index)
        np.testing.assert_array_equal(e.time_s, other.estimates[model].time_s)
        np.testing.assert_array_equal(e.xy, other.estimates[model].xy)


@pytest.mark.parametrize(("stride", "frames"), [(1, 25), (2, 3), (3, 1)])
def test_it_goes_on_from_where_it_stopped(
    runner: ProcessRunner, clip: ClipInfo, stride: int, frames: int
) -> None:
    settings = ClipSettings((ONE, THREE), stride=stride)
    whole = ClipJob(runner, clip, settings)
    whole.run()
    part = stopped(runner, clip, settings, frames)
    before = calls(runner)
    rest = ClipJob(runner, clip, settings, known=part.estimates)
    assert rest.progress.done == frames
    rest.run()
    assert rest.state == "done"
    assert (rest.progress.done, rest.progress.known) == (rest.progress.total, frames)
    same(rest, whole)
    assert [len(e) for e in part.estimates.values()] == [frames, frames], "others may look at it"
    shown_again = min(frames, BEFORE)  # to a model that follows its person
    asked = whole.progress.total - frames + shown_again
    assert calls(runner)[ONE] - before[ONE] == asked


def test_frames_are_not_shown_again_to_models_that_follow_nobody(
    runner: ProcessRunner, clip: ClipInfo
) -> None:
    settings = ClipSettings((THREE,))
    part = stopped(runner, clip, settings, 25)
    before = calls(runner)[THREE]
    ClipJob(runner, clip, settings, known=part.estimates).run()
    assert calls(runner)[THREE] - before == FRAMES - 25


def test_models_that_were_not_equally_far_all_get_to_the_end(
    runner: ProcessRunner, clip: ClipInfo
) -> None:
    settings = ClipSettings((ONE, TWO, THREE))
    whole = ClipJob(runner, clip, settings)
    whole.run()
    known = dict(stopped(runner, clip, ClipSettings((ONE,)), 30).estimates)
    known |= stopped(runner, clip, ClipSettings((TWO,)), 20).estimates
    known |= {THREE: whole.estimates[THREE]}
    job = ClipJob(runner, clip, settings, known=known)
    assert (job.ran, job.progress.done) == ((ONE, TWO), 20)
    job.run()
    same(job, whole)


def test_a_model_that_is_added_leaves_the_stopped_job_as_it_was(
    runner: ProcessRunner, clip: ClipInfo
) -> None:
    part = stopped(runner, clip, ClipSettings((ONE,)), 10)
    job = ClipJob(runner, clip, ClipSettings((ONE, TWO)), known=part.estimates)
    assert (job.ran, job.progress.done) == ((ONE, TWO), 0)
    job.run()
    assert [len(e) for e in job.estimates.values()] == [FRAMES, FRAMES]
    assert len(part.estimates[ONE]) == part.progress.done < FRAMES


def test_a_cancelled_job_is_kept_and_goes_on_for_whoever_asks(
    runner: ProcessRunner, clip: ClipInfo
) -> None:
    jobs, settings = ClipJobs(runner), ClipSettings((ONE, TWO))
    assert jobs.so_far("abc", clip, settings) is None
    job = jobs.watch("abc", clip, settings, "ann")
    assert jobs.running_on("abc", clip) == {settings: job}
    assert jobs.running_on("another", clip) == {}
    wait_until(lambda: job.progress.done >= 3)
    jobs.leave(job, "ann")
    assert jobs.running_on("abc", clip) == {}, "nobody joins what is about to end"
    finished(job)
    part = jobs.so_far("abc", clip, settings)
    assert part is not None
    assert part.progress.done == job.progress.done
    assert jobs.so_far("abc", clip, settings) is part, "what is worked out from it is kept"
    again = finished(jobs.watch("abc", clip, settings, "ben"))
    assert again.progress.known == job.progress.done
    assert [len(e) for e in again.estimates.values()] == [FRAMES, FRAMES]
    assert jobs.find("abc", clip, settings) is again


def test_who_asks_while_a_cancelled_job_still_ends_goes_on_from_what_it_did(
    runner: ProcessRunner, clip: ClipInfo
) -> None:
    jobs, settings = ClipJobs(runner), ClipSettings((ONE,))
    job = jobs.watch("abc", clip, settings, "ann")
    wait_until(lambda: job.progress.done >= 2)
    jobs.leave(job, "ann")
    again = jobs.watch("abc", clip, settings, "ben")
    assert again is not job
    assert (job.state, job.finished) == ("cancelled", True)
    assert finished(again).progress.known == job.progress.done
    assert again.state == "done"


def test_a_model_that_is_added_and_cancelled_takes_nothing_away(
    runner: ProcessRunner, clip: ClipInfo
) -> None:
    jobs = ClipJobs(runner)
    first = finished(jobs.watch("abc", clip, ClipSettings((ONE,)), "ann"))
    both = ClipSettings((ONE, TWO))
    added = jobs.watch("abc", clip, both, "ann")
    wait_until(lambda: added.progress.done >= 2)
    jobs.leave(added, "ann")
    finished(added)
    part = jobs.so_far("abc", clip, both)
    assert part is not None
    assert part.estimates[ONE] is first.estimates[ONE]
    assert len(part.estimates[TWO]) == added.progress.done
    third = jobs.so_far("abc", clip, ClipSettings((ONE, THREE)))
    assert third is not None
    assert (list(third.estimates), third.state) == ([ONE], "cancelled")
    assert third.progress.done == third.progress.total == FRAMES
