"""An evaluation's run: every picture once, failures apart, what is known is not asked again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from estimators.analysis.accuracy.invented import cut_crops
from estimators.analysis.accuracy.protocol import Protocol, window_around
from estimators.datasets.health import HealthReport
from estimators.devices import Placement
from estimators.errors import (
    InputError,
    ModelCrashedError,
    ModelError,
    ModelLoadError,
    PutAsideError,
)
from estimators.types import Frame, PoseSet
from estimators.workflows.evaluate.answers import nearest
from estimators.workflows.evaluate.asks import EvaluateSettings, asks, cut_out
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.measure import measure, report_data
from estimators.workflows.evaluate.progress import ModelWork
from estimators.workflows.evaluate.run import MOST_LOST
from tests.unit.evaluate_stand import (
    LIGHTNING,
    MULTI,
    SIZE,
    UPRIGHT,
    StandInRunner,
    annotated_set,
    at,
    found,
    person,
)


def plain(
    models: tuple[str, ...], protocol: Protocol = "whole", **more: object
) -> EvaluateSettings:
    """Without the crops that tell about invented joints."""
    return EvaluateSettings(models, protocol, invented=False, **more)  # type: ignore[arg-type]


def run(runner: StandInRunner, job: EvaluateJob) -> EvaluateJob:
    job.start()
    job.join(60)
    assert job.finished
    return job


def shade(frame: Frame) -> int:
    return int(frame.image[0, 0, 0])


def test_every_model_is_asked_about_every_picture_once(tmp_path: Path) -> None:
    runner, truth = StandInRunner(), annotated_set(tmp_path, 20)
    settings = plain((LIGHTNING, MULTI))
    job = run(runner, EvaluateJob(runner, truth, settings))
    assert job.state == "done"
    assert sorted(runner.asked) == sorted((m, i) for m in settings.models for i in range(1, 21))
    assert runner.retired == []  # others may be using them
    out = job.outcome
    assert out is not None
    assert out.complete
    assert [e.file for e in out.models[MULTI].estimates] == [i.file for i in truth.images]
    assert out.models[MULTI].cost.latency_ms == pytest.approx(7.0)
    assert out.models[MULTI].cost.memory_mb == 50.0
    progress = job.progress
    assert (progress.done, progress.total, progress.failed, progress.share) == (40, 40, 0, 1.0)


def test_a_failed_picture_is_one_row_and_the_rest_is_done(tmp_path: Path) -> None:
    def poses(model: str, frame: Frame) -> PoseSet:
        if model == LIGHTNING and shade(frame) == 3:
            raise ModelCrashedError("It ended.")
        return found(model)

    runner, truth = StandInRunner(poses), annotated_set(tmp_path, 6)
    job = run(runner, EvaluateJob(runner, truth, plain((LIGHTNING, MULTI))))
    assert job.state == "done"
    assert runner.asked.count((LIGHTNING, 3)) == 2  # a process lost once gets a second chance
    out = job.outcome
    assert out is not None
    assert out.models[LIGHTNING].failures == {"3.png": "It ended."}
    assert [bool(e.errors) for e in out.models[LIGHTNING].estimates] == [
        i == 3 for i in range(1, 7)
    ]
    assert out.models[MULTI].failures == {}
    assert [m.failed for m in job.progress.models] == [1, 0]


def test_a_model_that_cannot_run_is_given_up_at_once(tmp_path: Path) -> None:
    def poses(model: str, frame: Frame) -> PoseSet:
        if model == LIGHTNING:
            raise ModelLoadError("It has no weights.")
        return found(model)

    runner, truth = StandInRunner(poses), annotated_set(tmp_path, 6)
    job = run(runner, EvaluateJob(runner, truth, plain((LIGHTNING, MULTI))))
    out = job.outcome
    assert out is not None
    assert out.failed == {LIGHTNING: "It has no weights."}
    assert set(out.models) == {MULTI}
    assert len([m for m, _ in runner.asked if m == LIGHTNING]) == 1
    assert [m.state for m in job.progress.models] == ["failed", "done"]


def test_a_model_that_is_lost_on_each_picture_is_given_up(tmp_path: Path) -> None:
    def poses(model: str, frame: Frame) -> PoseSet:
        raise ModelCrashedError("It ended.")

    runner, truth = StandInRunner(poses), annotated_set(tmp_path, 30)
    job = run(runner, EvaluateJob(runner, truth, plain((LIGHTNING,))))
    assert job.outcome is None
    assert job.progress.failed == 30
    assert len(runner.asked) <= 2 * (MOST_LOST + 2)


def test_a_model_that_was_put_aside_is_waited_for(tmp_path: Path) -> None:
    def poses(model: str, frame: Frame) -> PoseSet:
        if not aside:
            aside.append(PutAsideError("It is put aside."))
            aside[0].retry_after_s = 0.1
            raise aside[0]
        return found(model)

    aside: list[PutAsideError] = []
    runner, truth = StandInRunner(poses), annotated_set(tmp_path, 3)
    out = run(runner, EvaluateJob(runner, truth, plain((LIGHTNING,)))).outcome
    assert out is not None
    assert (len(aside), out.models[LIGHTNING].failures) == (1, {})


def test_a_picture_that_cannot_be_read_is_nobodys_fault(tmp_path: Path) -> None:
    truth = annotated_set(tmp_path, 4)
    (tmp_path / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n of another kind")
    (tmp_path / "4.png").unlink()
    runner = StandInRunner()
    out = run(runner, EvaluateJob(runner, truth, plain((LIGHTNING,)))).outcome
    assert out is not None
    assert set(out.unreadable) == {"2.png", "4.png"}
    assert [image.file for image in out.annotated.images] == ["1.png", "3.png"]
    assert out.models[LIGHTNING].failures == {}
    assert out.complete


def test_a_cancelled_run_keeps_what_all_models_have_reached(tmp_path: Path) -> None:
    def poses(model: str, frame: Frame) -> PoseSet:
        if model == MULTI and shade(frame) == 3:
            job.cancel()
        return found(model)

    runner, truth = StandInRunner(poses), annotated_set(tmp_path, 6)
    job = EvaluateJob(runner, truth, plain((LIGHTNING, MULTI, "posenet")))
    assert run(runner, job).state == "cancelled"
    out = job.outcome
    assert out is not None
    assert not out.complete
    assert set(out.models) == {LIGHTNING, MULTI}
    reached = len(out.annotated.images)
    assert 2 <= reached <= 3
    assert len(out.unreached) == 6 - reached
    assert all(len(m.estimates) == reached for m in out.models.values())
    assert [m.state for m in job.progress.models] == ["done", "cancelled", "cancelled"]


def test_who_leaves_the_page_stops_the_run(tmp_path: Path) -> None:
    runner, truth = StandInRunner(), annotated_set(tmp_path, 3)
    job = EvaluateJob(runner, truth, plain((LIGHTNING,)), wanted=lambda: False)
    assert run(runner, job).state == "cancelled"
    assert runner.asked == []


def test_the_first_dozen_are_timed_with_nothing_beside_them(tmp_path: Path) -> None:
    """Later ones overlap with the reading of the next picture, so that no core waits."""

    class Watched(StandInRunner):
        read = 0

        @contextmanager
        def occupied(self) -> Iterator[None]:
            self.read += 1
            yield

    ahead: list[int] = []

    def poses(model: str, frame: Frame) -> PoseSet:
        # After the first dozen four are on their way for certain, later ones as it comes.
        until = time.monotonic() + (60 if len(ahead) == 12 else 0.003)
        while runner.read < len(ahead) + 5 and time.monotonic() < until:
            time.sleep(0.001)
        ahead.append(runner.read - len(ahead) - 1)
        return found(model)

    runner = Watched(poses)
    run(runner, EvaluateJob(runner, annotated_set(tmp_path, 24), plain((LIGHTNING,))))
    assert ahead[:12] == [0] * 12
    assert max(ahead[12:]) == 4  # three pictures, and the run as a whole


def test_a_second_run_asks_only_what_is_missing(tmp_path: Path) -> None:
    def poses(model: str, frame: Frame) -> PoseSet:
        if shade(frame) == 5 and len(runner.asked) < 6:
            raise ModelError("Not now.")
        return found(model, UPRIGHT + shade(frame))

    truth = annotated_set(tmp_path, 5)
    settings, folder = plain((LIGHTNING,)), tmp_path / "kept"
    runner = StandInRunner(poses)
    first = run(runner, EvaluateJob(runner, truth, settings, folder)).outcome
    assert first is not None
    assert set(first.models[LIGHTNING].failures) == {"5.png"}
    runner.asked = [("earlier", 0)] * 6
    second = run(runner, EvaluateJob(runner, truth, settings, folder)).outcome
    assert second is not None
    assert runner.asked[6:] == [(LIGHTNING, 5)]
    assert second.models[LIGHTNING].known == 4
    assert second.models[LIGHTNING].cost.latency_ms == pytest.approx(7.0)
    for before, after in zip(
        first.models[LIGHTNING].estimates[:4], second.models[LIGHTNING].estimates, strict=False
    ):
        np.testing.assert_array_equal(before.xy, after.xy)
    # A run that need not start the model knows what it held, and took.
    idle = StandInRunner()
    third = run(idle, EvaluateJob(idle, truth, settings, folder)).outcome
    assert third is not None
    assert idle.asked == []
    cost = third.models[LIGHTNING].cost
    assert (cost.memory_mb, round(cost.latency_ms, 3)) == (50.0, 7.0)
    # The same file under another name is the same picture; other options are another question.
    (tmp_path / "1.png").write_bytes((tmp_path / "2.png").read_bytes())
    run(runner, EvaluateJob(runner, truth, settings, folder))
    assert runner.asked[7:] == []
    run(runner, EvaluateJob(runner, truth, plain((MULTI,), people={MULTI: 1}), folder))
    assert len(runner.asked[7:]) == 5


def test_nothing_to_evaluate_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nobody"):
        EvaluateJob(
            StandInRunner(),
            annotated_set(tmp_path, 2, people=0),
            plain((MULTI,), "crop"),
        )
    with pytest.raises(InputError, match="No model"):
        EvaluateJob(StandInRunner(), annotated_set(tmp_path, 2), plain(()))


def test_crops_through_people_are_asked_last_and_kept_apart(tmp_path: Path) -> None:
    """They change nothing in the pictures' own answers; who is meant is told by the box."""
    beside = at(5, 7)

    def poses(model: str, frame: Frame) -> PoseSet:
        whole = (frame.width, frame.height) == SIZE
        return found(model) if whole else found(model, beside - 60, beside)

    truth = annotated_set(tmp_path, 3)
    runner = StandInRunner(poses)
    out = run(runner, EvaluateJob(runner, truth, EvaluateSettings((MULTI,)))).outcome
    assert out is not None
    assert runner.asked[:3] == [(MULTI, 1), (MULTI, 2), (MULTI, 3)]
    cuts = out.models[MULTI].invented
    assert len(runner.asked) == 3 + len(cuts)
    assert [cut.window for cut, _ in cuts] == [cut.window for cut in cut_crops(truth.images)]
    for cut, poses_there in cuts:
        np.testing.assert_allclose(poses_there.xy, [beside + cut.window[:2]], atol=1e-4)
    assert [e.person_count for e in out.models[MULTI].estimates] == [1, 1, 1]


# The protocol `crop`: one annotated person at a time.


def test_a_window_is_a_quarter_larger_and_inside_the_picture() -> None:
    assert window_around((40, 20, 80, 60), (200, 100)) == (35, 15, 85, 65)
    assert window_around((0, 10, 200, 100), (200, 100)) == (0, 0, 200, 100)
    assert window_around((-30, 5, -20, 6), (200, 100))[:3:2] == (0, 1)  # never empty
    assert window_around((250, 5, 260, 6), (200, 100))[:3:2] == (199, 200)
    # Pixels that it has a part of are in it: 36.125, 14.875, 84.875, 66.125.
    assert window_around((41, 20, 80, 61), (200, 100)) == (36, 14, 85, 67)


def test_cropped_answers_come_back_in_pixels_of_the_picture(tmp_path: Path) -> None:
    """The model of this test puts its joints by the left top corner of what it is shown."""
    shown: list[tuple[int, int]] = []

    def poses(model: str, frame: Frame) -> PoseSet:
        shown.append((frame.width, frame.height))
        return found(model, at(5, 7))

    truth = annotated_set(tmp_path, 2, people=2)
    runner = StandInRunner(poses)
    out = run(runner, EvaluateJob(runner, truth, plain((MULTI,), "crop"))).outcome
    assert out is not None
    windows = [ask.window for image in truth.images for ask in asks(image, "crop")]
    assert sorted(shown) == sorted((w[2] - w[0], w[3] - w[1]) for w in windows if w)
    answer = out.models[MULTI].estimates[0]
    assert answer.person_count == 2
    for i, window in enumerate(windows[:2]):
        assert window is not None
        np.testing.assert_allclose(answer.xy[i], at(5, 7) + window[:2], atol=1e-4)


def test_of_several_in_a_window_the_one_in_the_box_is_meant() -> None:
    truth = person(60)
    assert truth.box_xyxy is not None
    there, beside = at(61, 13), at(30, 12)
    both = found(MULTI, beside, there)
    np.testing.assert_allclose(nearest(both, truth.box_xyxy).xy[0], there, atol=1e-4)
    # Where nobody overlaps it, whose middle is nearest.
    away = found(MULTI, at(-200, 12), at(-100, 12))
    np.testing.assert_allclose(nearest(away, truth.box_xyxy).xy[0, 0], (-100, 12), atol=1e-4)
    assert len(nearest(PoseSet.empty(both.skeleton), truth.box_xyxy)) == 0


def test_a_picture_read_smaller_is_cut_at_its_own_pixels() -> None:
    image = np.zeros((45, 60, 3), np.uint8)
    image[20, 30] = 255
    frame = Frame(image, full_size=SIZE)  # half as large as the picture
    part, corner = cut_out(frame, (41, 21, 81, 61))
    assert part.image.shape[:2] == (21, 21)  # 10.5 to 30.5, 20.5 to 40.5: whatever has a part
    y, x = np.argwhere(part.image[..., 0] == 255)[0]
    scale = part.full_size[0] / part.width
    assert (x + 0.5) * scale + corner[0] == pytest.approx(30.5 * 2)
    assert (y + 0.5) * scale + corner[1] == pytest.approx(20.5 * 2)
    whole, at = cut_out(frame, None)
    assert whole is frame
    assert at == (0.0, 0.0)


def test_a_crowd_and_whoever_has_no_labels_are_not_cropped(tmp_path: Path) -> None:
    truth = annotated_set(tmp_path, 1, people=2)
    crowd = replace(truth.images[0].people[0], iscrowd=True, annotation_id=3)
    bare = replace(crowd, iscrowd=False, visibility=np.zeros(17), annotation_id=4)
    image = replace(truth.images[0], people=(*truth.images[0].people, crowd, bare))
    assert [ask.person for ask in asks(image, "crop")] == [1, 2]
    assert [ask.window for ask in asks(image, "whole")] == [None]


def test_all_of_a_models_answers_are_of_one_device_and_say_which(tmp_path: Path) -> None:
    runner, truth, kept = StandInRunner(), annotated_set(tmp_path, 4), tmp_path / "kept"
    runner.where = Placement("cuda:0", "a trial on it worked", "NVIDIA A100", "float16")
    job = run(runner, EvaluateJob(runner, truth, plain((MULTI,)), kept))
    assert {options.device for options in runner.options} == {"cuda:0"}
    assert job.outcome is not None
    assert job.outcome.models[MULTI].placement == runner.where
    data = report_data(measure(job.outcome), HealthReport("coco", "", 4, 4, 4, 4))
    told = data["models"][MULTI]["device"]
    assert (told["device"], told["dtype"]) == ("cuda:0", "float16")
    (file,) = kept.glob(f"{MULTI}*")
    assert file.name.startswith(f"{MULTI}-cuda-")
    asked = len(runner.asked)
    again = run(runner, EvaluateJob(runner, truth, plain((MULTI,)), kept))
    assert len(runner.asked) == asked
    assert again.outcome is not None
    assert again.outcome.models[MULTI].placement == runner.where
    runner.where = Placement()
    run(runner, EvaluateJob(runner, truth, plain((MULTI,)), kept))
    assert len(runner.asked) == 2 * asked  # those of the GPU are not taken for the CPU's


def test_an_answer_from_elsewhere_is_not_kept(tmp_path: Path) -> None:
    class Moved(StandInRunner):
        def placement(self, model: str, device: str = "") -> Placement:
            return Placement("cuda:0")

    runner, truth, kept = Moved(), annotated_set(tmp_path, 3), tmp_path / "kept"
    run(runner, EvaluateJob(runner, truth, plain((MULTI,)), kept))
    again = EvaluateJob(runner, truth, plain((MULTI,)), kept)
    assert run(runner, again).progress.models[0].known == 0


@pytest.mark.parametrize(
    ("failed", "unreadable", "error", "state"),
    [
        (0, 0, "", "done"),
        (3, 0, "No.", "done"),
        (5, 0, "No.", "failed"),
        (3, 2, "No.", "failed"),  # nothing that could be read was answered
        (0, 5, "", "done"),  # no fault of the model
    ],
)
def test_a_model_that_answered_nothing_has_failed(
    failed: int, unreadable: int, error: str, state: str
) -> None:
    work = ModelWork(LIGHTNING, 5, done=5, failed=failed, unreadable=unreadable, error=error)
    work.end()
    work.cut_off("cancelled")
    assert work.progress.state == state
