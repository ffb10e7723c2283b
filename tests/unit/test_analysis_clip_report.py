"""The report of a clip puts the numbers together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from analysis_motion import clip_of, irregular, vanished, walking

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.clip_report import report_clip
from estimators.analysis.shown import Thresholds
from estimators.analysis.verdict import Cost, verdict

TIME = irregular(4, 30)
LEFT = walking(TIME, (100, 50), (20, 0))
RIGHT = walking(TIME, (900, 50), (-20, 0))
SINGLE, MULTI, RCNN = "movenet-lightning", "movenet-multipose", "keypointrcnn-fast"


def estimates() -> dict[str, ClipEstimates]:
    noise = np.random.default_rng(0).normal(0, 3, LEFT.shape)
    return {
        SINGLE: clip_of([LEFT + noise], TIME, SINGLE),
        MULTI: clip_of([LEFT, RIGHT], TIME, MULTI),
        RCNN: clip_of([LEFT, vanished(RIGHT, 10, 12)], TIME, RCNN),
    }


def test_facts_count_people_a_frame_and_lead_to_a_verdict() -> None:
    report = report_clip(estimates())
    frames = len(TIME)
    assert report.agreed_people == 2 * frames - 3
    facts = {f.model: f for f in report.facts({MULTI: Cost(9, 150), RCNN: Cost(600, 1200)})}
    assert (facts[SINGLE].found, facts[SINGLE].agreed) == (frames, frames)
    assert (facts[MULTI].found, facts[MULTI].agreed) == (2 * frames, 2 * frames - 3)
    assert (facts[RCNN].found, facts[RCNN].agreed) == (2 * frames - 3, 2 * frames - 3)
    assert facts[MULTI].distance < facts[SINGLE].distance < 0.1
    answer = verdict(list(facts.values()), report.agreed_people, "clip")
    assert answer.model == MULTI


def test_latency_disputes_and_steadiness_are_there() -> None:
    report = report_clip(estimates())
    assert report.latency[MULTI].median_ms == 7
    assert report.latency[MULTI].count == len(TIME) - 1
    assert {d.frame_index for d in report.disputed(1)} == {10}
    assert report.temporal[SINGLE].median_jitter > 10 * report.temporal[MULTI].median_jitter


def test_scores_of_a_person_over_all_frames() -> None:
    report = report_clip(estimates())
    right = int(report.people[RCNN][report.shown[RCNN].xy[:, 0, 0] > 500][0])
    scores = report.scores(RCNN, right)
    assert scores.shape == (len(TIME), 17)
    assert np.isnan(scores[10:13]).all()
    np.testing.assert_allclose(np.delete(scores, [10, 11, 12], axis=0), 0.9)


def test_smoothing_calms_each_person_and_leaves_the_estimates_alone() -> None:
    given = estimates()
    before = given[SINGLE].xy.copy()
    report = report_clip(given)
    smooth = report.smoothed(SINGLE)
    np.testing.assert_array_equal(given[SINGLE].xy, before)
    assert smooth.shape == before.shape
    calm = np.abs(np.diff(smooth - LEFT, axis=0)).mean()
    assert calm < 0.5 * np.abs(np.diff(before - LEFT, axis=0)).mean()


def test_thresholds_count_on_each_models_own_scale() -> None:
    given = estimates()
    report = report_clip(given, {MULTI: Thresholds(joint=0.95)})
    assert len(report.shown[MULTI]) == 0
    assert report.temporal[MULTI].people == 0
    assert len(report.shown[RCNN]) == 2 * len(TIME) - 3


def test_identities_are_the_same_in_all_models() -> None:
    given = estimates()
    people = report_clip(given).people
    left = {int(i) for m, e in given.items() for i in people[m][e.xy[:, 0, 0] < 500]}
    right = {int(i) for m, e in given.items() for i in people[m][e.xy[:, 0, 0] > 500]}
    assert len(left) == len(right) == 1
    assert left != right


def test_heavy_packages_are_imported_only_when_needed() -> None:
    code = (
        "import sys, estimators.analysis.clip_report, estimators.analysis.verdict, "
        "estimators.export.coco, estimators.export.files, estimators.export.tables; "
        "print({'scipy', 'pandas', 'pyarrow', 'cv2'} & set(sys.modules))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


@pytest.mark.parametrize("models", [[], [SINGLE]])
def test_none_or_one_model_is_enough(models: list[str]) -> None:
    report = report_clip({m: e for m, e in estimates().items() if m in models})
    assert report.agreed_people == 0
    assert report.disputed() == ()
    assert len(report.facts({})) == len(models)
