"""A child process and the channel to it, seen from the app."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Literal

import psutil

import estimators
from estimators.runtime.channel import heard
from estimators.runtime.cores import leave_cores

_TAIL_BYTES = 8192
_LOOK_S = 0.5
_GRACE_S = 1.0
_ROOT = str(Path(estimators.__file__).resolve().parents[1])


Silence = Literal["late", "stopped"]


class ChildProcess:
    """A started `python -m module CHANNEL FDS…`, ended with its last reference.

    Its standard input tells it when the app is gone (`child_side.watch_parent`); what it prints is
    drained, so that it never blocks on a full pipe.

    Attributes:
        channel: for messages; CHANNEL is the number of its other end.

    Args:
        module: what it runs.
        fds: further descriptors that it inherits.
        environment: variables that are set unless they are already.

    Raises:
        OSError: this system cannot start it.
    """

    def __init__(
        self, module: str, fds: Sequence[int] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self._tail = bytearray()
        ours, theirs = socket.socketpair()
        # -P: a file in the folder the app was started from must not hide a library.
        command = [sys.executable, "-P", "-X", "faulthandler", "-m", module]
        with theirs:
            passed = (theirs.fileno(), *fds)
            try:
                self._child = subprocess.Popen(
                    [*command, *map(str, passed)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    pass_fds=passed,
                    env=_environment(environment or {}),
                )
            except OSError:
                ours.close()
                raise
        leave_cores(self._child.pid, 0)  # whoever starts it may be kept off some for a while
        self.channel = Connection(ours.detach())
        assert self._child.stdout is not None  # PIPE above
        drain = threading.Thread(
            target=_drain, args=(self._child.stdout, self._tail), name="child-drain", daemon=True
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

    def exit_code(self) -> int | None:
        """How a child ended whose channel is closed; None where it still has not."""
        try:
            return self._child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            return None

    def heard_within(self, timeout_s: float) -> Silence | None:
        """Waits for a message; None as soon as there is one, else why it is no use to wait on."""
        until_s = time.monotonic() + timeout_s
        while not heard(self.channel, min(_LOOK_S, max(0.0, until_s - time.monotonic()))):
            if time.monotonic() >= until_s:
                return "late"
            if self._stopped():
                return "stopped"
        return None

    def _stopped(self) -> bool:
        """Whether somebody has stopped the process (SIGSTOP), so that it never answers."""
        try:
            return bool(psutil.Process(self.pid).status() == psutil.STATUS_STOPPED)
        except psutil.Error:
            return False

    def end(self) -> None:
        """Ends the process; safe to call twice and while another thread waits for an answer."""
        self._finalizer()


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """The child's environment: finds this package from any folder."""
    path = os.pathsep.join(filter(None, [_ROOT, os.environ.get("PYTHONPATH")]))
    # One arena for each thread would keep freed memory from being used again.
    return {"MALLOC_ARENA_MAX": "2", **more, **os.environ, "PYTHONPATH": path}


def _drain(stream: IO[bytes], tail: bytearray) -> None:
    """Keeps the end of what the child prints."""
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
