"""What the tests of the runtime share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psutil

from estimators.runtime.api import ModelStatus, Runner, RunResult


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.002)


def status(runner: Runner, key: str = "brightest") -> ModelStatus:
    return next(entry for entry in runner.status() if entry.model == key)


def count(result: RunResult) -> int:
    """How many frames the estimator has seen."""
    scores = result.estimate.poses.pose_score
    assert scores is not None
    return int(scores[0])


def hosts() -> list[int]:
    """The host processes that this process has started and not ended."""
    return [
        child.pid
        for child in psutil.Process().children()
        if "estimators.runtime.host" in child.cmdline()
    ]


class Background:
    """A call in a thread of its own, whose outcome is looked at later."""

    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.error: Exception | None = None
        self._call = (function, args)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        function, args = self._call
        try:
            function(*args)
        except Exception as error:  # noqa: BLE001 - handed to the test
            self.error = error

    def done(self) -> Exception | None:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.error
