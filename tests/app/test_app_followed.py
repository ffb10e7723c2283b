"""Runs that were started elsewhere, on the Evaluate page: followed and opened, nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from estimators.cluster.follow import write_progress
from estimators.workflows.evaluate.progress import EvaluateProgress, ModelProgress
from tests.app.visits import visit


def page() -> AppTest:
    return visit("evaluate", set="runs").run()


def words(at: AppTest) -> str:
    shown = [*at.markdown, *at.caption, *at.info, *at.warning]
    return "\n".join(str(element.value) for element in shown)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setenv("POSE_RESULTS", str(folder))
    return folder


def test_without_a_folder_nothing_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POSE_RESULTS", raising=False)
    at = page()
    assert not at.exception
    assert "Runs elsewhere" not in str(at.segmented_control(key="set").options)
    assert not [box for box in at.selectbox if box.key == "run"]


def test_a_running_job_is_followed_and_a_finished_one_opened(results: Path, tmp_path: Path) -> None:
    assert "There are no runs here yet" in words(page())
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "report.json").write_text("{}")
    (results / "away").symlink_to(tmp_path / "secret")
    shards = results / "val2017"
    for number, done in ((1, 100), (2, 40)):
        model = ModelProgress("movenet-lightning", "running", done, 3, 0, 200, 10.0)
        (shards / f"shard-{number}-of-4").mkdir(parents=True)
        write_progress(shards / f"shard-{number}-of-4", EvaluateProgress("running", (model,)))
    at = page()
    assert not at.exception
    assert at.selectbox(key="run").options == ["val2017"]
    assert "**MoveNet Lightning** 140 of 400 answers · 6 failed · 14.0 a second" in words(at)
    done = ModelProgress("movenet-lightning", "done", 200, 3, 0, 200, 10.0)
    for number in (1, 2):
        write_progress(shards / f"shard-{number}-of-4", EvaluateProgress("done", (done,)))
    assert "What has begun is computed" in words(page())
    for number in (3, 4):
        (shards / f"shard-{number}-of-4").mkdir()
        write_progress(shards / f"shard-{number}-of-4", EvaluateProgress("done", ()))
    assert "All is computed" in words(page())
    figures = {name: {"value": 0.5} for name in ("AP", "AP50", "AP75", "AR")}
    report = {"format": "pose-evaluation/1", "notes": ["Put together."]}
    models = {"movenet-lightning": {"title": "MoveNet Lightning", **figures}}
    (shards / "report.json").write_text(json.dumps({**report, "models": models}))
    (shards / "report.html").write_text("<p>a report</p>")
    at = page()
    assert not at.exception
    assert at.dataframe[0].value.to_dict("records") == [
        {"Model": "MoveNet Lightning", "AP": 0.5, "AP50": 0.5, "AP75": 0.5, "AR": 0.5}
    ]
    assert "Put together" in words(at)


def test_a_report_of_something_else_breaks_nothing(results: Path) -> None:
    (results / "odd").mkdir()
    (results / "odd" / "report.json").write_text('{"format": 3')
    at = page()
    assert not at.exception
    assert not at.dataframe
