"""Temporary files go with their process, however it ends; those of others stay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.runtime_support import wait_until

ROOT = Path(__file__).parents[2]
APP = """
import sys, time
from estimators.export.sinks import opened
from estimators.workflows.viewer_folders import ViewerFolders
folders = ViewerFolders(lambda viewer: True)
with opened(folders.of("ann") / "clip") as file:
    file.write(b"content")
print(folders.of("ann"), *(process.pid for _, process in own._mine.values()), flush=True)
""".replace("\nfolders =", "\nimport estimators.workflows.own_folder as own\nfolders =")
START = "from estimators.workflows.own_folder import remove_abandoned; remove_abandoned()"


def started(tmp: Path, last: str = "time.sleep(100)") -> tuple[subprocess.Popen[str], Path, int]:
    """An app with a viewer's clip; its process, the clip's folder, and its helper's pid."""
    app = subprocess.Popen(
        [sys.executable, "-c", APP + last],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert app.stdout is not None
    folder, helper = app.stdout.readline().split()
    return app, Path(folder), int(helper)


def start_another(tmp: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", START], cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp)}, check=True
    )


def test_only_the_owner_may_look_into_it(tmp_path: Path) -> None:
    app, folder, _ = started(tmp_path)
    try:
        for path in (folder, folder.parent):
            assert path.stat().st_mode & 0o777 == 0o700
        for path in folder.parent.rglob("*"):
            assert path.is_dir() or path.stat().st_mode & 0o777 == 0o600
        assert (folder / "clip").read_bytes() == b"content"
    finally:
        app.kill()
        app.communicate()


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_killed_app_leaves_nothing(how: signal.Signals, tmp_path: Path) -> None:
    app, _, _ = started(tmp_path)
    app.send_signal(how)
    app.communicate()
    wait_until(lambda: os.listdir(tmp_path) == [])


@pytest.mark.parametrize("last", ["sys.exit(0)", "raise RuntimeError"])
def test_an_app_that_ends_by_itself_leaves_nothing(last: str, tmp_path: Path) -> None:
    app, _, _ = started(tmp_path, last)
    app.communicate()
    wait_until(lambda: os.listdir(tmp_path) == [])


def test_the_next_start_removes_what_is_left_and_nothing_else(tmp_path: Path) -> None:
    dead, left, helper = started(tmp_path)
    living, used, _ = started(tmp_path)
    try:
        os.kill(helper, signal.SIGKILL)  # as when the whole machine goes down
        dead.kill()
        dead.communicate()
        of_others = tmp_path / "pose-comparison-report"  # no lock of ours in it
        of_others.mkdir()
        (of_others / "numbers.csv").write_text("hours of work")
        os.utime(of_others, (time.time() - 7200,) * 2)
        link = tmp_path / "pose-comparison-link"
        link.symlink_to(of_others)
        time.sleep(0.2)
        assert left.is_dir()
        start_another(tmp_path)
        assert not left.exists()
        assert not left.parent.exists()
        assert (used / "clip").read_bytes() == b"content"
        assert (of_others / "numbers.csv").exists()
        assert link.is_symlink()
    finally:
        living.kill()
        living.communicate()


def test_a_folder_left_before_its_lock_was_made_goes_later(tmp_path: Path) -> None:
    early = tmp_path / ".pose-comparison-early"
    early.mkdir()
    start_another(tmp_path)
    assert early.is_dir()
    os.utime(early, (time.time() - 7200,) * 2)
    start_another(tmp_path)
    assert not early.exists()
