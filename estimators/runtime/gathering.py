"""Questions that wait at one model at the same time: a model that can answers some together."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from estimators.devices import Placement
from estimators.errors import PoseError
from estimators.registry import ModelSpec
from estimators.runtime.api import RunResult
from estimators.runtime.messages import Answer
from estimators.runtime.sessions import SessionKey
from estimators.runtime.transport import Hosting, Transport
from estimators.runtime.troubles import Troubles
from estimators.types import Frame

# Pictures that go to a quick model at a time, which answers one after the other: then their way
# counts half, of which a model that takes 25 ms has 1.3 a picture.
AT_A_TIME = 2
_QUICK_MS = 100.0


def at_a_time(key: SessionKey, batch: int, latest_ms: float, suspect: bool = False) -> int:
    """How many questions like that with `key` are handed to a model together.

    Others' questions wait for all of them, so a slow model gets one by one, unless it computes
    `batch` of them in one forward.

    Args:
        suspect: pictures have cost its process lately; which of two it was costs another one.
    """
    quick = latest_ms < _QUICK_MS and not key.options.video and not suspect
    return max(batch, AT_A_TIME if quick else 1)


@dataclass(eq=False)
class Question:
    """One frame of one viewer, on its way to a model.

    Attributes:
        asked_s: since when it waits.
        alone: it must not be answered together with others (any more).
        on_its_way: it was handed to the model.
        outcome: None until somebody has answered it.
    """

    key: SessionKey
    frame: Frame
    viewer: str
    asked_s: float = field(default_factory=time.perf_counter)
    alone: bool = False
    on_its_way: bool = False
    outcome: RunResult | PoseError | None = None

    @property
    def settled(self) -> RunResult | PoseError:
        """The answer, or what there is instead, once somebody has answered."""
        assert self.outcome is not None
        return self.outcome


class Gathering:
    """The questions that wait for their turn at one model; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Question] = []

    @contextmanager
    def waiting(self, questions: Sequence[Question]) -> Iterator[None]:
        """While inside, they may be answered by whoever has the turn."""
        with self._lock:
            self._waiting.extend(questions)
        try:
            yield
        finally:
            with self._lock:
                self._waiting = [q for q in self._waiting if q not in questions]

    def beside(self, question: Question, most: int) -> list[Question]:
        """`question` and others like it, the longest waiting first, `most` at a time.

        Together go pictures of one viewer with the same options, or frames of one clip.
        """
        kind = (question.key, question.viewer)
        with self._lock:
            others = [
                q
                for q in self._waiting
                if not (q is question or q.alone or q.on_its_way) and (q.key, q.viewer) == kind
            ]
            group = [question, *others[: max(0, most - 1)]] if not question.alone else [question]
            for each in group:
                each.on_its_way = True
        return group

    def apart(self, group: Sequence[Question]) -> None:
        """Lets each be answered alone: nobody knows whose fault a loss was."""
        with self._lock:
            for question in group:
                question.alone, question.on_its_way = True, False


@dataclass(frozen=True, eq=False)
class Given:
    """What a model gave to a group of questions.

    Attributes:
        answers: one each, or why there is none.
        asked_s, ended_s: when they were handed over, and when the answers were there.
        busy: other work ran beside them.
    """

    group: Sequence[Question]
    answers: Sequence[Answer | PoseError]
    asked_s: float
    ended_s: float
    busy: bool

    def settle(
        self, spec: ModelSpec, where: Placement, lowered: bool
    ) -> Iterator[tuple[float, bool]]:
        """Gives every question its outcome.

        What the way took is shared among them, and so is the forward where they had one; else the
        later ones waited for those before.

        Args:
            lowered: the model was slower than it could be.

        Yields:
            Of each that was answered the milliseconds, and whether they are no figure of its own.
        """
        shared = 1 < len(self.group) <= where.batch
        busy, before_ms = self.busy or lowered or shared, 0.0
        own_ms = sum(answer.busy_ms for answer in self.answers if isinstance(answer, Answer))
        carried_ms = max(0.0, (self.ended_s - self.asked_s) * 1000 - own_ms)
        carried_ms /= len(self.group)
        for question, answer in zip(self.group, self.answers, strict=True):
            if isinstance(answer, PoseError):
                question.outcome = answer
                continue
            estimate = answer.estimate(spec).in_full_size(question.frame)
            queue_ms = (self.asked_s - question.asked_s) * 1000 + before_ms
            question.outcome = RunResult(
                estimate, queue_ms, carried_ms, answer.fresh, busy=busy, placement=where
            )
            before_ms += 0.0 if shared else answer.busy_ms
            yield estimate.timings_ms.total, busy


class Asked:
    """Questions on their way to a model, whose answers whoever has the turn next takes.

    Raises:
        ModelCrashedError: the place is lost.
        ModelError: they could not be handed over.
    """

    def __init__(self, group: Sequence[Question], place: Transport, hosting: Hosting) -> None:
        self.group = group
        self._place, self._hosting = place, hosting
        self._asked_s = time.perf_counter()
        self._work = hosting.activity.begin()
        try:
            place.hand_over(group[0].key, [question.frame for question in group])
        except BaseException:
            self.end()
            raise

    def given(self, troubles: Troubles, timeout_s: float | None) -> Given:
        """What the model says to them.

        Raises:
            ModelCrashedError, ModelTimeoutError: the place is lost.
        """
        first, alone = self.group[0], len(self.group) == 1
        limit_s = (timeout_s or self._hosting.limits.call_s) * len(self.group)
        # Of several nobody knows whose fault a loss is.
        losses = troubles.losses.of(first.frame, first.viewer) if alone else nullcontext()
        try:
            with losses:
                answers = self._place.answers(limit_s)
            ended_s = time.perf_counter()
        finally:
            self.end()
        for question in () if alone else self.group:
            troubles.losses.answered(question.frame, question.viewer)
        return Given(self.group, answers, self._asked_s, ended_s, self._work.disturbed)

    def end(self) -> None:
        """Nobody waits for the answers any more."""
        self._hosting.activity.end(self._work)
