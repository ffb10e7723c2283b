"""Workers as actors of a Ray cluster, here or elsewhere."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import estimators
from estimators.cluster.reach import CLIENT, join, not_reached, show_token
from estimators.cluster.schedule import AHEAD, BATCH, WorkerFailedError, WorkerLostError
from estimators.cluster.worker import Worker
from estimators.errors import InputError, first_line
from estimators.runtime.machine import available_cores

# Small: names go there and lines come back, no pictures.
_STORE_BYTES = 100_000_000
_ROOT = str(Path(estimators.__file__).resolve().parents[1])


@dataclass(frozen=True)
class Room:
    """What each worker gets.

    Attributes:
        workers: how many; None for as many as the cluster has room for.
        cpus: cores of each, and threads of its model.
        gpus: of each, fractions too.
    """

    workers: int | None = None
    cpus: int = 1
    gpus: float = 0.0


def imported() -> Any:
    """The module `ray`, which tells nobody how it is used.

    Raises:
        InputError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DISABLE_IMPORT_WARNING", "1")
    try:
        import ray
    except ImportError as error:
        raise InputError(
            "Ray is not installed.", "`pip install -r requirements-ray.txt`, then try again."
        ) from error
    return ray


@contextmanager
def connected(address: str, more: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """A cluster by its address; `auto` is the one of this job or this machine, else a new one here.

    Args:
        more: for `ray.init` of a new one.

    Raises:
        InputError: Ray is not installed, or nothing answers there.
    """
    if address.startswith(CLIENT):
        show_token()
    ray = imported()
    told: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    if "RAY_JOB_CONFIG_JSON_ENV_VAR" not in os.environ:  # a job has it from whoever submitted it
        told["runtime_env"] = {"env_vars": worker_environment()}
    here = {"address": "local", "num_cpus": available_cores(), "include_dashboard": False}
    here["object_store_memory"] = _STORE_BYTES
    try:
        with _sigterm_kept():
            try:
                join(ray, address, told)
            except ConnectionError:
                if address != "auto":
                    raise
                ray.init(**{**told, **here, **(more or {})})
    except Exception as error:  # Ray raises whatever it meets on the way
        raise not_reached(address, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself and would end this process before what is done is kept."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def worker_environment() -> dict[str, str]:
    """What is set for a worker beside its node's own environment: nothing that is secret."""
    given = os.environ.get("PYTHONPATH")
    folders = [_ROOT, *(given or "").split(os.pathsep)]
    path = os.pathsep.join(dict.fromkeys(filter(None, folders)))
    return {"PYTHONPATH": path, "RAY_USAGE_STATS_ENABLED": "0"}


def check_room(ray: Any, room: Room) -> int:
    """How many workers there will be.

    Raises:
        InputError: the cluster has no room for one.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    places = sum(_places(node, room) for node in nodes)
    if not places:
        wants = f"{room.cpus} CPUs" + (f" and {room.gpus:g} GPUs" if room.gpus else "")
        raise InputError(
            f"No node of the cluster has room for a worker of {wants}.",
            "Ask for less by --cpus-per-model and --gpus-per-model.",
        )
    return min(places, room.workers or places)


def _places(node: Mapping[str, float], room: Room) -> int:
    """How many workers a node has room for."""
    places = int(node.get("CPU", 0) // room.cpus)
    if room.gpus:
        each = int(1 / room.gpus) if room.gpus < 1 else 1
        places = min(places, int(node.get("GPU", 0) // max(room.gpus, 1)) * each)
    return places


def cause_of(error: Any) -> Exception:
    """What was raised in a worker, as far as it could travel."""
    cause: Exception = error.cause if isinstance(error.cause, Exception) else error
    return cause


class RayWorkers:
    """The workers of one model, or of another kind; a `schedule.Workers`.

    Args:
        job: what each is started with.
        kind: of worker.
    """

    batch, ahead = BATCH, AHEAD

    def __init__(self, ray: Any, job: Any, room: Room, kind: type = Worker) -> None:
        self.count = check_room(ray, room)
        self._ray, self._job = ray, job
        # What fails is told by the worker or asked again by the schedule, never by Ray.
        self._actor = ray.remote(
            num_cpus=room.cpus, num_gpus=room.gpus, max_restarts=0, max_task_retries=0
        )(kind)

    def start(self) -> Any:
        return self._actor.remote(self._job)

    def ready(self, worker: Any) -> Any:
        return worker.ready.remote()

    def ask(self, worker: Any, asks: Sequence[Any]) -> Any:
        return worker.answer.remote(tuple(asks))

    def wait(self, tickets: Sequence[Any], timeout_s: float) -> list[Any]:
        if not tickets:
            return []
        done, _ = self._ray.wait(list(tickets), num_returns=1, timeout=timeout_s)
        return list(done)

    def result(self, ticket: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(ticket)
        except (errors.RayActorError, errors.ObjectLostError, errors.NodeDiedError) as error:
            raise WorkerLostError(type(error).__name__) from error
        except errors.RayTaskError as error:
            cause = cause_of(error)
            raise WorkerFailedError(f"{type(cause).__name__}: {first_line(cause)}") from error
        except errors.RayError as error:
            raise WorkerLostError(type(error).__name__) from error

    def end(self, worker: Any) -> None:
        self._ray.kill(worker)
