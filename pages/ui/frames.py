"""Decoded pictures of this server: lent to whoever works on one, within a bound of memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

from estimators.media import limits
from estimators.workflows.room import room
from pages.ui.server.leaving import when_left

if TYPE_CHECKING:
    from estimators.media.pictures import PictureFile

    Read = Callable[[], PictureFile]

# Two of the largest.
MOST_BYTES = 2 * 3 * limits.MAX_KEPT_PIXELS


@dataclass
class _Kept:
    file: PictureFile
    users: int = 1
    viewers: set[str] = field(default_factory=set)

    @property
    def nbytes(self) -> int:
        return self.file.frame.image.nbytes


class Frames:
    """Keeps the pictures used last.  Any thread may call.

    Args:
        most_bytes: of all pictures, those in use included.
        largest: bytes of the largest picture there may be.
    """

    def __init__(
        self, most_bytes: int = MOST_BYTES, largest: int = 3 * limits.MAX_KEPT_PIXELS
    ) -> None:
        self._room = most_bytes - largest
        self._largest = largest
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._decoding: set[str] = set()
        self._changed = threading.Condition()

    @contextmanager
    def lent(self, digest: str, read: Read, viewer: str = "") -> Iterator[PictureFile]:
        """The picture called `digest`, decoded by `read` if it is not there.

        Waits while those in use leave no room.  Keep no reference to it beyond the block.

        Raises:
            InputError: what `read` raises.
        """
        kept = self._taken(digest) or self._decoded(digest, read)
        kept.viewers.add(viewer)
        try:
            yield kept.file
        finally:
            with self._changed:
                kept.users -= 1
                self._changed.notify_all()

    def drop_left(self, present: Callable[[str], bool]) -> None:
        """Forgets pictures that nobody who is still there has looked at."""
        with self._changed:
            for digest, kept in list(self._kept.items()):
                if not kept.users and not any(present(viewer) for viewer in list(kept.viewers)):
                    del self._kept[digest]

    def drop_unused(self) -> None:
        """Forgets all pictures that nobody works on now."""
        self.drop_left(lambda viewer: False)

    @property
    def nbytes(self) -> int:
        """Of all pictures that are kept."""
        with self._changed:
            return sum(kept.nbytes for kept in self._kept.values())

    def _taken(self, digest: str) -> _Kept | None:
        """The picture if it is there; None when it is for the caller to decode now."""
        with self._changed:
            while True:
                if digest in self._kept:
                    self._kept.move_to_end(digest)
                    self._kept[digest].users += 1
                    return self._kept[digest]
                if digest not in self._decoding and self._makes_room():
                    self._decoding.add(digest)
                    return None
                self._changed.wait()

    def _makes_room(self) -> bool:
        """Whether there is room for another; those not in use go, the oldest first."""
        used = sum(k.nbytes for k in self._kept.values() if k.users)
        if used + self._largest * len(self._decoding) > self._room:
            return False
        for digest, kept in list(self._kept.items()):
            total = sum(k.nbytes for k in self._kept.values())
            if total + self._largest * len(self._decoding) <= self._room:
                break
            if not kept.users:
                del self._kept[digest]
        return True

    def _decoded(self, digest: str, read: Read) -> _Kept:
        kept = None
        try:
            kept = _Kept(read())
            return kept
        finally:
            with self._changed:
                self._decoding.discard(digest)
                if kept is not None:
                    self._kept[digest] = kept
                self._changed.notify_all()


@st.cache_resource(show_spinner=False)
def frames() -> Frames:
    """The decoded pictures of this server."""
    store = Frames()
    when_left(store.drop_left)
    work = room()
    if work is not None:
        work.holds("pictures", lambda: store.nbytes / 1e6)
    return store
