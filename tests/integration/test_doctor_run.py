"""`doctor` on this machine, and on one that lacks a library and has damaged weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from estimators import libraries

ROOT = Path(__file__).parents[2]


def doctor(**environment: str) -> tuple[int, list[dict[str, str]]]:
    done = subprocess.run(
        [sys.executable, "-m", "estimators", "doctor", "--json"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    said = json.loads(done.stdout)
    assert said["broken"] == sum(f["state"] == "broken" for f in said["findings"])
    return done.returncode, said["findings"]


@pytest.mark.skipif(sys.platform != "linux", reason="hides a library from Linux's loader")
def test_what_is_broken_is_told_with_its_repair_and_the_rest_goes_on(tmp_path: Path) -> None:
    """One run, because it imports every framework."""
    if not libraries.opens("libEGL.so.1"):
        pytest.skip("it is not there anyway")
    hidden, weights = tmp_path / "lib", tmp_path / "weights"
    hidden.mkdir()
    weights.mkdir()
    (hidden / "libEGL.so.1").touch()  # the loader takes the first of that name
    (weights / "posenet-mobilenet075-stride16-513.tflite").write_bytes(b"other")
    code, findings = doctor(LD_LIBRARY_PATH=str(hidden), POSE_WEIGHTS_DIR=str(weights))
    broken = {f["name"]: f for f in findings if f["state"] == "broken"}
    assert code == 1
    assert set(broken) == {"graphics libraries", "weights", "BlazePose lite"}
    assert "posenet" in broken["weights"]["found"]
    for name in ("graphics libraries", "BlazePose lite"):
        assert "libEGL.so.1" in broken[name]["found"]
        assert "apt-get install libegl1" in broken[name]["repair"]
    fine = {f["name"] for f in findings if f["state"] == "fine"}
    assert fine >= {"imports", "packages", "reading and writing clips", "MoveNet Lightning"}


def test_a_wrong_setting_is_one_finding_among_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from estimators.cli import main
    from estimators.doctor import examination

    quick = ("settings", "processor")
    every = examination.checks
    monkeypatch.setattr(examination, "checks", lambda given: {n: every(given)[n] for n in quick})
    monkeypatch.setenv("POSE_MEMORY_MB", "plenty")
    assert main.main(["doctor"]) == 1
    monkeypatch.setenv("POSE_MEMORY_MB", "500")
    assert main.main(["doctor"]) == 0
