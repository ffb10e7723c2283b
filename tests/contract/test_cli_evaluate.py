"""`evaluate` with real models: pycocotools' own AP, resumed after a kill, kept on an interrupt."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from estimators.analysis.accuracy.coco_ap import STATS
from tests.unit.cli_process import ROOT, SAMPLES, environment, estimators

TRUTH = SAMPLES / "annotations.json"
SAMPLE_SET = ("--images", str(SAMPLES), "--annotations", str(TRUTH))
MODELS = ("movenet-multipose", "posenet")


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text())


def require_same_as_pycocotools(folder: Path, truth: Path) -> dict[str, float]:
    """Every AP and AR of the report; the APs."""
    found = {}
    for model, numbers in report(folder)["models"].items():
        if model == "consensus":
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            annotations = COCO(str(truth))
            results = annotations.loadRes(str(folder / f"{model}.coco.json"))
            evaluation = COCOeval(annotations, results, "keypoints")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        told = [numbers[name]["value"] for name in STATS]
        told = [-1 if value is None else value for value in told]
        np.testing.assert_allclose(told, evaluation.stats, atol=1e-9)
        found[model] = numbers["AP"]["value"]
    return found


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder and the terminal output of an evaluation on the sample set."""
    folder = tmp_path_factory.mktemp("evaluated")
    done = estimators(
        *("evaluate", *SAMPLE_SET, "--models", ",".join(MODELS), "--output", folder / "out"),
        env=environment(folder / "cache"),
    )
    assert done.returncode == 0, done.stderr
    assert all(f"{model}: " in done.stderr for model in MODELS)
    return folder / "out", done.stdout


def test_ap_on_the_sample_set_is_pycocotools_own(evaluated: tuple[Path, str]) -> None:
    folder, told = evaluated
    assert min(require_same_as_pycocotools(folder, TRUTH).values()) > 0.2
    assert told.startswith(str(TRUTH))  # the health report, before any table
    assert report(folder)["verdict"]["headline"] in told
    assert all(str(folder / file.name) in told for file in folder.iterdir() if file.is_file())


@pytest.mark.parametrize("protocol", ["whole", "crop"])
def test_ap_on_coco_is_pycocotools_own(shared: Path, tmp_path: Path, protocol: str) -> None:
    truth = shared / "data/coco4/person_keypoints.json"
    done = estimators(
        *("evaluate", "--images", truth.parent, "--annotations", truth, "--output", tmp_path),
        *("--models", MODELS[0], "--protocol", protocol),
        env=environment(tmp_path / "cache"),
    )
    assert done.returncode == 0, done.stderr
    assert require_same_as_pycocotools(tmp_path, truth)[MODELS[0]] > 0.3
    assert report(tmp_path)["protocol"] == protocol


def begun(folder: Path, answers: int) -> subprocess.Popen[str]:
    """An evaluation with one model that has kept so many answers."""
    command = [sys.executable, "-m", "estimators", "evaluate", *SAMPLE_SET, "--threads", "1"]
    command += ["--models", MODELS[0], "--output", str(folder / "out"), "--resume"]
    env = environment(folder / "cache")
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    child = subprocess.Popen(command, cwd=ROOT, env=env, **pipes)
    deadline = time.monotonic() + 100
    while kept(folder / "out") < answers:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return child


def kept(folder: Path) -> int:
    return sum(
        file.read_bytes().count(b'"picture":') for file in folder.glob(".estimates/*.estimates")
    )


def test_a_killed_run_goes_on_where_it_was(evaluated: tuple[Path, str], tmp_path: Path) -> None:
    child = begun(tmp_path, 4)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    before = kept(tmp_path / "out")
    child = begun(tmp_path, 0)
    _, said = child.communicate(timeout=200)
    assert child.returncode == 0, said
    asked = report(evaluated[0])["models"][MODELS[0]]
    numbers = report(tmp_path / "out")["models"][MODELS[0]]
    known = int(said.split(" known from an earlier run")[0].split()[-1])
    assert 3 <= before - 1 <= known <= before
    for name in (*STATS, "PCK@0.2", "mean_KS"):
        assert numbers[name]["value"] == pytest.approx(asked[name]["value"], abs=1e-3), name


def test_an_interrupt_keeps_and_reports_what_there_is(tmp_path: Path) -> None:
    child = begun(tmp_path, 3)
    child.send_signal(signal.SIGINT)
    told, said = child.communicate(timeout=100)
    assert child.returncode == 130, said
    assert "--resume" in said
    found = report(tmp_path / "out")
    assert found["complete"] is False
    assert 3 <= found["pictures"] < 14
    assert any("stopped" in note for note in found["notes"])
    assert str(tmp_path / "out" / "report.html") in told
    assert found["models"][MODELS[0]]["AP"]["value"] is not None
