"""The sessions a runner hands out, as the viewer and as the model see them."""

from __future__ import annotations

import itertools
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, Self

from estimators.errors import InputError, ModelError, PoseError
from estimators.registry import ModelSpec
from estimators.runtime.api import RunResult
from estimators.runtime.sessions import SessionKey
from estimators.types import EstimatorOptions, Frame

_STREAMING_S = 10.0
_numbers = itertools.count(1)


def find(models: Mapping[str, ModelSpec], key: str) -> ModelSpec:
    """The variant called `key`; raises InputError with those there are."""
    if key not in models:
        raise InputError(f"There is no model {key!r}.", f"Choose from: {', '.join(models)}.")
    return models[key]


def closed() -> ModelError:
    """What those get who use a runner after its end."""
    return ModelError("The runner is closed.", "Start the application again.")


def only(answers: Sequence[RunResult | PoseError]) -> RunResult:
    """The one result there is; raises what there is instead."""
    (answer,) = answers
    if isinstance(answer, PoseError):
        raise answer
    return answer


class Host(Protocol):
    """Whatever runs one model."""

    def answers(
        self, key: SessionKey, frames: Sequence[Frame], viewer: str, timeout_s: float | None = None
    ) -> list[RunResult | PoseError]:
        """The results of frames, in their order; of one that failed the reason.

        A result is `cold` where the session's estimator was created for its frame.
        """

    def drop(self, session: str) -> None:
        """Forgets a session some time later; takes no lock, so a finalizer may call it."""

    def tidy(self) -> None:
        """Frees dropped sessions now if nobody else is using the model."""


class ViewerSession:
    """Implements `api.Session`; one that is never closed is dropped with its last reference."""

    def __init__(self, host: Host, options: EstimatorOptions, viewer: str) -> None:
        self._host = host
        self._key = SessionKey(f"session-{next(_numbers)}", options)
        self._viewer = viewer or self._key.session
        self._answered = False
        self._drop = weakref.finalize(self, host.drop, self._key.session)
        self._drop.atexit = False

    def estimate(self, frame: Frame, timeout_s: float | None = None) -> RunResult:
        self._check_open()
        result = only(self._host.answers(self._key, [frame], self._viewer, timeout_s))
        return self._told(result)

    def estimate_together(self, frames: Sequence[Frame]) -> list[RunResult | PoseError]:
        self._check_open()
        answers = self._host.answers(self._key, frames, self._viewer)
        return [self._told(a) if isinstance(a, RunResult) else a for a in answers]

    def _told(self, result: RunResult) -> RunResult:
        lost = result.cold and self._answered
        self._answered = True
        return replace(result, restarted=lost)

    def _check_open(self) -> None:
        if not self._drop.alive:
            raise ModelError("This session is closed.", "Open a new one.")

    def close(self) -> None:
        if self._drop.alive:
            self._drop()
            self._host.tidy()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class OpenSessions:
    """One model's sessions: through which frames come now, which are to be forgotten.

    It takes no lock, so a finalizer may drop a session in the middle of anything.
    """

    def __init__(self) -> None:
        self._dropped: deque[str] = deque()
        self._used_s: dict[str, float] = {}

    def used(self, key: SessionKey, now_s: float) -> None:
        if key.session and key.options.video:
            self._used_s[key.session] = now_s

    def streaming(self) -> bool:
        """A clip or a stream is running through the model, whose state would be lost."""
        since_s = time.monotonic() - _STREAMING_S
        for session, used_s in tuple(self._used_s.items()):
            if used_s < since_s:
                self._used_s.pop(session, None)
        return bool(self._used_s)

    def drop(self, session: str) -> None:
        self._used_s.pop(session, None)
        self._dropped.append(session)

    def forget_dropped(self, forget: Callable[[str], None]) -> None:
        """Calls `forget` for those that the model does not know yet to be over, each once."""
        while self._dropped:
            forget(self._dropped.popleft())

    def forgotten(self) -> None:
        """The model has just been loaded and knows none of them."""
        self._dropped.clear()
