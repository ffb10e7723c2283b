"""A model whose process is lost again and again is put aside, until somebody has it tried again."""

from __future__ import annotations

import threading

from estimators.errors import ModelError

# In a row, whoever's pictures they were: a clip gives a model up after five.
MOST_IN_A_ROW = 8


class Aside:
    """Counts losses of one model's process without an answer between them; from any thread."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._last = ""

    def lost(self, error: ModelError) -> None:
        """The process was lost, or did not load."""
        with self._lock:
            self._in_a_row += 1
            self._last = error.message

    def forgive(self) -> None:
        """It has answered, or somebody wants it tried again."""
        with self._lock:
            self._in_a_row = 0

    def check(self) -> None:
        """Raises ModelError while it is put aside."""
        with self._lock:
            if self._in_a_row >= MOST_IN_A_ROW:
                raise ModelError(
                    f"{self._title} is put aside: its process was lost {self._in_a_row} times in a "
                    f"row. {self._last}",
                    'Press "Try again" to start it anew; `python -m estimators doctor` looks for '
                    "the reason.",
                )
