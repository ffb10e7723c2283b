"""The embedded variants answer the samples as they did when the golden files were written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from estimators.media.samples import samples
from estimators.registry import MODELS
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from tests.golden.golden import CLEAR, THREADS, VARIANTS, answers, file_of

# Other processors round otherwise, which moves sure joints by a fraction of a pixel and unsure ones
# from one guess to another; the sample frames are up to 1,280 pixels wide or tall.
POSITION_TOLERANCE_PX = 2.0
SCORE_TOLERANCE = 0.03


@pytest.fixture(scope="module")
def runner() -> Iterator[ProcessRunner]:
    hosted = ProcessRunner(Settings(), threads=THREADS)
    yield hosted
    hosted.close()


@pytest.mark.parametrize("key", VARIANTS)
def test_the_samples_are_answered_as_before(key: str, runner: ProcessRunner) -> None:
    golden = json.loads(file_of(key).read_text())
    found = answers(key, runner)
    runner.retire(key)
    assert found.keys() == golden.keys() == {sample.path.name for sample in samples()}
    for name, people in golden.items():
        have = clear(found[name])
        want = clear(people)
        assert len(have) == len(want), name
        for person, expected in zip(have, want, strict=True):
            compare(MODELS[key].default_threshold, person, expected)


def clear(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those so close to the limit that rounding may take them over it."""
    return [person for person in people if person["pose_score"] >= CLEAR + SCORE_TOLERANCE]


def compare(threshold: float, have: dict[str, Any], want: dict[str, Any]) -> None:
    assert have["pose_score"] == pytest.approx(want["pose_score"], abs=SCORE_TOLERANCE)
    sure = np.array(want["score"]) >= threshold
    assert np.array(have["score"])[sure] == pytest.approx(
        np.array(want["score"])[sure], abs=2 * SCORE_TOLERANCE
    )
    apart = np.hypot(*(np.subtract(have[axis], want[axis]) for axis in "xy"))[sure]
    assert apart.max(initial=0.0) < POSITION_TOLERANCE_PX
