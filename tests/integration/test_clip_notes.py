"""What went wrong in a clip is told the same way on the page, in the files and on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from estimators.cli.clips import Clips
from estimators.cli.codes import FAILED
from estimators.cli.main import _parser
from estimators.export.document import write_json
from estimators.export.tables import frame_table
from estimators.registry import get
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import Frame
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.clip.answers import ClipAnswers, MergedClipJob
from estimators.workflows.clip.files import clip_files, manifest, write_folder
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.jobs import ClipJobs
from estimators.workflows.clip.run import ClipSettings
from tests.integration.exact_clip import clip_of
from tests.unit import fake_adapters
from tests.unit.cli_untimed import require_same
from tests.unit.fake_adapters import ABORT, REFUSE, picture

FOLLOWS, LOOKS_ANEW = "movenet-lightning", "movenet-multipose"
BOTH = ClipSettings((FOLLOWS, LOOKS_ANEW))


def new_runner() -> ProcessRunner:
    models = {key: replace(fake_adapters.spec(), key=key) for key in BOTH.models}
    return ProcessRunner(Settings(), threads=1, models=models)


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    runner = new_runner()
    yield runner
    runner.close()


def done(runner: ProcessRunner, folder: Path, frames: list[Frame]) -> ClipJob:
    job = ClipJob(runner, clip_of(folder, frames), BOTH)
    for _ in job.outcomes():
        pass
    return job


def test_a_track_that_broke_off_is_told(runner: ProcessRunner, tmp_path: Path) -> None:
    assert get(FOLLOWS).stateful
    assert not get(LOOKS_ANEW).stateful
    job = done(
        runner, tmp_path, [picture(5, 5), picture(6, 5, ABORT), picture(7, 5), picture(8, 5)]
    )
    assert job.state == "done"
    assert job.restarts == {FOLLOWS: [2], LOOKS_ANEW: [2]}
    failed, lost, failed_too = job.notes
    assert failed.startswith("MoveNet Lightning failed on 1 of 4 frames: ")
    assert failed_too.startswith("MoveNet MultiPose failed on 1 of 4 frames: ")
    assert "MoveNet Lightning" in lost
    assert "lost whom it followed, at 0.20 s" in lost

    described = manifest(job, ClipAnalysis.of(job.estimates))
    assert described["restarts"] == job.restarts
    assert described["notes"] == list(job.notes)
    estimates = list(job.estimates.values())
    assert frame_table(estimates)["restarted"].tolist() == [False, False, True, False] * 2
    write_json(estimates, tmp_path / "results.json")
    frames = json.loads((tmp_path / "results.json").read_text())["results"][0]["frames"]
    assert [frame.get("restarted", False) for frame in frames] == [False, False, True, False]


def test_a_model_that_lost_its_track_runs_again_when_asked_for(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    clip = clip_of(tmp_path, [picture(x, 5) for x in range(3)])
    jobs = ClipJobs(runner)
    job = jobs.watch("abc", clip, BOTH, "ann")
    job.join()
    job.estimates[FOLLOWS].restarts.append(1)
    again = jobs.watch("abc", clip, BOTH, "ann", afresh=True)
    again.join()
    assert (again.ran, again.notes) == ((FOLLOWS,), ())


def test_the_terminal_says_why_every_model_failed(
    runner: ProcessRunner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip_of(tmp_path, [picture(5, 5, REFUSE)] * 7)
    options = _parser().parse_args(["compare", str(tmp_path / "clip.mkv"), "--no-video"])
    code = Clips([tmp_path / "clip.mkv"], options, alone=True).compare(
        partial(ClipJob, runner), [get(model) for model in BOTH.models]
    )
    assert code == FAILED
    said = capsys.readouterr().err
    for model in BOTH.models:
        assert f"clip.mkv: {get(model).title} failed on 7 of 7 frames: " in said
    assert said.count("Bring a lamp.") == 2


def test_models_that_answered_apart_leave_the_files_of_one_run(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    """Also where a model is lost, or refuses a frame."""
    frames = [picture(5, 5), picture(6, 5, ABORT), picture(7, 5), picture(8, 5, REFUSE)]
    together = done(runner, tmp_path, [*frames, picture(9, 5)])
    parts: dict[str, bytes | str] = {}
    for model in BOTH.models:
        with closing(new_runner()) as elsewhere:
            alone = ClipJob(elsewhere, together.clip, replace(BOTH, models=(model,)))
            alone.run()
            parts[model] = ClipAnswers.of(alone, model).packed()
    merged = MergedClipJob(together.clip, BOTH, parts)
    merged.run()
    assert merged.notes == together.notes
    assert set(merged.memory_mb) == set(BOTH.models)
    for job, folder in ((together, "one"), (merged, "many")):
        into = tmp_path / folder
        into.mkdir()
        write_folder(into, clip_files(job, ClipAnalysis.of(job.estimates), ("csv", "json", "coco")))
    same = require_same(tmp_path / "one", tmp_path / "many")
    assert {"joints.csv", "agreement.csv", f"{FOLLOWS}.coco.json"} <= same
