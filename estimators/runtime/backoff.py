"""How soon a model that failed is tried again."""

from __future__ import annotations

import time

from estimators.errors import ModelError

_FIRST_S = 2.0
_LONGEST_S = 60.0


class Backoff:
    """Remembers failures in a row, so that a model that cannot run is not started all the time.

    A process that was lost once starts again at once; from the second time in a row, and after a
    failed load, requests get the remembered error for 2, 4, 8 … 60 s.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._error: ModelError | None = None
        self._until_s = 0.0

    def failed(self, error: ModelError, loading: bool) -> None:
        self._failures += 1
        exponent = self._failures - (1 if loading else 2)
        if exponent >= 0:
            # A copy: what was raised holds on to the frame, through its traceback.
            self._error = type(error)(error.message, error.advice)
            self._until_s = time.monotonic() + min(_LONGEST_S, _FIRST_S * 2**exponent)

    def clear(self) -> None:
        self._failures = 0
        self._error = None

    def check(self) -> None:
        """Raises the remembered error while it is too early to try again."""
        left_s = self._until_s - time.monotonic()
        if self._error is None or left_s <= 0:
            return
        advice = f"{self._error.advice} It is not tried again for {max(1, round(left_s))} s."
        error = type(self._error)(self._error.message, advice.strip())
        error.retry_after_s = left_s
        raise error
