"""Parts of an evaluation put together: what one machine writes, or what is missing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from estimators.analysis.thresholds import Thresholds
from estimators.annotated import AnnotatedSet
from estimators.datasets.health import HealthReport
from estimators.errors import InputError, ModelCrashedError, ModelError, ModelLoadError
from estimators.export.sinks import to_bytes
from estimators.registry import get
from estimators.types import Frame, PoseSet
from estimators.workflows.evaluate.answers import Evaluated
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.files import report_files
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.measure import measure
from estimators.workflows.evaluate.seen import FILE as SEEN
from estimators.workflows.evaluate.shard import NO_TIMES, Merged, job_of, require_same, settings_of
from estimators.workflows.shards import Shard, ShardRun, find_parts
from tests.unit.evaluate_stand import LIGHTNING, MULTI, StandInRunner, annotated_set, at, found

MODELS = (LIGHTNING, MULTI)
HEALTH = HealthReport("coco", "truth.json", 12, 12, 12, 204)
PICTURES, SHARDS = 12, 3


def poses(model: str, frame: Frame) -> PoseSet:
    """Each picture another answer; MultiPose fails on the 3rd and loses its process on the 8th."""
    shade = int(frame.image[0, 0, 0])
    if model == MULTI and shade == 3:
        raise ModelError("It is too dark.")
    if model == MULTI and shade == 8:
        raise ModelCrashedError("It ended.")
    off = (0.4 if model == MULTI else 2.0) * (1 + shade % 5)
    x, y = (30, 12) if frame.width == 120 else (10, 10)
    return found(model, at(x + off, y), score=0.3 + shade / 20)


def settings(**more: object) -> EvaluateSettings:
    return EvaluateSettings(MODELS, **more)  # type: ignore[arg-type]


def truth_in(folder: Path) -> AnnotatedSet:
    truth = annotated_set(folder, PICTURES)
    (folder / "5.png").write_bytes(b"\x89PNG\r\n\x1a\n of another kind")
    return truth


def run(
    truth: AnnotatedSet, wanted: EvaluateSettings, folder: Path | None, runner: object = None
) -> Evaluated | None:
    job = EvaluateJob(runner or StandInRunner(poses), truth, wanted, folder)  # type: ignore[arg-type]
    job.run()
    return job.outcome


def write_shard(
    truth: AnnotatedSet, folder: Path, shard: Shard, runner: object = None, **more: object
) -> Path:
    wanted = settings(**more)
    place = folder / shard.folder
    place.mkdir(parents=True, exist_ok=True)
    described = job_of(truth, wanted, {MULTI: Thresholds(0.4, 0.1)})
    arguments = ("evaluate", "--shard", f"{shard.number}/{shard.of}")
    ShardRun(shard, "evaluate", described, arguments).write(place)
    run(truth, replace(wanted, shard=shard), place, runner)
    return place


def merged(truth: AnnotatedSet, *folders: Path) -> Merged:
    parts = find_parts(folders)
    wanted, thresholds = settings_of(parts.run.job)
    require_same(parts, job_of(truth, wanted, thresholds))
    return Merged(truth, wanted, parts)


def files(outcome: Evaluated) -> dict[str, bytes]:
    """Every file of the report, without what any two runs differ in: dates and times."""
    models = {
        m: replace(answers, cost=replace(answers.cost, latency_ms=1.0, busy=False))
        for m, answers in outcome.models.items()
    }
    measured = measure(replace(outcome, models=models, notes=()))
    written = {name: to_bytes(write) for name, write in report_files(measured, HEALTH)}
    date = re.compile(rb"2\d{3}-\d\d-\d\d[T ][\d:+]+")
    return {name: date.sub(b"", content) for name, content in written.items()}


def told(outcome: Evaluated | None) -> list[object]:
    """All that a report is made from, to the last bit, but times."""
    assert outcome is not None
    said: list[object] = [dict(outcome.failed), dict(outcome.unreadable), outcome.notes]
    for model, answers in outcome.models.items():
        found = [*answers.windows, *answers.invented]
        said += [model, dict(answers.failures), answers.cost.memory_mb]
        said += [(e.file, e.errors, e.xy.tobytes(), e.score.tobytes()) for e in answers.estimates]
        said += [poses.xy.tobytes() for _, poses in found]
    return said


@pytest.mark.parametrize("protocol", ["whole", "crop"])
def test_shards_make_the_report_of_one_machine(tmp_path: Path, protocol: str) -> None:
    truth = truth_in(tmp_path)
    one = run(truth, settings(protocol=protocol), None)
    asked = StandInRunner(poses)
    for number in range(1, SHARDS + 1):
        write_shard(truth, tmp_path / "parts", Shard(number, SHARDS), asked, protocol=protocol)
    together = merged(truth, tmp_path / "parts")
    assert together.problems == []
    many = together.outcome()
    assert one is not None
    assert many is not None
    assert many.notes == (NO_TIMES,)
    assert many.complete
    assert dict(many.unreadable) == dict(one.unreadable) != {}
    assert many.models[MULTI].failures == one.models[MULTI].failures
    assert set(many.models[MULTI].failures) == {"3.png", "8.png"}
    # No number of one machine's times, which a shared node's are not.
    assert str(many.models[LIGHTNING].cost.latency_ms) == "nan"
    assert told(replace(one, notes=(NO_TIMES,))) == told(many)
    if protocol == "whole":  # it takes seconds, and what it is made from was compared
        before, after = files(one), files(many)
        assert before == after
        assert len(before) == 13


def test_however_it_is_dealt_out_the_answers_are_the_same(tmp_path: Path) -> None:
    truth = truth_in(tmp_path)
    reports = []
    for of in (1, 2, 5):
        folder = tmp_path / f"of {of}"
        for number in range(of, 0, -1):
            write_shard(truth, folder, Shard(number, of))
        reports.append(told(merged(truth, folder).outcome()))
    assert reports[0] == reports[1] == reports[2]


def test_more_shards_than_pictures_are_no_harm(tmp_path: Path) -> None:
    truth = annotated_set(tmp_path, 2)
    for number in range(1, 8):
        write_shard(truth, tmp_path / "parts", Shard(number, 7))
    together = merged(truth, tmp_path / "parts")
    assert together.problems == []
    one = run(truth, settings(), None)
    assert one is not None
    assert told(together.outcome()) == told(replace(one, notes=(NO_TIMES,)))


def test_a_repeated_or_half_done_shard_is_harmless(tmp_path: Path) -> None:
    """One was cut off and run again, one was run twice in two places, one half in each of two."""
    truth = truth_in(tmp_path)
    here, there = tmp_path / "here", tmp_path / "there"
    for number in (1, 2, 3):
        write_shard(truth, here, Shard(number, SHARDS))
    expected = told(merged(truth, here).outcome())
    write_shard(truth, there, Shard(2, SHARDS))
    assert told(merged(truth, here, there).outcome()) == expected
    torn = here / "shard-1-of-3"
    for file in torn.glob("movenet*"):
        file.write_bytes(file.read_bytes()[:-200])
    problems = merged(truth, here).problems
    assert len(problems) == 1
    assert "shard 1 of 3 lacks 1 answer of movenet-lightning" in problems[0]
    runner = StandInRunner(poses)
    write_shard(truth, here, Shard(1, SHARDS), runner)
    assert len(runner.asked) <= 4  # what was torn, and what had failed
    assert merged(truth, here).problems == []
    assert told(merged(truth, here).outcome()) == expected


def test_a_missing_or_damaged_part_is_named(tmp_path: Path) -> None:
    truth = truth_in(tmp_path)
    for number in (1, 3):
        write_shard(truth, tmp_path / "parts", Shard(number, SHARDS))
    (problem,) = merged(truth, tmp_path / "parts").problems
    assert "shard 2 of 3 is missing" in problem
    assert "Run: python -m estimators evaluate --shard 2/3" in problem
    place = write_shard(truth, tmp_path / "parts", Shard(2, SHARDS))
    (file,) = place.glob(f"{MULTI}-*")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    (problem,) = merged(truth, tmp_path / "parts").problems
    assert f"1 damaged line in {file}" in problem
    assert f"shard 2 of 3 lacks 1 answer of {MULTI}" in problem
    file.unlink()
    (problem,) = merged(truth, tmp_path / "parts").problems
    assert f"{file} cannot be read" in problem
    (place / SEEN).unlink()
    (problem,) = merged(truth, tmp_path / "parts").problems
    assert LIGHTNING in problem
    assert str(place / SEEN) in problem


def test_answers_of_other_annotations_or_code_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = annotated_set(tmp_path, 4)
    write_shard(truth, tmp_path / "parts", Shard(1, 1))
    with pytest.raises(InputError, match="other annotations"):
        merged(replace(truth, sha256="another"), tmp_path / "parts")
    with pytest.raises(InputError, match="other pictures, or fewer"):
        merged(replace(truth, images=truth.images[:3]), tmp_path / "parts")
    with monkeypatch.context() as patched:
        patched.setattr("estimators.workflows.evaluate.keys.versions", lambda: {"numpy": "0"})
        with pytest.raises(InputError, match="another version of the code"):
            merged(truth, tmp_path / "parts")
    assert merged(truth, tmp_path / "parts").problems == []


def test_a_model_that_ran_nowhere_is_said_and_one_that_ran_somewhere_is_missed(
    tmp_path: Path,
) -> None:
    def without(model: str, frame: Frame) -> PoseSet:
        if model == MULTI:
            raise ModelLoadError("It has no weights.")
        return poses(model, frame)

    truth = truth_in(tmp_path)
    one = run(truth, settings(), None, StandInRunner(without))
    assert one is not None
    for number in (1, 2, 3):
        write_shard(truth, tmp_path / "a", Shard(number, 3), StandInRunner(without))
    together = merged(truth, tmp_path / "a")
    assert together.problems == []
    many = together.outcome()
    assert many is not None
    assert many.failed == one.failed == {MULTI: "It has no weights."}
    write_shard(truth, tmp_path / "a", Shard(3, 3))
    problems = merged(truth, tmp_path / "a").problems
    assert len(problems) == 2
    assert all("It has no weights." in problem for problem in problems)


def test_a_later_answer_counts_before_an_earlier_failure(tmp_path: Path) -> None:
    truth = annotated_set(tmp_path, 4)
    with_failure = truth_runner(fails=True)
    write_shard(truth, tmp_path / "parts", Shard(1, 1), with_failure)
    first = merged(truth, tmp_path / "parts").outcome()
    write_shard(truth, tmp_path / "parts", Shard(1, 1), truth_runner(fails=False))
    second = merged(truth, tmp_path / "parts").outcome()
    assert first is not None
    assert second is not None
    assert first.models[MULTI].failures == {"2.png": "Not now."}
    assert second.models[MULTI].failures == {}
    assert get(MULTI).key in second.models


def truth_runner(fails: bool) -> StandInRunner:
    def answer(model: str, frame: Frame) -> PoseSet:
        if fails and model == MULTI and int(frame.image[0, 0, 0]) == 2:
            raise ModelError("Not now.")
        return found(model)

    return StandInRunner(answer)
