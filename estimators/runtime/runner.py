"""The runner: every variant in a place of its own, by default a child process."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

from estimators import devices
from estimators.devices import Placement
from estimators.errors import InputError
from estimators.registry import MODELS, ModelSpec
from estimators.runtime.activity import Activity, Work
from estimators.runtime.api import ModelStatus, RunResult, Session
from estimators.runtime.budget import MemoryBudget
from estimators.runtime.hosted import HostedModel
from estimators.runtime.machine import available_cores
from estimators.runtime.process import HostProcess
from estimators.runtime.sessions import SessionKey
from estimators.runtime.transport import Hosting, Limits, Start
from estimators.runtime.viewer_session import ViewerSession, closed, find, only
from estimators.runtime.whereabouts import canonical
from estimators.settings import Settings
from estimators.types import EstimatorOptions, Frame

_PICTURES = EstimatorOptions()
_LIMITS = Limits()
# Between the frames of a clip or a live stream nothing runs for a moment.
_QUIET_S = 0.2


class ProcessRunner:
    """Implements `api.Runner` with one child process for each variant in use.

    Args:
        settings: the memory for all models together, and where they compute.
        threads: CPU threads of each model; None for every core this process may use.
        models: the variants by key; the registry's unless an experiment or a test brings others.
        limits: how long a model may take.
        start: how a model gets a place to run; another one hosts it elsewhere.

    Raises:
        InputError: the budget or the number of threads is not a positive number.
    """

    def __init__(
        self,
        settings: Settings,
        threads: int | None = None,
        models: Mapping[str, ModelSpec] = MODELS,
        limits: Limits = _LIMITS,
        start: Start = HostProcess,
    ) -> None:
        if os.name != "posix":
            raise InputError(
                "The models need Linux or macOS.", "On Windows, run the app inside WSL."
            )
        if threads is not None and threads < 1:
            raise InputError(f"{threads} threads are too few.", "Give 1 or more.")
        if settings.memory_mb < 1:
            raise InputError(f"{settings.memory_mb} MB are too little.", "Give 1 or more.")
        self.threads = threads or available_cores()
        self._models = models
        self._budget = MemoryBudget(settings.memory_mb, limits.call_s)
        self._activity = Activity()
        self._hosting = Hosting(self.threads, limits, self._budget, self._activity, start)
        self._device = settings.device
        self._hosted: dict[tuple[str, str], HostedModel] = {}
        self._lock = threading.Lock()
        self._closed = False

    @property
    def memory_mb(self) -> int:
        """The budget of all models together."""
        return self._budget.total_mb

    def warm(self, model: str, device: str = "") -> threading.Event:
        return self._host(model, device).warm()

    def placement(self, model: str, device: str = "") -> Placement:
        return self._host(model, device).placed()

    def estimate(
        self,
        model: str,
        frame: Frame,
        options: EstimatorOptions = _PICTURES,
        viewer: str = "",
    ) -> RunResult:
        # A picture has no clip to follow anybody in, whatever the options say.
        key = SessionKey("", replace(options, video=False, device=""))
        return only(self._host(model, options.device).answers(key, [frame], viewer))

    def open(self, model: str, options: EstimatorOptions = _PICTURES, viewer: str = "") -> Session:
        host = self._host(model, options.device)
        return ViewerSession(host, replace(options, device=""), viewer)

    def give_way(self, model: str, holder: str, niceness: int, cores: int = 0) -> None:
        for host in self._hosts(model):
            host.give_way(holder, niceness, cores)

    def occupied(self) -> AbstractContextManager[Work]:
        return self._activity.work()

    def wait_quiet(self, timeout_s: float) -> bool:
        return self._activity.wait_quiet(timeout_s, _QUIET_S)

    def status(self) -> tuple[ModelStatus, ...]:
        with self._lock:
            hosted = tuple(self._hosted.values())
        return tuple(host.status() for host in hosted)

    def retire(self, model: str) -> None:
        for host in self._hosts(model):
            host.retire("retire", None)

    def forgive(self, model: str) -> None:
        for host in self._hosts(model):
            host.forgive()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            hosted = tuple(self._hosted.values())
        for host in hosted:
            host.close()

    def _host(self, model: str, device: str = "") -> HostedModel:
        """The model as it is hosted on a device that was wished, "" for the runner's own."""
        spec = find(self._models, model)
        wanted = canonical(spec, device or self._device)
        with self._lock:
            if self._closed:
                raise closed()
            own = self._hosted.get((model, devices.AUTO))
            if own is not None and own.where.meets(wanted):
                return own
            if (model, wanted) not in self._hosted:
                host = HostedModel(spec, self._hosting, wanted)
                self._hosted[model, wanted] = host
                self._budget.add(host)
            return self._hosted[model, wanted]

    def _hosts(self, model: str) -> list[HostedModel]:
        """The model on every device that it was wished on, else on the runner's own."""
        with self._lock:
            if self._closed:
                raise closed()
            found = [host for (key, _), host in self._hosted.items() if key == model]
        return found or [self._host(model)]
