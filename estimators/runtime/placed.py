"""The place where one variant runs: started on demand, and again after a crash, ended for room."""

from __future__ import annotations

import time
from pathlib import Path

from estimators import weights
from estimators.errors import LOST, MemoryBudgetError, ModelError, PoseError
from estimators.registry import ModelSpec
from estimators.runtime.messages import Load
from estimators.runtime.priority import GivingWay
from estimators.runtime.stats import CallStats
from estimators.runtime.transport import Hosting, Transport
from estimators.runtime.troubles import Troubles
from estimators.runtime.turns import Turns
from estimators.runtime.viewer_session import OpenSessions, closed
from estimators.runtime.whereabouts import Whereabouts


class PlacedModel:
    """A variant, and the place where it runs when it has one.

    Implements `budget.Tenant`, from any thread; the place is for whoever has the turn.
    """

    def __init__(self, spec: ModelSpec, hosting: Hosting, wanted: str) -> None:
        self.spec = spec
        self.used_s = time.monotonic()
        self.where = Whereabouts(spec, wanted)
        self._hosting = hosting
        self._turns = Turns()
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

    def _worn(self) -> bool:
        """It gave way and cannot be raised again; no clip would lose its person by its end."""
        return self._place is not None and self._giving_way.stuck and not self.streaming()

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
