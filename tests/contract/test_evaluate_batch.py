"""Many pictures through several models at once give what each gives one by one, bit by bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from estimators.annotated import AnnotatedImage, AnnotatedSet
from estimators.media.pictures import read_picture
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.together import QUIET
from tests.unit.cli_process import SAMPLES

MODELS = ("movenet-lightning", "blazepose-full")
COUNT = QUIET + 12


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    runner = ProcessRunner(Settings())
    yield runner
    runner.close()


def pictures(folder: Path) -> AnnotatedSet:
    """Windows of two sample pictures, each a little narrower than the one before."""
    samples = [Image.open(SAMPLES / name) for name in ("astronaut.jpg", "two_people_outdoors.jpg")]
    images = []
    for number in range(COUNT):
        whole = samples[number % 2]
        path = folder / f"{number:02}.png"
        whole.crop((3 * number, 0, whole.width, whole.height)).resize((240, 320)).save(path)
        images.append(AnnotatedImage(path.name, 240, 320, (), image_id=number + 1, picture=path))
    return AnnotatedSet(tuple(images))


def test_answers_are_the_same_and_times_beside_others_are_marked(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    annotated = pictures(tmp_path)
    job = EvaluateJob(runner, annotated, EvaluateSettings(MODELS, invented=False))
    job.run()
    assert job.outcome is not None
    assert job.outcome.complete
    for model in MODELS:
        answers = job.outcome.models[model].estimates
        assert [answer.file for answer in answers] == [image.file for image in annotated.images]
        assert any(len(answer.poses(0)) for answer in answers)
        for image, answer in zip(annotated.images, answers, strict=True):
            assert isinstance(image.picture, Path)
            alone = runner.estimate(model, read_picture(image.picture)).estimate.poses
            np.testing.assert_array_equal(answer.poses(0).xy, alone.xy)
            np.testing.assert_array_equal(answer.poses(0).score, alone.score)
        busy = np.concatenate([answer.busy for answer in answers])
        assert busy[QUIET:].all()
        # Only the first of the others was cold, unless the machine's own load disturbed them.
        assert not busy[1:QUIET].any()
