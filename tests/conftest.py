"""Rules of the whole suite: its order, what CI may not skip, one ML framework a process."""

from __future__ import annotations

import faulthandler
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from estimators import settings

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

# Fast answers first: a broken unit is reported before a browser is started.
_LAYERS = ("unit", "integration", "contract", "golden", "app", "browser")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Two of these in one process end in a segmentation fault or a hang.
_FRAMEWORKS = ("tensorflow", "torch", "mediapipe")

# A shell lets its background commands ignore these, and every child would inherit it; a handler is
# not inherited.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_unconfigure() -> None:
    """Ends a run that its own threads would hold for ever, and says which ones."""
    faulthandler.dump_traceback_later(120, exit=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _layer(item.path))


def _layer(path: Path) -> int:
    parts = path.relative_to(ROOT / "tests").parts if path.is_relative_to(ROOT / "tests") else ()
    return _LAYERS.index(parts[0]) if parts and parts[0] in _LAYERS else len(_LAYERS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip_in_ci(report)
    return report


def _refuse_skip_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    """In CI a test that was skipped for want of ../shared counts as failed."""
    if not report.skipped or os.environ.get("CI") != "true" or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if "shared" in reason:
        report.outcome = "failed"
        report.longrepr = f"CI=true, and the test was skipped: {reason}"


@pytest.fixture(autouse=True)
def _one_framework_a_process() -> Iterator[None]:
    """Whoever imports the second ML framework into the tests' own process fails, by name."""
    before = {name for name in _FRAMEWORKS if sys.modules.get(name) is not None}
    yield
    after = {name for name in _FRAMEWORKS if sys.modules.get(name) is not None}
    if after - before and len(after) > 1:
        pytest.fail(f"{sorted(after)} in one process: run the model in a process of its own")


@pytest.fixture(scope="session", autouse=True)
def _settings_are_read_anew() -> Iterator[None]:
    """Tests set environment variables; the product reads its own once a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "current", settings.current.__wrapped__)
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with assets that are not part of the product (../shared)."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared")
    return SHARED


@pytest.fixture(scope="session")
def browser_executable() -> str | None:
    """Path of the system's Chromium or Chrome; None means Playwright's own."""
    named = os.environ.get("POSE_BROWSER")
    found = (path for name in _BROWSERS if (path := shutil.which(name)))
    return named or next((path for path in found if _runs(path)), None)


def _runs(browser: str) -> bool:
    """Ubuntu has a program of that name that only says how to install one."""
    return subprocess.run([browser, "--version"], capture_output=True, check=False).returncode == 0
