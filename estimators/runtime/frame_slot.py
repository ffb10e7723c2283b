"""Memory shared by the app and one host process, through which frames travel.

The memory has no name: it is an anonymous file (`memfd_create`, or an unlinked temporary one)
whose descriptor the child inherits.  So nothing can be left over, however the app ends.
"""

from __future__ import annotations

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
# Of pictures, which come one by one and are as large as they like.
PICTURE_BYTES = 8 << 20


class FrameSlot:
    """One frame at a time, written by the app, read by the host."""

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

    def write(self, image: NDArray[np.uint8]) -> None:
        """Copies `image` (uint8 [H, W, 3]) into the slot, which grows where needed."""
        if self._map is None or len(self._map) < image.nbytes:
            size = -(-image.nbytes // _STEP_BYTES) * _STEP_BYTES
            os.ftruncate(self.fd, size)
            self._map = mmap.mmap(self.fd, size)
        slot = np.frombuffer(self._map, np.uint8, image.nbytes).reshape(image.shape)
        np.copyto(slot, image)

    def read(self, height: int, width: int) -> NDArray[np.uint8]:
        """The frame in the slot, uint8 [H, W, 3]: a view, valid until the next frame is written."""
        count = height * width * 3
        if self._map is None or len(self._map) < count:
            self._map = mmap.mmap(self.fd, os.fstat(self.fd).st_size, access=mmap.ACCESS_READ)
        return np.frombuffer(self._map, np.uint8, count).reshape(height, width, 3)

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
