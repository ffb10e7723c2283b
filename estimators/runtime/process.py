"""One child process that hosts one model, seen from the app."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import weakref
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, TypeVar

import estimators
from estimators import libraries
from estimators.errors import (
    ModelCrashedError,
    ModelError,
    ModelLoadError,
    ModelTimeoutError,
    PoseError,
)
from estimators.runtime.ends import exit_in_words
from estimators.runtime.frame_slot import KEEP_BYTES, PICTURE_BYTES, FrameSlot
from estimators.runtime.machine import ProcessMemory, process_memory
from estimators.runtime.messages import Answer, Ask, Failure, Forget, Load, Ready
from estimators.runtime.sessions import SessionKey
from estimators.types import Frame

_TAIL_BYTES = 8192
_GRACE_S = 1.0
_Error = TypeVar("_Error", bound=ModelError)
_ROOT = str(Path(estimators.__file__).resolve().parents[1])


def _environment(threads: int) -> dict[str, str]:
    """The child's environment: finds this package from any folder, small and quiet libraries."""
    path = os.pathsep.join(filter(None, [_ROOT, os.environ.get("PYTHONPATH")]))
    count = str(threads)
    return {
        # One arena for each thread would keep freed memory from being used again.
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        # Only numpy uses it, for which one thread is enough; each costs memory at start.
        "OPENBLAS_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        **os.environ,
        "PYTHONPATH": path,
    }


def _drain(stream: IO[bytes], tail: bytearray) -> None:
    """Keeps the end of what the child prints, so that it never blocks on a full pipe."""
    with stream:
        while chunk := os.read(stream.fileno(), 4096):
            tail += chunk
            del tail[:-_TAIL_BYTES]


def _end(child: subprocess.Popen[bytes], owner: int) -> None:
    """Ends the child by its pid and reaps it; not from a forked copy of the app."""
    if os.getpid() != owner:
        return
    child.terminate()
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


class HostProcess:
    """A started child; the `transport.Transport` of everyday use.

    Raises:
        ModelLoadError: this system cannot start it.
    """

    def __init__(self, title: str, threads: int) -> None:
        self._title = title
        self._tail = bytearray()
        ours, theirs = socket.socketpair()
        self._slot = FrameSlot.create()
        with theirs:
            fds = (theirs.fileno(), self._slot.fd)
            # -P: a file in the folder the app was started from must not hide a library.
            command = [sys.executable, "-P", "-X", "faulthandler", "-m", "estimators.runtime.host"]
            try:
                self._child = subprocess.Popen(
                    [*command, *map(str, fds)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    pass_fds=fds,
                    env=_environment(threads),
                )
            except OSError as error:
                ours.close()
                raise ModelLoadError(
                    f"{title}: its process could not be started: {error}.",
                    "Close other programs, or allow more processes.",
                ) from error
        self._channel = Connection(ours.detach())
        assert self._child.stdout is not None  # PIPE above
        drain = threading.Thread(
            target=_drain, args=(self._child.stdout, self._tail), name="host-drain", daemon=True
        )
        drain.start()
        # Also runs when the interpreter ends.
        self._finalizer = weakref.finalize(self, _end, self._child, os.getpid())

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def tail(self) -> str:
        """The end of what the child and its native libraries printed."""
        return bytes(self._tail).decode(errors="replace").strip()

    def alive(self) -> bool:
        return self._child.poll() is None

    def memory(self) -> ProcessMemory | None:
        return process_memory(self.pid) if self.alive() else None

    def end(self) -> None:
        """Ends the process; safe to call twice and while another thread waits for an answer."""
        self._finalizer()

    def load(self, load: Load, timeout_s: float) -> None:
        """Loads the model.

        Raises:
            ModelError: its subclass says what happened; the process is ended.
        """
        reply = self._request(load.picklable(), timeout_s, "load")
        if isinstance(reply, Failure):
            self.end()
            raise self._raised(
                reply,
                ModelLoadError(
                    f"{self._title} could not be loaded: {reply.description}.",
                    libraries.cure(reply.description)
                    or "Install the versions in requirements.txt, then try again.",
                ),
            )

    def ask(self, key: SessionKey, frame: Frame, timeout_s: float) -> Answer:
        """The answer for one frame.

        Raises:
            ModelCrashedError, ModelTimeoutError: the process is ended.
            PoseError: what the model's code raised; the process goes on.
        """
        try:
            self._slot.write(frame.image)
        except (OSError, MemoryError) as error:
            size = f"{frame.width} × {frame.height}"
            raise ModelError(
                f"A picture of {size} pixels could not be handed to {self._title}: {error}.",
                "Use a smaller picture or close other programs.",
            ) from error
        reply = self._request(Ask.about(key, frame), timeout_s, "answer")
        self._slot.trim(KEEP_BYTES if key.options.video else PICTURE_BYTES)
        if isinstance(reply, Failure):
            message = f"{self._title} failed on this frame: {reply.description}."
            raise self._raised(reply, ModelError(message))
        assert reply is not None  # only `Load` is answered by `Ready`
        return reply

    def forget(self, session: str) -> None:
        """Closes what the model remembers of `session`; does not wait."""
        with contextlib.suppress(OSError):  # one that has ended remembers nothing anyway
            self._channel.send(Forget(session))

    def _request(self, message: Load | Ask, timeout_s: float, verb: str) -> Answer | Failure | None:
        try:
            self._channel.send(message)
            if not self._channel.poll(timeout_s):
                raise self._noted(
                    ModelTimeoutError(
                        f"{self._title} did not {verb} within {timeout_s:g} s and was ended.",
                        "It starts again when next needed.",
                    )
                )
            reply: Ready | Answer | Failure = self._channel.recv()
        except (EOFError, OSError) as error:
            crash = self._crashed(verb)
            self.end()
            raise crash from error
        except BaseException:
            # Also Ctrl-C: the answer under way must not be taken for that of the next frame.
            self.end()
            raise
        return None if isinstance(reply, Ready) else reply

    def _raised(self, failure: Failure, otherwise: ModelError) -> PoseError:
        return failure.error or self._noted(otherwise, failure.trace)

    def _crashed(self, verb: str) -> ModelCrashedError:
        try:
            code: int | None = self._child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            code = None
        during = "while loading" if verb == "load" else "while working on a frame"
        error = ModelCrashedError(
            f"{self._title}'s process was lost {during}: {exit_in_words(code)}.",
            "It starts again when next needed.",
        )
        error.exit_code = code
        return self._noted(error)

    def _noted(self, error: _Error, trace: str = "") -> _Error:
        """`error` with what a developer wants to know beside it, in its notes."""
        for note in (trace.strip(), self.tail):
            if note:
                error.add_note(note)
        return error
