"""One variant as its viewers use it: whose turn it is, where it runs, what its frames cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from estimators import weights
from estimators.devices import Placement
from estimators.errors import LOST, MemoryBudgetError, ModelError, PoseError
from estimators.registry import ModelSpec
from estimators.runtime.api import HostState, ModelStatus, RunResult
from estimators.runtime.gathering import Gathering, Question, ask, at_a_time
from estimators.runtime.machine import peak_mb
from estimators.runtime.messages import Load
from estimators.runtime.priority import GivingWay
from estimators.runtime.sessions import SessionKey
from estimators.runtime.stats import CallStats
from estimators.runtime.transport import Hosting, Transport
from estimators.runtime.troubles import Troubles
from estimators.runtime.turns import Turns
from estimators.runtime.viewer_session import OpenSessions, closed
from estimators.runtime.warming import Warming
from estimators.runtime.whereabouts import Whereabouts
from estimators.types import Frame


class HostedModel:
    """A variant, the place where it runs when it has one, and what is known about it.

    Implements `viewer_session.Host` and `budget.Tenant`; from any thread.  The place is started on
    demand, started again after a crash, and ended to make room.
    """

    def __init__(self, spec: ModelSpec, hosting: Hosting, wanted: str) -> None:
        self.spec = spec
        self.used_s = time.monotonic()
        self._hosting = hosting
        self._turns = Turns()
        self._gathering = Gathering()
        self._sessions = OpenSessions()
        self._stats = CallStats()
        self._troubles = Troubles(spec.title)
        self._giving_way = GivingWay()
        self._place: Transport | None = None
        self._ready = False
        self._loading = False
        self._closed = False
        self._restarts = 0
        self._error: str | None = None
        self._measured_mb: float | None = None
        self._settled_mb: float | None = None
        self._warming = Warming(spec.key, self._warm_up)
        self.where = Whereabouts(spec, wanted)

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
        with self._gathering.waiting(questions), self._turns.taken(viewer):
            try:
                for question in questions:
                    if question.outcome is None:  # else answered together with one before
                        self._answer(question, timeout_s)
            finally:
                self.used_s = time.monotonic()
                self._sessions.used(key, self.used_s)
        self._troubles.answered()
        self._hosting.budget.check(self)
        return [question.settled for question in questions]

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

    # What the memory budget asks for.

    @property
    def title(self) -> str:
        return self.spec.title

    @property
    def expected_mb(self) -> float:
        return self._measured_mb or self.spec.expected_mb

    def memory_mb(self) -> float:
        place = self._place
        memory = place.memory() if place is not None else None
        if memory is not None and self._ready:
            self._measured_mb = memory.share_mb
            return memory.share_mb
        return self.expected_mb if self._loading else 0.0

    def reserve(self) -> None:
        self._loading = True

    def streaming(self) -> bool:
        return self._sessions.streaming()

    def retire(self, viewer: str, timeout_s: float | None) -> bool:
        taken = self._turns.try_take() if timeout_s == 0 else self._turns.take(viewer, timeout_s)
        if taken:
            try:
                self.forgive()
                self._stop()
            finally:
                self._turns.give()
        return taken

    def forgive(self) -> None:
        """See `api.Runner.forgive`."""
        self._troubles.forgive()
        self.where.forgive()

    def _alive(self) -> Transport | None:
        place = self._place
        return place if place is not None and place.alive() else None

    # The place; only by whoever has the turn.

    def _fresh(self) -> Transport:
        """The loaded place, a new one where there is none or it is worn."""
        if self._worn():
            self._stop()
        place = self._alive()
        if place is not None:
            return place
        if self._place is not None:
            self._restarts += 1
            self._stop()
        self._troubles.loading.check()
        try:
            self.where.spec()  # a wish that cannot be met needs no room
            path = weights.path(self.spec.weights) if self.spec.weights else Path()
            self._hosting.budget.make_room(self)
            place = self._load_where_it_can(path.resolve())
        except PoseError as error:
            self._error = str(error)
            self._stop()
            self._check_open()
            if isinstance(error, ModelError) and not isinstance(error, MemoryBudgetError):
                self._troubles.not_loaded(error)
            raise
        finally:
            self._loading = False
        self._error = None
        return place

    def _load_where_it_can(self, path: Path) -> Transport:
        try:
            return self._load(path)
        except LOST as error:
            self._check_open()
            if not self.where.lost(error):
                raise
            self._stop()
            return self._load(path)

    def _load(self, path: Path) -> Transport:
        hosting, limits = self._hosting, self._hosting.limits
        load = Load(self.where.spec(), path, hosting.threads, limits.sessions, limits.idle_s)
        with hosting.activity.work() as work:
            started_s = time.monotonic()
            place = self._place = hosting.start(self.spec.title, hosting.threads)
            if self._closed:  # `close` may have come before it could see the place
                place.end()
            self._giving_way.started()
            self._giving_way.apply(place.pid)
            self.where.loaded(place.load(load, limits.load_s))
        self._settled_mb = None
        self._stats.loaded(time.monotonic() - started_s, work.disturbed or self._giving_way.lowered)
        self._sessions.forgotten()
        self._ready = True
        return place

    def _answer(self, question: Question, timeout_s: float | None) -> None:
        """Answers it, and those that wait beside it where the model takes several at once."""
        while question.outcome is None:
            self._check_open()
            self._troubles.check(question.frame, question.viewer)  # others may have sent it
            place = self._fresh()
            self._sessions.forget_dropped(place.forget)
            most = at_a_time(question.key, self.where.now.batch, self._stats.latest_ms)
            group = self._gathering.beside(question, most)
            try:
                given = ask(place, group, self._hosting, self._troubles, timeout_s)
            except ModelError as error:
                if isinstance(error, LOST):
                    self._lost(error)
                if len(group) == 1:
                    raise
                self._gathering.apart(group)  # then each by itself: whose fault it was shows so
                continue
            lowered = self._giving_way.lowered
            for total_ms, busy in given.settle(self.spec, self.where.now, lowered):
                self._stats.add(total_ms, busy)
            if self._settled_mb is None and (memory := place.memory()) is not None:
                self._settled_mb = memory.share_mb  # later calls make it grow

    def _lost(self, error: ModelError) -> None:
        self._stop()
        self._check_open()
        self._restarts, self._error = self._restarts + 1, str(error)
        self._troubles.aside.lost(error)

    def _stop(self) -> None:
        place, self._place, self._ready = self._place, None, False
        if place is not None:
            place.end()

    def _check_open(self) -> None:
        if self._closed:
            raise closed()

    def _state(self, running: bool) -> HostState:
        if self._loading:
            return "loading"
        return "ready" if running and self._ready else "failed" if self._error else "stopped"

    # A process that gave way to a live video and cannot be raised again.

    def _worn(self) -> bool:
        """It is to be replaced, and nobody's clip would lose its person by that."""
        return self._place is not None and self._giving_way.stuck and not self.streaming()

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
