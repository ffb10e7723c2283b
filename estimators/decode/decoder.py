"""One child process that decodes, seen from the app."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from multiprocessing import reduction
from typing import Any

from estimators.decode.child import OUT_OF_MEMORY
from estimators.decode.messages import Call, Ended, Given, Next, Raised, Ready, Stop
from estimators.decode.parcels import unpacked
from estimators.runtime.child import ChildProcess
from estimators.runtime.ends import exit_in_words

_START_S, _STOP_S = 60.0, 5.0
# Sent from outside; native code ends itself by others over what it was given.
_FROM_OUTSIDE = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGHUP}


class DecoderLostError(Exception):
    """The process is gone, or was ended because it did not answer.

    Attributes:
        outside: the file need not be the reason: another attempt is worth while.
        memory: it took more memory than it may.
        late_s: how long it was waited for where it did not answer in time, else 0.
    """

    def __init__(self, words: str, outside: bool, memory: bool = False, late_s: float = 0) -> None:
        super().__init__(words)
        self.outside, self.memory, self.late_s = outside, memory, late_s


class FailedError(Exception):
    """The function in the process raised something that is not one of our errors."""

    def __init__(self, raised: Raised) -> None:
        super().__init__(raised.description)
        self.memory = raised.memory


class Decoder:
    """A started process; one call at a time.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self) -> None:
        self._child = ChildProcess("estimators.decode.child", (), {"OPENBLAS_NUM_THREADS": "1"})
        self._channel = self._child.channel
        self._ready = False
        self.calls = 0

    @property
    def pid(self) -> int:
        return self._child.pid

    def alive(self) -> bool:
        return self._child.alive()

    def end(self) -> None:
        """Ends the process; safe to call twice and from any thread."""
        self._child.end()

    def call(self, function: str, arguments: tuple[Any, ...], timeout_s: float) -> Any:
        """What `function` ("module:name") returns there.

        Raises:
            DecoderLostError: the process was lost; it is ended.
            FailedError, PoseError: what the function raised.
        """
        self._send(Call(function, arguments))
        return self._value(timeout_s)

    def stream(self, function: str, arguments: tuple[Any, ...], timeout_s: float) -> Iterator[Any]:
        """What the generator `function` gives there, each item made when it is asked for.

        Raises:
            DecoderLostError, FailedError, PoseError: as `call`.
        """
        self._send(Call(function, arguments, stream=True))
        going_on = False
        try:
            while (item := self._value(timeout_s)) is not _END:
                going_on = True
                yield item
                del item
                going_on = False
                self._send(Next())
        finally:
            if going_on:
                self._stop()

    def _value(self, timeout_s: float) -> Any:
        try:
            reply = self._reply(timeout_s)
            if isinstance(reply, Given):
                self._await(_STOP_S)
                return unpacked(reply, reduction.recv_handle(self._channel))
        except (EOFError, OSError, RuntimeError) as error:
            raise self._lost() from error
        except BaseException:
            # Also Ctrl-C: the answer under way must not be taken for that of the next file.
            self.end()
            raise
        if isinstance(reply, Raised):
            raise reply.error or FailedError(reply)
        return _END

    def _reply(self, timeout_s: float) -> Given | Raised | Ended:
        if not self._ready:
            self._await(_START_S)
            self._ready = isinstance(self._channel.recv(), Ready)
        self._await(timeout_s)
        reply: Given | Raised | Ended = self._channel.recv()
        return reply

    def _await(self, timeout_s: float) -> None:
        """Until there is something to receive; raises DecoderLostError where nothing comes."""
        silence = self._child.heard_within(timeout_s)
        if silence is not None:
            self.end()
            late = silence == "late"
            words = f"it did not answer within {timeout_s:g} s" if late else "it was stopped"
            raise DecoderLostError(words, outside=not late, late_s=timeout_s if late else 0)

    def _send(self, message: Call | Next | Stop) -> None:
        try:
            self._channel.send(message)
        except OSError as error:
            raise self._lost() from error

    def _stop(self) -> None:
        """Ends a stream before its end, so that the process can be asked something else."""
        try:
            self._send(Stop())
            self._await(_STOP_S)
            if isinstance(self._channel.recv(), Ended):
                return
        except (DecoderLostError, EOFError, OSError):
            pass
        self.end()

    def _lost(self) -> DecoderLostError:
        code = self._child.exit_code()
        with contextlib.suppress(OSError):
            self.end()
        memory = code == OUT_OF_MEMORY
        outside = code is None or code in _FROM_OUTSIDE
        return DecoderLostError(exit_in_words(code), outside, memory)


_END = Ended()
