"""Waiting for a message."""

from __future__ import annotations

import math
import select
from multiprocessing.connection import Connection


def heard(channel: Connection, timeout_s: float | None) -> bool:
    """Whether a message, or the end, comes within so many seconds; None waits for ever.

    `Connection.poll` makes a selector for each question, which takes several times as long.
    """
    poll = select.poll()
    poll.register(channel.fileno(), select.POLLIN)
    return bool(poll.poll(None if timeout_s is None else math.ceil(timeout_s * 1000)))
