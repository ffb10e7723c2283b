"""`benchmark` with real models: the whole way of a call is told, and the file can be read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from estimators.workflows.benchmark import figures
from estimators.workflows.benchmark.document import read_benchmark
from tests.unit.cli_process import SAMPLES, environment, estimators

QUICK = ("--threads", "1", "--seconds", "1")


def test_two_models_take_turns_and_leave_a_file(tmp_path: Path) -> None:
    file = tmp_path / "here.json"
    clip = SAMPLES / "balance.mp4"
    models = ("movenet-lightning", "blazepose-lite")
    done = estimators(
        "benchmark", *models, *QUICK, "--media", clip, "--json", file, env=environment(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    found = read_benchmark(file.read_bytes(), file.name)
    lightning, blaze = found.measured
    assert found.media.kind == "clip"
    assert lightning.took_turns_with(blaze)
    assert (lightning.held_by, blaze.held_by) == ("setting", "cores")
    assert lightning.weights_bytes == pytest.approx(4.8e6, rel=0.02)
    for one in (lightning, blaze):
        assert one.pss_mb is not None
        assert one.peak_mb is not None
        assert 20 < one.pss_mb < one.peak_mb < 1000
        assert len(set(one.calls.round)) == 10
        # The whole was measured outside the model's process: it cannot be shorter.
        assert (one.calls.stage("transport") > 0).all()
        assert figures.stages(one.calls)["inference"] > 1
    assert "OVER THAT OF" in done.stdout
    assert json.loads(file.read_text())["summary"][0]["model"] == "movenet-lightning"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (("moon",), "no model"),
        (("posenet", "--media", "absent.jpg"), "absent.jpg"),
        (("posenet", "--json", "/proc/no/b.json"), "/proc/no"),
        (("posenet", "--json", "/dev/null"), "/dev/null is a device, not a file"),
    ],
)
def test_a_command_that_cannot_be_used_ends_with_one_line(
    tmp_path: Path, wrong: tuple[str, ...], why: str
) -> None:
    done = estimators("benchmark", *wrong, env=environment(tmp_path))
    assert done.returncode == 2
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
