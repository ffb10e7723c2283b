"""Values that travel from a decoder's process to the app in a file without a name.

Large values are mapped by the app: there is no copy in its own memory.  What is smaller than a
usual frame is copied instead: a mapped file holds one of the app's descriptors for as long as its
array is kept, and there may be thousands of those in 300 MB.  Either memory goes back to the system
with the last array that looks at it.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import pickle
import tempfile
from typing import Any

from estimators.decode.messages import Given

# More than the largest picture that is kept: such values lie on the disk instead.
IN_MEMORY_BYTES = 64_000_000
# A frame of 1920 x 1080 pixels is copied in about a millisecond.
MOST_COPIED_BYTES = 8_000_000


def packed(value: Any) -> tuple[Given, int]:
    """The parts of `value`, and the descriptor of the file that they are in, the caller's to close.

    Raises:
        OSError: there is no room for it.
    """
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    sizes = (len(head), *(view.nbytes for view in views))
    fd = _file(sum(sizes))
    try:
        for part in (memoryview(head), *views):
            _write(fd, part)
    except BaseException:
        os.close(fd)
        raise
    return Given(sizes, tuple(view.readonly for view in views)), fd


def unpacked(given: Given, fd: int) -> Any:
    """The value, whose arrays look at the file or at a copy of it; closes `fd`.

    Raises:
        OSError: the file is shorter than was said.
    """
    try:
        total = sum(given.sizes)
        if hasattr(fcntl, "F_ADD_SEALS"):
            # What is mapped must not become shorter under us.
            with contextlib.suppress(OSError):  # a file on the disk
                fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        if os.fstat(fd).st_size < total:
            raise OSError("a value from the decoder is incomplete")
        content = _copied(fd, total) if total <= MOST_COPIED_BYTES else mmap.mmap(fd, total)
    finally:
        os.close(fd)
    at, parts, whole = 0, [], memoryview(content)
    for size in given.sizes:
        parts.append(whole[at : at + size])
        at += size
    head, *rest = parts
    buffers = [p.toreadonly() if r else p for p, r in zip(rest, given.readonly, strict=True)]
    return pickle.loads(head, buffers=buffers)


def _file(size: int) -> int:
    if size <= IN_MEMORY_BYTES and hasattr(os, "memfd_create"):
        return os.memfd_create("pose-decoded", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile(prefix="pose-decoded-") as file:
        return os.dup(file.fileno())


def _copied(fd: int, total: int) -> mmap.mmap:
    content = mmap.mmap(-1, total, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    at = 0
    while at < total:
        read = os.preadv(fd, [memoryview(content)[at:]], at)
        if read == 0:
            raise OSError("a value from the decoder is incomplete")
        at += read
    return content


def _write(fd: int, part: memoryview) -> None:
    while len(part):
        part = part[os.write(fd, part) :]
