"""The driver of a cluster of its own (`--on auto`) is killed: what stays, and what goes on."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.unit.cli_process import ROOT, SAMPLES, environment, estimators
from tests.unit.cli_untimed import require_same

pytest.importorskip("ray", reason="needs requirements-ray.txt")
pytestmark = pytest.mark.timeout(600)
PATIENCE_S = 180.0  # for a runner that is busy
OPTIONS = ["--models", "movenet-lightning,posenet", "--end", "0.3", "--no-video"]
OPTIONS += ["--threads", "1", "--format", "json,csv"]
# Ray's own helpers try for a minute to tell a head that is gone.
OF_RAY = {"ray::DashboardAgent", "ray::RuntimeEnvAgent"}


def line(process: psutil.Process) -> str:
    """What it is called; "" where it has ended."""
    with suppress(psutil.Error):
        if process.status() != psutil.STATUS_ZOMBIE:
            return " ".join(process.cmdline()) or process.name()
    return ""


def clips_in(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "clips.zip", "w") as archive:
        for name in ("street.mp4", "balance.mp4"):
            archive.write(SAMPLES / name, name)
    return folder / "clips.zip"


def killed_in_the_middle(
    command: list[object], env: dict[str, str], known: Path, begun: list[psutil.Process]
) -> None:
    """Kills a driver when it has kept a first clip's answers; tells every process it has begun."""
    driver = subprocess.Popen(
        [sys.executable, "-m", "estimators", *map(str, command)],
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + PATIENCE_S
        while not list(known.glob("*.npz")):
            assert driver.poll() is None, "it has ended"
            assert time.monotonic() < until
            time.sleep(0.01)
        begun += psutil.Process(driver.pid).children(recursive=True)
        for name in ("raylet", "gcs_server", "ray::ClipWorker", "estimators.runtime.host"):
            assert any(name in line(process) for process in begun), name
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait(20)


def test_a_driver_that_is_killed_leaves_nothing_behind_and_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    ray = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # paths of sockets are short
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    env = environment(tmp_path / "cache", RAY_TMPDIR=str(ray), TMPDIR=str(scratch))
    given = ["compare", SAMPLES / "astronaut.jpg", clips_in(tmp_path), *OPTIONS]
    many = [*given, "--on", "auto", "--workers", "1", "--output", tmp_path / "many"]
    begun: list[psutil.Process] = []
    try:
        answers = tmp_path / "many" / "shard-1-of-1" / ".answers"
        killed_in_the_middle(many, env, answers, begun)
        again = estimators(*many, env=env)  # at once: it waits for nothing of the one before
        assert again.returncode == 0, again.stderr
        known = [int(n) for n in re.findall(r"(\d+) known from an earlier run", again.stderr)]
        assert sum(known) >= 3  # a picture of each model, and a clip
        until = time.monotonic() + PATIENCE_S
        while left := {line(process) for process in begun} - OF_RAY - {""}:
            assert time.monotonic() < until, left
            time.sleep(0.1)
        # A worker that Ray ends cannot remove its folder: an empty one, until the next one begins.
        assert [p for p in scratch.rglob("*") if p.is_file() and p.suffix != ".lock"] == []
    finally:
        for process in begun:
            with suppress(psutil.Error):
                process.kill()
        shutil.rmtree(ray, ignore_errors=True)
    one = estimators(*given, "--output", tmp_path / "one", env=env)
    assert one.returncode == 0, one.stderr
    assert {"joints.csv", "street/joints.csv"} <= require_same(tmp_path / "one", tmp_path / "many")
