"""Which loaded variants stay when memory is short."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from estimators.errors import MemoryBudgetError

# Reading the size of a process costs about a millisecond of a call.
_CHECK_EVERY_S = 5.0
_VIEWER = "memory budget"


class GpuUse(Protocol):
    """What a variant has to do with GPUs."""

    @property
    def on_gpu(self) -> bool:
        """It computes on one when it is loaded."""

    def lacks_gpu(self) -> bool:
        """A GPU that it would go to has too little memory free for it."""


class Tenant(Protocol):
    """A variant as the budget sees it."""

    @property
    def where(self) -> GpuUse: ...

    @property
    def title(self) -> str: ...

    @property
    def used_s(self) -> float:
        """When it was last used (monotonic clock)."""

    @property
    def expected_mb(self) -> float:
        """What it needs when loaded: measured last time, else guessed."""

    def memory_mb(self) -> float:
        """What it takes now; what it is expected to take while it is loading; else 0."""

    def reserve(self) -> None:
        """From now on it counts as loading."""

    def streaming(self) -> bool:
        """A clip or a live stream is running through it, whose state would be lost."""

    def retire(self, viewer: str, timeout_s: float) -> bool:
        """Ends it when its turn comes (0: only if nobody uses it); False when it did not come."""


class MemoryBudget:
    """Keeps the sum of the hosts' proportional set sizes under `total_mb`.

    The least recently used variant goes first.  A variant in the middle of a call is waited for,
    one that a clip or stream runs through stays.  A variant that does not fit even alone runs
    alone: the estimate may be wrong, and a person who asked for one model wants an answer.

    A GPU's memory is its own: what is not ours there cannot be moved, so that as many of ours go as
    are idle, and then the newcomer tries.
    """

    def __init__(self, total_mb: int, patience_s: float) -> None:
        self.total_mb = total_mb
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._tenants: list[Tenant] = []
        self._checked_s = -math.inf

    def add(self, tenant: Tenant) -> None:
        self._tenants.append(tenant)

    def make_room(self, newcomer: Tenant) -> None:
        """Retires others until `newcomer` fits and reserves its place.

        Raises:
            MemoryBudgetError: those that stay leave too little room.
        """
        deadline_s = time.monotonic() + self._patience_s
        while True:
            with self._lock:
                others = self._loaded(newcomer)
                taken = sum(tenant.memory_mb() for tenant in others)
                fits = not others or taken + newcomer.expected_mb <= self.total_mb
                if fits:
                    others = self._in_the_way_on_a_gpu(newcomer, others)
                if fits and not others:
                    newcomer.reserve()
                    return
            movable = [tenant for tenant in others if not tenant.streaming()]
            if any(tenant.retire(_VIEWER, 0) for tenant in movable):
                continue
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or not movable or not movable[0].retire(_VIEWER, left_s):
                if not fits:
                    raise self._no_room(newcomer, others)
                newcomer.reserve()  # only a GPU is full: whether that is enough, a trial tells
                return

    def check(self, caller: Tenant) -> None:
        """After a call of `caller`: retires idle variants if together they outgrew the budget."""
        now = time.monotonic()
        if now - self._checked_s < _CHECK_EVERY_S:
            return
        self._checked_s = now
        taken = caller.memory_mb()
        others = self._loaded(caller)
        sizes = [tenant.memory_mb() for tenant in others]
        taken += sum(sizes)
        for tenant, size in zip(others, sizes, strict=True):
            if taken <= self.total_mb:
                return
            if not tenant.streaming() and tenant.retire(_VIEWER, 0):
                taken -= size

    def _in_the_way_on_a_gpu(self, newcomer: Tenant, others: Sequence[Tenant]) -> Sequence[Tenant]:
        """Those on a GPU that can go, where the newcomer finds no room on one."""
        there = [t for t in others if t.where.on_gpu and not t.streaming()]
        return there if there and newcomer.where.lacks_gpu() else ()

    def _loaded(self, asking: Tenant) -> Sequence[Tenant]:
        """The others that take memory, least recently used first."""
        others = (t for t in tuple(self._tenants) if t is not asking and t.memory_mb() > 0)
        return sorted(others, key=lambda tenant: tenant.used_s)

    def _no_room(self, newcomer: Tenant, others: Sequence[Tenant]) -> MemoryBudgetError:
        names = ", ".join(f"{t.title} ({t.memory_mb():.0f} MB)" for t in others)
        return MemoryBudgetError(
            f"{newcomer.title} needs about {newcomer.expected_mb:.0f} MB, which does not fit into "
            f"{self.total_mb} MB beside {names}, in use now.",
            "Choose fewer models, stop a stream, or raise POSE_MEMORY_MB.",
        )
