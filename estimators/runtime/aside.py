"""A model whose process is lost again and again is put aside for a while.

Or until somebody has it tried again.
"""

from __future__ import annotations

import threading
import time

from estimators.errors import ModelError, PutAsideError

# In a row, whoever's pictures they were: a clip gives a model up after five.
MOST_IN_A_ROW = 8
# One loss a minute costs nobody much, and what was wrong may have been put right.
PAUSE_S = 60.0


class Aside:
    """Counts losses of one model's process without an answer between them; from any thread."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._last, self._last_s = "", 0.0

    def lost(self, error: ModelError) -> None:
        """The process was lost, or did not load."""
        with self._lock:
            self._in_a_row += 1
            self._last, self._last_s = error.message, time.monotonic()

    def forgive(self) -> None:
        """It has answered, or somebody wants it tried again."""
        with self._lock:
            self._in_a_row = 0

    def check(self) -> None:
        """Raises PutAsideError while it is put aside."""
        with self._lock:
            left_s = self._last_s + PAUSE_S - time.monotonic()
            if self._in_a_row < MOST_IN_A_ROW or left_s <= 0:
                return
            error = PutAsideError(
                f"{self._title} is put aside: its process was lost {self._in_a_row} times in a "
                f"row. {self._last}",
                f"It is not started for {max(1, round(left_s))} s, unless somebody chooses "
                '"Try again" in the app; `python -m estimators doctor` looks for the reason.',
            )
        error.retry_after_s = left_s
        raise error
