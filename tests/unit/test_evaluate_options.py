"""The options of `evaluate`, and what it says of them before any model runs."""

from __future__ import annotations

import math
import os
import signal
import threading
from pathlib import Path

import pytest

from estimators.cli.evaluate import KEPT, _kept
from estimators.cli.main import main
from estimators.cli.thresholds import asked_thresholds
from estimators.cli.watch import progress_text, work
from estimators.errors import InputError, ModelError
from estimators.registry import get
from estimators.types import Frame, PoseSet
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.progress import EvaluateProgress, ModelProgress
from estimators.workflows.evaluate.records import SUFFIX
from tests.unit.evaluate_stand import StandInRunner, annotated_set, found

ROOT = Path(__file__).parents[2]
TRUTH = ROOT / "sample_media" / "annotations.json"
SPECS = [get("movenet-lightning"), get("blazepose-full")]


def test_thresholds_are_for_all_models_or_one() -> None:
    assert [t.joint for t in asked_thresholds([], SPECS).values()] == [
        spec.default_threshold for spec in SPECS
    ]
    assert [t.joint for t in asked_thresholds(["0.4"], SPECS).values()] == [0.4, 0.4]
    found = asked_thresholds(["0.4,blazepose-full=0.7", "blazepose-full=0.6"], SPECS)
    assert [t.joint for t in found.values()] == [0.4, 0.6]
    assert found["blazepose-full"].pose == get("blazepose-full").default_pose_threshold


@pytest.mark.parametrize("text", ["half", "", "nan", "inf", "blazepose-full=", "posenet=0.3"])
def test_a_threshold_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--threshold"):
        asked_thresholds([text], SPECS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--annotations": "nowhere.json"}, "nowhere.json"),
        ({"--images": "nowhere"}, "nowhere"),
        ({"--annotations": str(ROOT / "README.md")}, "README.md"),
        ({"--models": "none-such"}, "none-such"),
        ({"--threshold": "half"}, "half"),
        ({"--people": "0"}, "'0'"),
        ({"--protocol": "both"}, "both"),
        ({"--output": "/dev/null/folder"}, "/dev/null/folder"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_line(
    change: dict[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"--images": str(TRUTH.parent), "--annotations": str(TRUTH)}
    options |= {"--models": "movenet-lightning", "--output": str(tmp_path)} | change
    try:
        code = main(["evaluate", *(part for pair in options.items() for part in pair)])
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert said in told.err
    assert list(tmp_path.iterdir()) == []


def test_without_resume_it_starts_anew(tmp_path: Path) -> None:
    """Estimates go; whatever else lies there stays."""
    (tmp_path / KEPT).mkdir()
    old, mine = tmp_path / KEPT / f"posenet-0{SUFFIX}", tmp_path / KEPT / "notes.txt"
    for file in (old, mine):
        file.write_text("kept")
    assert _kept(tmp_path, resume=True) == tmp_path / KEPT
    assert old.exists()
    assert _kept(tmp_path, resume=False) == tmp_path / KEPT
    assert not old.exists()
    assert mine.exists()


def test_a_model_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends its process; what it was working on is no failure of its own."""
    ended = threading.Event()

    class Hanging(StandInRunner):
        def close(self) -> None:
            ended.set()

    def poses(model: str, frame: Frame) -> PoseSet:
        if int(frame.image[0, 0, 0]) == 3:
            os.kill(os.getpid(), signal.SIGINT)
            assert ended.wait(30)
            raise ModelError("It was closed.")
        return found(model)

    monkeypatch.setattr("estimators.cli.watch._PATIENCE_S", 0.05)
    runner = Hanging(poses)
    settings = EvaluateSettings(("movenet-lightning",), invented=False)
    job = EvaluateJob(runner, annotated_set(tmp_path, 5), settings)
    work(job, SPECS[:1], runner)  # type: ignore[arg-type]
    assert job.state == "cancelled"
    assert job.outcome is not None
    assert [image.file for image in job.outcome.annotated.images] == ["1.png", "2.png"]
    assert job.outcome.models["movenet-lightning"].failures == {}


def test_progress_tells_rate_and_time_left() -> None:
    model = ModelProgress("posenet", "running", 30, 2, 10, 50, 4.0, "It ended.")
    assert (model.rate, model.left_s) == (5.0, 4.0)
    assert progress_text(model) == (
        "posenet: 30 of 50 pictures and crops, 2 failed, 10 known from an earlier run, "
        "5.0 a second, 4 s left; error: It ended."
    )
    waiting = ModelProgress("blazepose-full", "waiting", 0, 0, 0, 50, 0.0)
    both = EvaluateProgress("running", (model, waiting))
    assert (both.done, both.total, both.failed, both.share) == (30, 100, 2, 0.3)
    late = ModelProgress("movenet-thunder", "running", 10, 0, 0, 50, 4.0)
    assert both.slowest is model
    assert EvaluateProgress("running", (model, late)).slowest is late
    assert EvaluateProgress("running", (waiting,)).slowest is None
    assert waiting.left_s is None
    assert not math.isnan(waiting.rate)
