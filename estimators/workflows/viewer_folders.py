"""A folder of files for each viewer, removed some time after they left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from estimators.errors import InputError
from estimators.workflows.own_folder import own_folder

# A connection that breaks off comes back within this time, or the viewer has left.
PATIENCE_S = 120.0


@dataclass
class _Kept:
    folder: TemporaryDirectory[str]
    seen_s: float


class ViewerFolders:
    """Makes and removes the folders; every method may be called from any thread.

    Whatever is left goes when the process ends, however it ends (`own_folder`).

    Args:
        present: whether a viewer is still there.
        patience_s: how long a folder outlives its viewer's last sighting.
        look_every_s: how often that is looked at, while there are folders.
    """

    def __init__(
        self,
        present: Callable[[str], bool],
        patience_s: float = PATIENCE_S,
        look_every_s: float = 15.0,
    ) -> None:
        self._present, self._patience_s, self._look_every_s = present, patience_s, look_every_s
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._looking = False

    def of(self, viewer: str) -> Path:
        """The viewer's own folder; a new one the first time, and where something removed it.

        Raises:
            InputError: it cannot be made.
        """
        with self._lock:
            if viewer not in self._kept or not Path(self._kept[viewer].folder.name).is_dir():
                self._kept[viewer] = _Kept(_made(), time.monotonic())
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, name="viewer-folders", daemon=True).start()
            return Path(self._kept[viewer].folder.name)

    def bytes_of(self, viewer: str | None) -> int:
        """Size of all files of `viewer`; of everybody's where it is None."""
        with self._lock:
            chosen = [k for v, k in self._kept.items() if viewer in (None, v)]
        return sum(_size(file) for kept in chosen for file in Path(kept.folder.name).glob("**/*"))

    def _look(self) -> None:
        while True:
            time.sleep(self._look_every_s)
            with self._lock:
                self._remove_left()
                if not self._kept:
                    self._looking = False
                    return

    def _remove_left(self) -> None:
        now = time.monotonic()
        for viewer, kept in list(self._kept.items()):
            if self._present(viewer):
                kept.seen_s = now
            elif now - kept.seen_s > self._patience_s:
                del self._kept[viewer]
                kept.folder.cleanup()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # removed meanwhile
        return 0


def _made() -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(prefix="viewer-", dir=own_folder(), ignore_cleanup_errors=True)
    except OSError as error:
        raise InputError(
            f"There is no room for your files on the server: {error.strerror or error}.",
            "Free some space on its disk, or let TMPDIR name a folder elsewhere.",
        ) from error
