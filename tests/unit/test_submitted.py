"""A command as a job of a cluster: the same command, and nothing secret beside it."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from estimators.cli.main import main
from estimators.cli.submitted import entrypoint
from estimators.cluster.on_ray import worker_environment

SAMPLES = Path(__file__).parents[2] / "sample_media"


@pytest.mark.parametrize("on", [["--on", "http://head:8265"], ["--on=http://head:8265"]])
def test_a_job_runs_the_same_command_on_its_own_cluster(on: list[str]) -> None:
    given = ["compare", "my file.jpg", *on, "--detach", "--output", "out", "--workers", "3"]
    folder, _, command = entrypoint(given).partition(" && ")
    assert shlex.split(folder) == ["cd", str(Path.cwd())]
    assert shlex.split(command) == [
        *(sys.executable, "-m", "estimators", "compare", "my file.jpg"),
        *("--output", "out", "--workers", "3", "--on", "auto"),
    ]


def test_nothing_secret_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/one", "/two", "/one"]))
    handed = worker_environment()
    assert set(handed) == {"PYTHONPATH", "RAY_USAGE_STATS_ENABLED"}
    assert handed["PYTHONPATH"].split(os.pathsep)[1:] == ["/one", "/two"]
    assert handed["RAY_USAGE_STATS_ENABLED"] == "0"


@pytest.mark.parametrize("on", [[], ["--on", "auto"]])
def test_only_a_job_that_outlives_the_terminal_can_be_left_alone(
    on: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = str(SAMPLES / "astronaut.jpg")
    assert main(["compare", picture, "--output", str(tmp_path), "--detach", *on]) == 2
    assert "outlives this terminal" in capsys.readouterr().err
