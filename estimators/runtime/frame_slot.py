"""Memory shared by the app and one host process, through which frames travel.

The memory has no name: it is an anonymous file (`memfd_create`, or an unlinked temporary one)
whose descriptor the child inherits.  So nothing can be left over, however the app ends.
"""

from __future__ import annotations

import itertools
import mmap
import os
import tempfile
from typing import Self

import numpy as np
from numpy.typing import NDArray

# Grown in steps, so that clips of slightly different sizes do not remap every time.
_STEP_BYTES = 1 << 20
# More than a 4K frame: pages of rare huge frames go back to the system after the call.
KEEP_BYTES = 32 << 20
# Of pictures, which are as large as they like.
PICTURE_BYTES = 8 << 20


class FrameSlot:
    """The frames of one question at a time, written by the app, read by the host."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._map: mmap.mmap | None = None

    @classmethod
    def create(cls) -> Self:
        """An empty slot; the descriptor is not inherited unless it is passed on by name."""
        if hasattr(os, "memfd_create"):
            return cls(os.memfd_create("pose-frame", os.MFD_CLOEXEC))
        with tempfile.TemporaryFile(prefix="pose-frame-") as file:
            return cls(os.dup(file.fileno()))

    def write(self, *images: NDArray[np.uint8]) -> None:
        """Copies images (uint8 [H, W, 3]) one behind the other; the slot grows where needed."""
        needed = sum(image.nbytes for image in images)
        if self._map is None or len(self._map) < needed:
            size = -(-needed // _STEP_BYTES) * _STEP_BYTES
            os.ftruncate(self.fd, size)
            self._map = mmap.mmap(self.fd, size)
        start = 0
        for image in images:
            slot = np.frombuffer(self._map, np.uint8, image.nbytes, start).reshape(image.shape)
            np.copyto(slot, image)
            start += image.nbytes

    def read(self, *sizes: tuple[int, int]) -> list[NDArray[np.uint8]]:
        """The frames in the slot by height and width, uint8 [H, W, 3]: views, valid until the
        next are written.
        """
        counts = [height * width * 3 for height, width in sizes]
        if self._map is None or len(self._map) < sum(counts):
            self._map = mmap.mmap(self.fd, os.fstat(self.fd).st_size, access=mmap.ACCESS_READ)
        starts = [0, *itertools.accumulate(counts)]
        return [
            np.frombuffer(self._map, np.uint8, count, start).reshape(*size, 3)
            for count, start, size in zip(counts, starts[:-1], sizes, strict=True)
        ]

    def trim(self, keep_bytes: int = KEEP_BYTES) -> None:
        """Gives back the pages of a huge frame; only between calls, when nobody reads the slot."""
        if self._map is not None and len(self._map) > keep_bytes:
            # The mappings of both sides stay valid: their pages are gone, then empty again.
            os.ftruncate(self.fd, 0)
            os.ftruncate(self.fd, len(self._map))

    def close(self) -> None:
        """Safe to call twice."""
        self._map = None
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __del__(self) -> None:
        self.close()
