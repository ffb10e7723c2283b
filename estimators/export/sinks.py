"""Where exports go: a path, an open file, or bytes in memory."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

Sink = Path | BinaryIO


def to_bytes(write: Callable[[BinaryIO], None]) -> bytes:
    """What `write` writes, for a download: `to_bytes(lambda sink: write_csv(table, sink))`."""
    sink = io.BytesIO()
    write(sink)
    return sink.getvalue()


def opened(sink: Sink) -> AbstractContextManager[BinaryIO]:
    """`sink` for writing; only a path is closed afterwards."""
    return sink.open("wb") if isinstance(sink, Path) else nullcontext(sink)
