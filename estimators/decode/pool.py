"""The decoders of this process: lent to one call or stream at a time, started when needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from estimators.decode.decoder import Decoder, DecoderLostError, FailedError
from estimators.errors import InputError, TryAgainError
from estimators.media.limits import allowed

# Kept warm.  Each takes some 60 MB.
_MOST_IDLE = 1
# Whatever a library leaves behind ends with its process.
_MOST_CALLS = 500
# More than a few visitors with all the pictures that they may bring.
_MOST_WAITING = 64
_ADVICE = "The app goes on. Save the file anew with another program, or use another one."


class Pool:
    """Any thread may call.

    Args:
        patience_s: the longest that one answer of a decoder may take.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._waiting = 0
        self._lasts_s = 1.0
        self._idle: list[Decoder] = []
        self._busy: set[Decoder] = set()
        self._closed = False

    def warm(self) -> None:
        """Has a decoder ready, in a moment."""
        with self._lent():
            pass

    def call(
        self,
        function: str,
        arguments: tuple[Any, ...],
        name: str,
        turn: AbstractContextManager[object] | None = None,
        times: int = 1,
    ) -> Any:
        """What `function` ("module:name") of a decoder's process returns.

        A process that was lost by something from outside is replaced and asked once more.

        Args:
            name: of the file, for messages.
            turn: is entered meanwhile.
            times: how many files' time it may take.

        Raises:
            InputError: what the function raised, or that decoding took too much or was lost.
            TryAgainError: that had other reasons than the file, or too many wait already.
        """
        timeout_s = times * self._patience_s
        with self._in_turn(turn, name):
            for again in (True, False):
                try:
                    with self._lent() as decoder:
                        return decoder.call(function, arguments, timeout_s)
                except DecoderLostError as lost:
                    if not (again and lost.outside):
                        raise in_words(lost, name) from lost
                except FailedError as failed:
                    raise in_words(failed, name) from failed
        raise AssertionError("unreachable")

    def stream(self, function: str, arguments: tuple[Any, ...]) -> Iterator[Any]:
        """The items of the generator `function`, each made when it is asked for.

        Raises:
            DecoderLostError, FailedError: `in_words` makes a message of them.
            InputError: what the function raised.
        """
        with self._lent() as decoder:
            yield from decoder.stream(function, arguments, self._patience_s)

    @contextmanager
    def _in_turn(self, turn: AbstractContextManager[object] | None, name: str) -> Iterator[None]:
        """Waits for `turn`; who would wait behind too many is told so, and how long it takes."""
        with self._lock:
            if turn is not None and self._waiting >= _MOST_WAITING:
                seconds = max(1, round(self._waiting * self._lasts_s))
                raise TryAgainError(
                    f"{name} waits: {self._waiting} files of other visitors are decoded first.",
                    f"Try again in about {seconds} s.",
                )
            self._waiting += 1
        try:
            with turn or nullcontext():
                begun_s = time.monotonic()
                yield
                # Of the last few files, the newer ones more.
                self._lasts_s += (time.monotonic() - begun_s - self._lasts_s) / 4
        finally:
            with self._lock:
                self._waiting -= 1

    @property
    def waiting(self) -> int:
        """How many calls wait or are answered now."""
        with self._lock:
            return self._waiting

    def pids(self) -> list[int]:
        """Of all decoders."""
        with self._lock:
            return [decoder.pid for decoder in (*self._idle, *self._busy)]

    def close(self) -> None:
        """Ends all decoders."""
        with self._lock:
            self._closed = True
            decoders, self._idle = [*self._idle, *self._busy], []
        for decoder in decoders:
            decoder.end()

    @contextmanager
    def _lent(self) -> Iterator[Decoder]:
        decoder = self._taken()
        try:
            yield decoder
        finally:
            decoder.calls += 1
            with self._lock:
                self._busy.discard(decoder)
                useful = decoder.alive() and decoder.calls < _MOST_CALLS and not self._closed
                keep = useful and len(self._idle) < _MOST_IDLE
                if keep:
                    self._idle.append(decoder)
            if not keep:
                decoder.end()

    def _taken(self) -> Decoder:
        with self._lock:
            while self._idle:
                decoder = self._idle.pop()
                if decoder.alive():
                    self._busy.add(decoder)
                    return decoder
        try:
            decoder = Decoder()
        except OSError as error:
            raise TryAgainError(
                f"No process can be started to decode in: {error.strerror or error}.",
                "Try again in a moment; whoever runs the server: allow more processes or memory.",
            ) from error
        with self._lock:
            self._busy.add(decoder)
        return decoder


def in_words(error: DecoderLostError | FailedError, name: str) -> InputError:
    """What to tell whoever brought the file called `name`."""
    if error.memory:
        most = allowed().decode_mb
        return InputError(
            f"{name} takes more memory to decode than one file may ({most} MB).",
            "Make it smaller, or save it anew with another program.",
        )
    if isinstance(error, FailedError):
        return InputError(f"{name} could not be decoded: {error}.", _ADVICE)
    if error.late_s:
        return TryAgainError(
            f"{name} took longer than {error.late_s:g} s to decode and was given up.",
            "Make it smaller or shorter, or try again when the server has less to do.",
        )
    kind = TryAgainError if error.outside else InputError
    return kind(f"{name} could not be decoded: its decoder was lost ({error}).", _ADVICE)


_pool: Pool | None = None


def use_children(patience_s: float) -> Pool:
    """From now on files are decoded in children of this process; the first one starts now.

    Args:
        patience_s: the longest that one answer of a decoder may take (`POSE_DECODE_S`).
    """
    global _pool
    if _pool is None:
        _pool = Pool(patience_s)
        threading.Thread(target=_pool.warm, name="warm-decoder", daemon=True).start()
    return _pool


def pool() -> Pool | None:
    """The decoders, None where files are decoded in this process."""
    return _pool
