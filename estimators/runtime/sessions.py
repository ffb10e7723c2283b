"""The estimators that one loaded model keeps, one a session, whichever process it lives in."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from estimators.types import Estimate, EstimatorOptions, Frame, PoseEstimator, PoseModel


class SessionKey(NamedTuple):
    """Whose frames these are; `session` is empty for unrelated pictures.

    The options say nothing of a device: the model is on one, and whatever a viewer called it, their
    pictures go through the same estimator.
    """

    session: str
    options: EstimatorOptions


@dataclass
class _Slot:
    estimator: PoseEstimator
    used_s: float


class EstimatorPool:
    """Opens an estimator for each session and closes those that nobody uses any more.

    Args:
        model: the loaded weights that all of them share; closed together with the pool.
        capacity: most estimators kept; the least recently used one makes room.
        idle_s: an estimator unused for so long may be closed by `expire`.
    """

    def __init__(self, model: PoseModel, capacity: int, idle_s: float) -> None:
        self._model = model
        self._capacity = capacity
        self._idle_s = idle_s
        self._slots: OrderedDict[SessionKey, _Slot] = OrderedDict()

    def __len__(self) -> int:
        return len(self._slots)

    def estimate(self, key: SessionKey, frame: Frame) -> tuple[Estimate, bool]:
        """The estimate, and whether the session's estimator had to be created for it.

        An estimator that raises is closed: after an error nobody knows what state it is in.
        """
        with self._estimator(key) as (estimator, fresh):
            return estimator.estimate(frame), fresh

    def estimate_together(
        self, key: SessionKey, frames: Sequence[Frame]
    ) -> tuple[list[Estimate], bool]:
        """As `estimate`, of frames that do not depend on each other.

        Raises:
            Exception: one of them failed, or they are too many; which one shows when they are asked
                for one by one.
        """
        with self._estimator(key) as (estimator, fresh):
            return estimator.estimate_together(frames), fresh  # type: ignore[attr-defined]

    @contextmanager
    def _estimator(self, key: SessionKey) -> Iterator[tuple[PoseEstimator, bool]]:
        """The session's estimator, and whether it is a new one."""
        slot = self._slots.pop(key, None)
        fresh = slot is None
        if slot is None:
            while len(self._slots) >= self._capacity:
                self._slots.popitem(last=False)[1].estimator.close()
            slot = _Slot(self._model.open(key.options), 0.0)
        try:
            yield slot.estimator, fresh
        except BaseException:
            slot.estimator.close()
            raise
        slot.used_s = time.monotonic()
        self._slots[key] = slot

    def forget(self, session: str) -> None:
        """Closes the estimators of `session`, if there are any."""
        for key in [key for key in self._slots if key.session == session]:
            self._slots.pop(key).estimator.close()

    def expire(self) -> None:
        """Closes the estimators that were not used for `idle_s`."""
        oldest_s = time.monotonic() - self._idle_s
        for key in [key for key, slot in self._slots.items() if slot.used_s < oldest_s]:
            self._slots.pop(key).estimator.close()

    def close(self) -> None:
        while self._slots:
            self._slots.popitem()[1].estimator.close()
        self._model.close()
