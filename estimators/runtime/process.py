"""One child process that hosts one model, seen from the app."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TypeVar

from estimators import libraries
from estimators.devices import Placement
from estimators.errors import (
    ModelCrashedError,
    ModelError,
    ModelLoadError,
    ModelTimeoutError,
    PoseError,
)
from estimators.runtime.child import ChildProcess
from estimators.runtime.ends import exit_in_words
from estimators.runtime.frame_slot import KEEP_BYTES, PICTURE_BYTES, FrameSlot
from estimators.runtime.machine import ProcessMemory, process_memory
from estimators.runtime.messages import Answer, Ask, Failure, Forget, Load, Ready, Reply
from estimators.runtime.sessions import SessionKey
from estimators.types import Frame

_HOST = "estimators.runtime.host"
_Error = TypeVar("_Error", bound=ModelError)


def _environment(threads: int) -> dict[str, str]:
    count = str(threads)
    # OpenBLAS: only numpy uses it, for which one thread is enough; each costs memory at start.
    return {
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # see `gpus`
    }


def _stopped(title: str, verb: str) -> ModelCrashedError:
    during = "while loading" if verb == "load" else "while working on a frame"
    return ModelCrashedError(
        f"{title}'s process was stopped from outside {during}, and was ended.",
        "It starts again when next needed.",
    )


class HostProcess:
    """A started child; the `transport.Transport` of everyday use.

    Raises:
        ModelLoadError: this system cannot start it.
    """

    def __init__(self, title: str, threads: int) -> None:
        self._title = title
        self._slot, self._keep_bytes = FrameSlot.create(), KEEP_BYTES
        try:
            self._child = ChildProcess(_HOST, (self._slot.fd,), _environment(threads))
        except OSError as error:
            raise ModelLoadError(
                f"{title}: its process could not be started: {error}.",
                "Close other programs, or allow more processes.",
            ) from error
        self._channel = self._child.channel

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def tail(self) -> str:
        """The end of what the child and its native libraries printed."""
        return self._child.tail

    def alive(self) -> bool:
        return self._child.alive()

    def memory(self) -> ProcessMemory | None:
        return process_memory(self.pid) if self.alive() else None

    def end(self) -> None:
        """Ends the process; safe to call twice and while another thread waits for an answer."""
        self._child.end()

    def load(self, load: Load, timeout_s: float) -> Placement:
        """Loads the model; where it computes.

        Raises:
            ModelError: its subclass says what happened; the process is ended.
        """
        self._send(load.picklable(), "load")
        reply = self._reply(timeout_s, "load")
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
        assert isinstance(reply, Ready)  # only `Ask` is answered by `Answer`
        return reply.placement

    def hand_over(self, key: SessionKey, frames: Sequence[Frame]) -> None:
        """Asks about frames; `answers` has to come next.

        Raises:
            ModelCrashedError: the process is ended.
            ModelError: they could not be handed over.
        """
        self._put(frames)
        self._keep_bytes = KEEP_BYTES if key.options.video else PICTURE_BYTES
        asks = tuple(Ask.about(key, frame) for frame in frames)
        self._send(asks if len(asks) > 1 else asks[0], "answer")

    def answers(self, timeout_s: float) -> list[Answer | PoseError]:
        """Of each frame handed over the answer, or what the model's code raised.

        Raises:
            ModelCrashedError, ModelTimeoutError: the process is ended.
        """
        reply = self._reply(timeout_s, "answer")
        self._slot.trim(self._keep_bytes)
        replies = reply if isinstance(reply, list) else [reply]
        return [self._failed(r) if isinstance(r, Failure) else r for r in replies]  # type: ignore[misc]

    def _put(self, frames: Sequence[Frame]) -> None:
        try:
            self._slot.write(*(frame.image for frame in frames))
        except (OSError, MemoryError) as error:
            size = f"{frames[0].width} × {frames[0].height}"
            raise ModelError(
                f"A picture of {size} pixels could not be handed to {self._title}: {error}.",
                "Use a smaller picture or close other programs.",
            ) from error

    def _failed(self, failure: Failure) -> PoseError:
        message = f"{self._title} failed on this frame: {failure.description}."
        return self._raised(failure, ModelError(message))

    def forget(self, session: str) -> None:
        """Closes what the model remembers of `session`; does not wait."""
        with contextlib.suppress(OSError):  # one that has ended remembers nothing anyway
            self._channel.send(Forget(session))

    def _send(self, message: Load | Ask | tuple[Ask, ...], verb: str) -> None:
        try:
            self._channel.send(message)
        except OSError as error:
            raise self._lost(verb) from error
        except BaseException:
            self.end()  # half a message makes no sense of the next
            raise

    def _reply(self, timeout_s: float, verb: str) -> Reply:
        try:
            silence = self._child.heard_within(timeout_s)
            if silence == "stopped":
                raise self._noted(_stopped(self._title, verb))
            if silence == "late":
                raise self._noted(
                    ModelTimeoutError(
                        f"{self._title} did not {verb} within {timeout_s:g} s and was ended.",
                        "It starts again when next needed.",
                    )
                )
            reply: Reply = self._channel.recv()
        except (EOFError, OSError) as error:
            raise self._lost(verb) from error
        except BaseException:
            # Also Ctrl-C: the answer under way must not be taken for that of the next frame.
            self.end()
            raise
        return reply

    def _lost(self, verb: str) -> ModelCrashedError:
        crash = self._crashed(verb)
        self.end()
        return crash

    def _raised(self, failure: Failure, otherwise: ModelError) -> PoseError:
        return failure.error or self._noted(otherwise, failure.trace)

    def _crashed(self, verb: str) -> ModelCrashedError:
        code = self._child.exit_code()
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
