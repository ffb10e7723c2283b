"""A clip's comparison with real models: background work, cancel, repeatable answers, files."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from estimators.errors import InputError
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import frames, open_clip
from estimators.render.style import model_styles
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.clip.files import write_clip_zip
from estimators.workflows.clip.job import UNREADABLE, ClipJob
from estimators.workflows.clip.run import ClipSettings
from estimators.workflows.clip.series import people_worth_listing, seen_spans
from estimators.workflows.clip.video import Look, annotate
from tests.clip_factory import Recipe, make_clip

SAMPLES = Path(__file__).parents[2] / "sample_media"
MODELS = ("movenet-lightning", "blazepose-lite")


@pytest.fixture(scope="module")
def runner() -> Iterator[ProcessRunner]:
    runner = ProcessRunner(Settings())
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def balance() -> ClipInfo:
    return open_clip(SAMPLES / "balance.mp4")


def finished(job: ClipJob) -> ClipJob:
    job.start()
    job.join()
    return job


@pytest.fixture(scope="module")
def job(runner: ProcessRunner, balance: ClipInfo) -> ClipJob:
    return finished(ClipJob(runner, balance, ClipSettings(MODELS, end_s=0.5, stride=3)))


def test_the_job_tells_its_progress_and_keeps_every_frame(job: ClipJob, balance: ClipInfo) -> None:
    assert (job.state, job.error, job.failures) == ("done", "", {})
    progress = job.progress
    assert progress.done == progress.total == 11
    assert progress.rate > 0
    assert progress.left_s == 0
    for model in MODELS:
        estimates = job.estimates[model]
        assert estimates.frame_index.tolist() == list(range(0, 31, 3))
        np.testing.assert_array_equal(estimates.time_s, balance.timestamps_s[:31:3])
        assert (estimates.people >= 1).all()


def test_the_same_clip_twice_gives_the_same_answers(
    runner: ProcessRunner, job: ClipJob, balance: ClipInfo
) -> None:
    again = finished(ClipJob(runner, balance, job.settings))
    for model in MODELS:
        np.testing.assert_array_equal(again.estimates[model].xy, job.estimates[model].xy)


def test_cancel_keeps_what_is_done(runner: ProcessRunner, balance: ClipInfo) -> None:
    job = ClipJob(runner, balance, ClipSettings(("movenet-lightning",)))
    for outcome in job.outcomes():
        if outcome.frame.index == 4:
            job.cancel()
    assert job.state == "cancelled"
    assert len(job.estimates["movenet-lightning"]) == job.progress.done == 5


def test_a_job_nobody_wants_any_more_stops(runner: ProcessRunner, balance: ClipInfo) -> None:
    settings = ClipSettings(("movenet-lightning",))
    job: ClipJob = ClipJob(runner, balance, settings, wanted=lambda: job.progress.done < 3)
    assert finished(job).state == "cancelled"
    assert job.progress.done == 3


def test_a_clip_without_the_wanted_frames_is_refused(
    runner: ProcessRunner, balance: ClipInfo
) -> None:
    with pytest.raises(InputError, match="no frame between"):
        ClipJob(runner, balance, ClipSettings(MODELS, start_s=99.0))


def test_a_frame_that_cannot_be_decoded_is_recorded_as_failed(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    path = make_clip(tmp_path / "whole.mp4", Recipe(pts=tuple(range(12))))
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        spoilt = packets[-1]
        assert spoilt.pos is not None
        data[spoilt.pos : spoilt.pos + spoilt.size] = bytes(spoilt.size)
    clip = open_clip(bytes(data), name="spoilt.mp4")
    job = finished(ClipJob(runner, clip, ClipSettings(("movenet-lightning",))))
    estimates = job.estimates["movenet-lightning"]
    assert job.state == "done"
    assert len(estimates) == job.progress.total == clip.frame_count
    assert list(estimates.errors.values()) == [UNREADABLE] * len(estimates.errors)


def test_the_archive_holds_video_numbers_and_origins(
    job: ClipJob, balance: ClipInfo, tmp_path: Path
) -> None:
    annotate(job, tmp_path / "annotated.mp4")
    analysis = ClipAnalysis.of(job.estimates)
    write_clip_zip(
        job, analysis, tmp_path / "all.zip", {"annotated.mp4": tmp_path / "annotated.mp4"}
    )
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
        results = json.loads(archive.read("movenet-lightning.coco.json"))
        rows = list(csv.DictReader(archive.read("joints.csv").decode().splitlines()))
    assert names >= {"joints.csv", "joints.parquet", "frames.csv", "frames.parquet"}
    assert names >= {"summary.csv", "summary.json", "agreement.csv", "agreement.parquet"}
    assert names >= {"smoothed.csv", "smoothed.parquet"}
    assert "verdict.json" in names
    assert names >= {f"{model}.coco.json" for model in MODELS} | {"annotated.mp4", "results.json"}
    assert len(manifest["models"]["blazepose-lite"]["weights"]["sha256"]) == 64
    assert manifest["settings"]["stride"] == 3
    assert manifest["thresholds"]["movenet-lightning"] == {"joint": 0.3, "pose": 0.2}
    assert "1" in {r["identity"] for r in rows}
    assert manifest["machine"]["cores_available"] >= 1
    assert manifest["versions"]["mediapipe"]
    assert [r["image_id"] for r in results] == list(range(0, 31, 3))


def test_the_video_shows_each_model_in_its_tile_at_the_clips_times(
    job: ClipJob, balance: ClipInfo, tmp_path: Path
) -> None:
    annotate(job, tmp_path / "annotated.mp4")
    written = open_clip(tmp_path / "annotated.mp4")
    np.testing.assert_allclose(written.timestamps_s, balance.timestamps_s[:31:3], atol=1e-4)
    assert (written.codec, written.pixel_format) == ("h264", "yuv420p")
    # Two tiles of 540 pixels; the last frame is shown until the next third one would come.
    assert written.width == 1080
    assert written.duration_s == pytest.approx(11 * 3 / 60, abs=1e-3)


def test_the_video_may_show_all_models_in_one_picture_above_their_legend(
    job: ClipJob, balance: ClipInfo, tmp_path: Path
) -> None:
    annotate(job, tmp_path / "out.mp4", Look(together=True))
    first = next(frames(open_clip(tmp_path / "out.mp4"))).image
    assert first.shape[1] == balance.width
    legend = first[balance.height + 40 :].astype(int)
    for style in model_styles(job.settings.models).values():
        assert (np.abs(legend - style.colour).max(axis=2) < 60).sum() > 20


def test_the_video_shows_what_the_thresholds_leave(job: ClipJob, tmp_path: Path) -> None:
    colour = np.array(model_styles(MODELS)["movenet-lightning"].colour)

    def coloured(look: Look) -> int:
        annotate(job, tmp_path / "out.mp4", look)
        first = next(frames(open_clip(tmp_path / "out.mp4"))).image
        tile = first[80:, : first.shape[1] // 2].astype(int)
        return int((np.abs(tile - colour).max(axis=2) < 60).sum())

    key = "movenet-lightning"
    half = float(np.median(job.estimates[key].score[0]))
    all_joints, fewer, nobody = (
        coloured(Look({key: 0.0})),
        coloured(Look({key: half})),
        coloured(Look(pose_thresholds={key: 1.01})),
    )
    # Part of the background has a similar colour.
    assert all_joints - nobody > 1.2 * (fewer - nobody) > 500


def test_a_video_that_is_called_off_leaves_nothing(job: ClipJob, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        annotate(job, tmp_path / "out.mp4", progress=stop)
    assert told == [(n, 11) for n in range(5)]
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_jobs_video_ends_where_every_model_has_answered(
    runner: ProcessRunner, balance: ClipInfo, tmp_path: Path
) -> None:
    one = ClipSettings(("movenet-lightning",), end_s=0.2)
    known = finished(ClipJob(runner, balance, one)).estimates
    both = replace(one, models=MODELS)
    cut: ClipJob = ClipJob(runner, balance, both, lambda: cut.progress.done < 5, known)
    assert finished(cut).state == "cancelled"
    assert [len(e) for e in cut.estimates.values()] == [13, 5]
    annotate(cut, tmp_path / "out.mp4")
    assert open_clip(tmp_path / "out.mp4").frame_count == 5
    rows = ClipAnalysis.of(cut.estimates).report.over_time
    assert len(rows.frame_index) == 13


def test_what_is_done_can_be_taken_while_the_work_goes_on(
    runner: ProcessRunner, balance: ClipInfo
) -> None:
    job = ClipJob(runner, balance, ClipSettings(("movenet-lightning",), end_s=0.2))
    parts = []
    for outcome in job.outcomes():
        if outcome.frame.index == 4:
            parts.append(job.so_far())
    (part,) = parts
    assert (part.state, part.progress.done, len(part.estimates["movenet-lightning"])) == (
        "cancelled",
        5,
        5,
    )
    assert (job.state, job.progress.done) == ("done", 13)
    assert part.id != job.id


def test_a_whole_clip_keeps_its_sound_and_a_cancelled_one_only_as_much(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    recipe = Recipe(pts=tuple(range(0, 60, 2)), audio="aac")
    clip = open_clip(make_clip(tmp_path / "sound.mp4", recipe))
    assert clip.has_audio
    settings = ClipSettings(("movenet-lightning",))
    whole = finished(ClipJob(runner, clip, settings))
    cut: ClipJob = ClipJob(runner, clip, settings, wanted=lambda: cut.progress.done < 10)
    lengths = []
    for job in (whole, finished(cut)):
        annotate(job, tmp_path / "out.mp4")
        with av.open(str(tmp_path / "out.mp4")) as container:
            sound = container.streams.audio[0]
            lengths.append(
                float(sum(p.duration or 0 for p in container.demux(sound)) * sound.time_base)
            )
    assert lengths[1] < 0.6 * lengths[0]


def test_the_man_who_jumps_off_the_roof_stays_one_person(runner: ProcessRunner) -> None:
    """The models lose him on the roof or in the air, and find him again on the grass."""
    street = open_clip(SAMPLES / "street.mp4")
    models = ("movenet-multipose", "movenet-lightning")
    job = finished(ClipJob(runner, street, ClipSettings(models, stride=5)))
    for shown in (models, models[:1], models[1:]):
        analysis = ClipAnalysis.of({model: job.estimates[model] for model in shown})
        man, woman = sorted(people_worth_listing(analysis), key=lambda n: seen_spans(analysis, n))
        assert seen_spans(analysis, man)[0][0] < 0.5
        assert seen_spans(analysis, man)[-1][-1] > 7
        assert seen_spans(analysis, woman)[0][0] > 1
