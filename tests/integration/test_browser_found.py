"""`.ci/prepare browser` takes for a browser what runs, not what only has a browser's name."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PREPARE = Path(__file__).resolve().parents[2] / ".ci" / "prepare"
BASH = shutil.which("bash") or "/bin/bash"
WORKING = "echo Chromium 1.2.3"
STUB = "echo 'Please install the snap.'\nexit 1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The whole PATH of the script: no browser, no apt-get, and a Python without Playwright's."""
    (tmp_path / "id").symlink_to(shutil.which("id") or "/usr/bin/id")
    program(tmp_path, "python", f'echo "$@" >>{tmp_path}/asked\nexit 1')
    return tmp_path


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!{BASH}\n{script}\n")
    (folder / name).chmod(0o755)


def prepare(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BASH, str(PREPARE), "browser"],
        env={"PATH": str(folder), "PYTHON": str(folder / "python"), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def asked(folder: Path) -> list[str]:
    """What Python was asked to do: "-" looks for Playwright's own browser."""
    file = folder / "asked"
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_a_browser_that_runs_is_found(folder: Path, name: str) -> None:
    program(folder, name, WORKING)
    assert prepare(folder).returncode == 0
    assert asked(folder) == []


def test_a_stub_is_no_browser(folder: Path) -> None:
    program(folder, "chromium-browser", STUB)
    done = prepare(folder)
    assert done.returncode == 1
    assert "install Chromium or Google Chrome" in done.stderr
    assert asked(folder) == ["-", "-m playwright install chromium"]


def test_a_browser_behind_a_stub_is_found(folder: Path) -> None:
    program(folder, "chromium-browser", STUB)
    program(folder, "google-chrome-stable", WORKING)
    assert prepare(folder).returncode == 0
    assert asked(folder) == []


@pytest.mark.parametrize(("script", "found"), [(WORKING, True), (STUB, False)])
def test_playwrights_own_browser_must_run_too(folder: Path, script: str, found: bool) -> None:
    program(folder, "own", script)
    program(folder, "python", f'[ "$1" = - ] && echo {folder / "own"} && exit\nexit 1')
    assert (prepare(folder).returncode == 0) == found


@pytest.mark.parametrize(("script", "found"), [(WORKING, True), (STUB, False)])
def test_a_browser_that_was_named_must_run(folder: Path, script: str, found: bool) -> None:
    program(folder, "named", script)
    program(folder, "chromium", WORKING)
    named = str(folder / "named")
    done = prepare(folder, POSE_BROWSER=named)
    assert (done.returncode == 0) == found
    assert (named in done.stderr) != found
    assert asked(folder) == []
