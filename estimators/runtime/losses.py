"""Pictures on which a model's process was lost: what follows for them and for who sent them.

One picture must not make everybody wait for the model to load again and again.  So the picture is
not tried again for a while, who goes on sending such pictures waits longer and longer, and for
everybody else the model starts again at once.
"""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from estimators.errors import ModelCrashedError, ModelError, ModelTimeoutError
from estimators.runtime.backoff import Backoff
from estimators.types import Frame

# Native code ends so over what it was given.  Other endings (SIGKILL for want of memory, a time
# limit on a busy machine) may have come from outside: those pictures get a second chance.
_OWN_FAULT = {
    -number
    for name in ("SIGABRT", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP")
    if (number := getattr(signal, name, None)) is not None
}
_SECOND_CHANCES = 2
_MOST_PICTURES, _MOST_VIEWERS = 64, 256
_FORGOTTEN_S = 600.0

_Key = tuple[tuple[int, ...], bytes]


@dataclass(frozen=True)
class _Lost:
    """How often the process was lost on one picture, until when that counts, and how."""

    strikes: int
    until_s: float
    message: str


class Losses:
    """Of one model; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pictures: OrderedDict[_Key, _Lost] = OrderedDict()
        self._viewers: OrderedDict[str, Backoff] = OrderedDict()

    def check(self, frame: Frame, viewer: str) -> None:
        """Raises ModelError where the picture is set aside, or it is too early for the viewer."""
        with self._lock:
            self._drop_old()
            backoff = self._viewers.get(viewer)
            shapes = {shape for shape, _ in self._pictures}
        # Hashing takes milliseconds, which good pictures need not pay.
        if frame.image.shape in shapes:
            self._check_picture(_key(frame))
        if backoff is not None:
            backoff.check()

    @contextmanager
    def of(self, frame: Frame, viewer: str) -> Iterator[None]:
        """Remembers when the process is lost inside.

        When it is not, the viewer's losses are forgotten, and so are those on this picture: they
        came from outside.
        """
        try:
            yield
        except (ModelCrashedError, ModelTimeoutError) as error:
            self._remember(_key(frame), viewer, error)
            raise
        self.answered(frame, viewer)

    def answered(self, frame: Frame, viewer: str) -> None:
        """The process was not lost on this picture: see `of`."""
        with self._lock:
            self._viewers.pop(viewer, None)
            suspect = any(shape == frame.image.shape for shape, _ in self._pictures)
        if suspect:
            key = _key(frame)
            with self._lock:
                self._pictures.pop(key, None)

    @property
    def suspect(self) -> bool:
        """Pictures have cost the process, and that counts still."""
        with self._lock:
            self._drop_old()
            return bool(self._pictures)

    def forgive(self) -> None:
        """Lets every viewer try again; pictures stay set aside."""
        with self._lock:
            self._viewers.clear()

    def _drop_old(self) -> None:
        """What counts no more would make good pictures of its size be hashed for ever."""
        now_s = time.monotonic()
        for key in [key for key, lost in self._pictures.items() if lost.until_s <= now_s]:
            del self._pictures[key]

    def _check_picture(self, key: _Key) -> None:
        with self._lock:
            lost = self._pictures.get(key)
        if lost and lost.strikes >= _SECOND_CHANCES and lost.until_s > time.monotonic():
            raise ModelError(
                f"{lost.message} This picture is set aside and not tried again.",
                "Use another one, or save it anew, smaller.",
            )

    def _remember(self, key: _Key, viewer: str, error: ModelError) -> None:
        code = error.exit_code if isinstance(error, ModelCrashedError) else None
        strikes, now_s = _SECOND_CHANCES if code in _OWN_FAULT else 1, time.monotonic()
        with self._lock:
            before = self._pictures.pop(key, None)
            if before is not None and before.until_s > now_s:
                strikes += before.strikes
            self._pictures[key] = _Lost(strikes, now_s + _FORGOTTEN_S, error.message)
            backoff = self._viewers.pop(viewer, None) or Backoff()
            backoff.failed(error, loading=False)
            self._viewers[viewer] = backoff
            while len(self._pictures) > _MOST_PICTURES:
                self._pictures.popitem(last=False)
            while len(self._viewers) > _MOST_VIEWERS:
                self._viewers.popitem(last=False)


def _key(frame: Frame) -> _Key:
    return frame.image.shape, hashlib.blake2b(frame.image.data, digest_size=16).digest()
