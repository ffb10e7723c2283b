"""What browser tests share: the product on a server of its own, and the faults of a page."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import ConsoleMessage, Page

NewPage = Callable[..., Page]
StartApp = Callable[..., str]

ROOT = Path(__file__).resolve().parents[2]
# As root and without a display; a camera that shows a test picture; the rest keeps the browser from
# calling anybody.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
_START_S = 60.0
# Streamlit looks for its own addresses below a page's address first.
_HARMLESS = ("_stcore", "404 (Not Found)")
_PR_CAPBSET_DROP, _CAP_SYS_NICE = 24, 23  # linux/prctl.h, linux/capability.h


@dataclass
class Faults:
    """What went wrong in a page: uncaught errors and error messages of the console."""

    seen: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.text for part in _HARMLESS):
            self.seen.append(message.text)


def forgo_realtime() -> None:
    """Programs that this process starts may not raise their priority (Linux, root).

    Chromium run by root gives its audio threads real-time priority.  On a machine of two cores they
    have waited in a loop for a thread that never got a turn, and everything stood still.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_CAPBSET_DROP, _CAP_SYS_NICE, 0, 0, 0)  # without effect for anybody but root


@contextmanager
def running_app(folder: Path, script: str = "streamlit_app.py", **env: str) -> Iterator[str]:
    """Address of `script` on a server of its own that has no downloaded weights.

    Args:
        folder: an empty folder for its cache and its log.
        env: further environment variables.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith("POSE_")}
    surroundings |= {"POSE_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": str(ROOT)} | env
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=surroundings, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process, log)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def server_process(url: str) -> psutil.Process:
    """The process of a `running_app` with the address `url`."""
    port = f"--server.port={urlsplit(url).port}"
    (found,) = [p for p in psutil.Process().children() if port in p.cmdline()]
    return found


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = monotonic() + _START_S
    while True:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
            return
        except OSError:
            said = log.read_text("utf-8", "replace")[-2000:]
            assert process.poll() is None, f"the app did not start: {said}"
            assert monotonic() < end, f"the app did not answer: {said}"
            sleep(0.1)


def settled(page: Page) -> Page:
    """Waits until the script has run through."""
    page.wait_for_selector(READY)
    return page
