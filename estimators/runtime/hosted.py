"""One variant as its viewers use it: whose turn it is, where it runs, what its frames cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from estimators.devices import Placement
from estimators.errors import LOST, ModelError, PoseError
from estimators.registry import ModelSpec
from estimators.runtime.api import HostState, ModelStatus, RunResult
from estimators.runtime.gathering import Asked, Gathering, Question, at_a_time
from estimators.runtime.machine import peak_mb
from estimators.runtime.placed import PlacedModel
from estimators.runtime.sessions import SessionKey
from estimators.runtime.transport import Hosting
from estimators.runtime.warming import Warming
from estimators.types import Frame


class HostedModel(PlacedModel):
    """A variant, whose turn it is there, and what is known about it.

    Implements `viewer_session.Host`; from any thread.
    """

    def __init__(self, spec: ModelSpec, hosting: Hosting, wanted: str) -> None:
        super().__init__(spec, hosting, wanted)
        self._gathering = Gathering()
        self._asked: Asked | None = None  # on its way before the turn of whoever asks has come
        self._warming = Warming(spec.key, self._warm_up)

    def answers(
        self, key: SessionKey, frames: Sequence[Frame], viewer: str, timeout_s: float | None = None
    ) -> list[RunResult | PoseError]:
        """What it says of frames, when it is this viewer's turn; see `viewer_session.Host`.

        Raises:
            ModelError, WeightsError: what went wrong with this model.
        """
        for frame in frames:  # with one that is set aside the others are asked by themselves
            self._troubles.check(frame, viewer)
        questions = [Question(key, frame, viewer) for frame in frames]
        try:
            self._answer_in_turn(questions, viewer, timeout_s)
        except Exception:
            raise
        except BaseException:
            self._interrupted()
            raise
        outcomes = [question.settled for question in questions]
        if any(isinstance(outcome, RunResult) for outcome in outcomes):
            self._troubles.answered()
        self._hosting.budget.check(self)
        return outcomes

    def warm(self) -> threading.Event:
        """See `api.Runner.warm`; errors are kept for `status`."""
        return self._warming.begin(lambda: self._ready and self._alive() is not None)

    def give_way(self, holder: str, niceness: int, cores: int) -> None:
        """See `api.Runner.give_way`."""
        self._giving_way.want(holder, niceness, cores)
        if (place := self._place) is not None:
            self._giving_way.apply(place.pid)
        self._replace_worn()

    def placed(self) -> Placement:
        """See `api.Runner.placement`."""
        if self.where.placement is None:
            self._load_in_turn("placement")
        return self.where.now

    def drop(self, session: str) -> None:
        self._sessions.drop(session)

    def tidy(self) -> None:
        if self._turns.try_take():
            try:
                if self._place is not None and self._ready:
                    self._sessions.forget_dropped(self._place.forget)
            finally:
                self._turns.give()
        self._replace_worn()

    def status(self) -> ModelStatus:
        place = self._alive()
        memory = place and place.memory()
        return ModelStatus(
            model=self.spec.key,
            state=self._state(running=place is not None),
            pid=place.pid if place is not None else None,
            rss_mb=memory.rss_mb if memory else None,
            pss_mb=memory.pss_mb if memory else None,
            settled_mb=self._settled_mb if memory else None,
            peak_mb=peak_mb(place.pid) if place is not None and place.pid else None,
            **self._stats.figures(),
            restarts=self._restarts,
            error=self._error,
            placement=self.where.placement,
            gpu_mb=self.where.gpu_mb(place.pid) if place is not None else None,
            wanted=self.where.wanted,
            expected_mb=self.expected_mb,
        )

    def close(self) -> None:
        """Ends the model at once, whoever is waiting for it."""
        self._closed = True
        if (place := self._place) is not None:
            place.end()

    def _answer_in_turn(
        self, questions: Sequence[Question], viewer: str, timeout_s: float | None
    ) -> None:
        wish = questions[0] if questions else None
        with self._gathering.waiting(questions), self._turns.taken(viewer, wish):
            try:
                self._answer(questions, timeout_s)
            except Exception:
                raise
            except BaseException:
                self._stop()  # nobody knows which answers are on their way
                raise
            finally:
                self.used_s = time.monotonic()
                if wish is not None:
                    self._sessions.used(wish.key, self.used_s)

    def _interrupted(self) -> None:
        """Somebody stopped waiting, whose question may be on its way with nobody coming next."""
        if self._turns.try_take():
            try:
                if self._asked is not None:
                    self._stop()
            finally:
                self._turns.give()

    def _answer(self, questions: Sequence[Question], timeout_s: float | None) -> None:
        """Answers them, each with those that wait beside it where some may go together."""
        while left := [question for question in questions if question.outcome is None]:
            self._check_open()
            asked, self._asked = self._asked or self._handed_over(left[0]), None
            try:
                given = asked.given(self._troubles, timeout_s)
            except ModelError as error:
                self._lost(error)
                if asked.group == left[:1]:
                    raise
                self._gathering.apart(asked.group)  # whose fault it was shows of each by itself
                continue
            if self._settled_mb is None and (place := self._alive()) is not None:
                memory = place.memory()  # later calls make it grow
                self._settled_mb = memory and memory.share_mb
            left = [question for question in left if question not in asked.group]
            self._go_on([*left, *self._turns.wishes], asked.group)
            lowered = self._giving_way.lowered
            for total_ms, busy in given.settle(self.spec, self.where.now, lowered):
                self._stats.add(total_ms, busy)

    def _handed_over(self, question: Question) -> Asked:
        self._troubles.check(question.frame, question.viewer)  # others may have sent it
        place = self._fresh()
        self._sessions.forget_dropped(place.forget)
        batch, suspect = self.where.now.batch, self._troubles.losses.suspect
        most = at_a_time(question.key, batch, self._stats.latest_ms, suspect)
        group = self._gathering.beside(question, most)
        try:
            return Asked(group, place, self._hosting)
        except ModelError as error:
            if isinstance(error, LOST):
                self._lost(error)
            if len(group) == 1:
                raise
            self._gathering.apart(group)
            return self._handed_over(question)

    def _go_on(self, wishes: Sequence[object], answered: Sequence[Question]) -> None:
        """Hands the next question over at once: who asked it comes when this turn has ended."""
        for wish in wishes:
            if not isinstance(wish, Question) or self._alive() is None or self._worn():
                return
            if wish.outcome is None and wish not in answered:
                with suppress(Exception):  # told to whoever asked, when it is handed over again
                    self._asked = self._handed_over(wish)
                return

    def _stop(self) -> None:
        asked, self._asked = self._asked, None
        super()._stop()
        if asked is not None:
            asked.end()

    def _state(self, running: bool) -> HostState:
        if self._loading:
            return "loading"
        return "ready" if running and self._ready else "failed" if self._error else "stopped"

    def _replace_worn(self) -> None:
        if self._worn():
            self._warming.again(threading.Event())

    def _load_in_turn(self, viewer: str) -> None:
        with self._turns.taken(viewer):
            self._check_open()
            self._fresh()

    def _warm_up(self) -> None:
        with suppress(PoseError):  # told by `status` and to whoever uses the model
            self._load_in_turn("warm")
