"""How a process ended, in words."""

from __future__ import annotations

import signal


def exit_in_words(code: int | None) -> str:
    """How a process ended: `"killed by signal 9 (SIGKILL), perhaps for want of memory"`."""
    if code is None:
        return "ended without a word"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    hint = ", perhaps for want of memory" if -code == signal.SIGKILL else ""
    return f"killed by signal {-code} ({name}){hint}"
