"""A command as a job of a cluster: the same command, and nothing secret beside it."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from estimators.cli import submitted
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


def test_an_option_has_one_name_only(capsys: pytest.CaptureFixture[str]) -> None:
    """`entrypoint`, and the command of a shard, would overlook another."""
    with pytest.raises(SystemExit, match="2"):
        main(["compare", "a.jpg", "--o", "http://head:8265", "--det"])
    assert "unrecognized arguments: --o" in capsys.readouterr().err


class Head:
    """Of a cluster; each answer is a status with the log so far, or an error."""

    def __init__(self, *answers: tuple[str, str] | None) -> None:
        self._answers = list(answers)
        self._log = ""

    def get_job_status(self, job: str) -> SimpleNamespace:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer is None:
            raise ConnectionError("")
        status, self._log = answer
        return SimpleNamespace(value=status)

    def get_job_logs(self, job: str) -> str:
        return self._log


def test_a_head_that_is_gone_for_a_moment_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(submitted, "_LOOK_S", 0.0)
    head = Head(("RUNNING", "one\n"), None, None, ("SUCCEEDED", "one\ntwo\n"))
    assert submitted._follow(head, "http://head:8265", "a-job") == 0
    assert capsys.readouterr().out == "one\ntwo\n"


def test_a_head_that_stays_away_leaves_the_ways_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(submitted, "_LOOK_S", 0.0)
    monkeypatch.setattr(submitted, "_PATIENCE_S", 0.0)
    assert submitted._follow(Head(("RUNNING", "one\n"), None), "http://head:8265", "a-job") == 1
    told = capsys.readouterr()
    assert "the job goes on" in told.err
    assert "--attach a-job" in told.out
