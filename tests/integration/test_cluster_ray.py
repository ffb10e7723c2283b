"""A real Ray cluster of several nodes on this machine, whose workers and nodes are killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from estimators.annotated import AnnotatedSet
from estimators.cluster.job import ClusterJob, Hiring
from estimators.cluster.on_ray import RayWorkers, Room, connected
from estimators.cluster.worker import Host
from estimators.datasets.read import read_annotated_set
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.workflows.evaluate.answers import Evaluated
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.shard import Merged, job_of
from estimators.workflows.shards import WHOLE, ShardRun, find_parts
from tests.unit.cluster_stand import (
    DEADLY,
    deadly,
    on_cluster,
    on_one_machine,
    slow,
    told,
    whole,
)
from tests.unit.evaluate_stand import LIGHTNING, MULTI, annotated_set

pytest.importorskip("ray", reason="needs requirements-ray.txt")
PICTURES = 60


class Nodes:
    """A cluster of as many nodes as are asked for, one core each, and what can happen to them."""

    def __init__(self, nodes: int) -> None:
        from ray.cluster_utils import Cluster

        # A node that is killed is noticed in seconds.
        often = {"health_check_period_ms": 500, "health_check_failure_threshold": 6}
        head = {"num_cpus": 0, "object_store_memory": 80_000_000, "include_dashboard": False}
        head["_system_config"] = often
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.others = [self.add() for _ in range(nodes)]
        self.cluster.wait_for_nodes()

    def add(self) -> Any:
        """One more, with a core."""
        return self.cluster.add_node(wait=False, num_cpus=1, object_store_memory=80_000_000)

    def actors(self) -> list[psutil.Process]:
        """The processes of this cluster's workers; others may run on the machine."""
        found = []
        for node in self.cluster.list_all_nodes():
            for raylet in node.all_processes.get("raylet", ()):
                with suppress(psutil.NoSuchProcess):
                    found += psutil.Process(raylet.process.pid).children(recursive=True)
        return [process for process in found if _line(process).startswith("ray::Worker")]


def _line(process: psutil.Process) -> str:
    """Its command line; "" where it has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_raylet_start_wait_time_s", "150")  # for a runner that is busy
        made = Nodes(2)
        yield made
        made.cluster.shutdown()


@pytest.fixture(scope="module")
def ray(nodes: Nodes) -> Iterator[Any]:
    with connected(nodes.cluster.address) as ray:
        yield ray


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> AnnotatedSet:
    return annotated_set(tmp_path_factory.mktemp("pictures"), PICTURES)


def job_on(ray: Any, truth: AnnotatedSet, folder: Path, host: Host = slow) -> ClusterJob:
    return on_cluster(lambda job: RayWorkers(ray, job, Room()), truth, folder, host)


def run_while(job: ClusterJob, happens: Callable[[], None], after: int = 20) -> None:
    """Runs the job; something happens in the middle of it."""
    job.start()
    until = time.monotonic() + 60
    while job.progress.done < after:
        assert time.monotonic() < until
        assert not job.finished, job.error
        time.sleep(0.01)
    happens()
    job.join(120)
    assert job.state == "done", job.error


def test_two_nodes_find_what_one_machine_finds(
    ray: Any, nodes: Nodes, truth: AnnotatedSet, tmp_path: Path
) -> None:
    """And a worker that is killed in the middle changes nothing."""

    def kill() -> None:
        victim = nodes.actors()[0]
        victim.send_signal(signal.SIGKILL)

    run_while(job_on(ray, truth, tmp_path), kill)
    assert told(whole(truth, tmp_path)) == told(on_one_machine(truth))


def test_a_picture_that_kills_its_worker_is_one_failed_row(
    ray: Any, truth: AnnotatedSet, tmp_path: Path
) -> None:
    job = job_on(ray, truth, tmp_path, deadly)
    job.run()
    assert job.state == "done"
    outcome = whole(truth, tmp_path)
    failures = outcome.models[MULTI].failures
    assert set(failures) == {"3.png", f"{DEADLY}.png"}
    assert "lost 3 times" in failures[f"{DEADLY}.png"]
    assert len(outcome.annotated.images) == PICTURES


def test_a_full_object_store_changes_nothing(ray: Any, truth: AnnotatedSet, tmp_path: Path) -> None:
    held: list[Any] = []

    def fill() -> None:
        held.extend(ray.put(os.urandom(15_000_000)) for _ in range(8))

    run_while(job_on(ray, truth, tmp_path), fill)
    held.clear()
    assert told(whole(truth, tmp_path)) == told(on_one_machine(truth))


def test_a_node_that_is_lost_and_a_driver_that_is_cancelled(
    ray: Any, nodes: Nodes, truth: AnnotatedSet, tmp_path: Path
) -> None:
    """The raylet is killed in the middle, then the job is; what is missing is computed again."""
    job = job_on(ray, truth, tmp_path)

    def kill() -> None:
        nodes.cluster.remove_node(nodes.others.pop(), allow_graceful=False)
        threading.Timer(0.5, job.cancel).start()

    job.start()
    while job.progress.done < 20:
        time.sleep(0.01)
    kill()
    job.join(120)
    assert job.finished
    while len(nodes.others) < 4:
        nodes.others.append(nodes.add())
    before = job.progress.done
    again = job_on(ray, truth, tmp_path)
    again.run()
    assert again.state == "done"
    assert sum(model.known for model in again.progress.models) >= min(before, PICTURES)
    assert told(whole(truth, tmp_path)) == told(on_one_machine(truth))


def test_a_real_model_on_two_nodes_leaves_no_process_behind(
    ray: Any, nodes: Nodes, tmp_path: Path
) -> None:
    """The model's process ends with the worker that is killed above it."""
    samples = Path(__file__).parents[2] / "sample_media"
    real, _ = read_annotated_set(samples, samples / "annotations.json")
    wanted = EvaluateSettings((LIGHTNING,), invented=False)
    runner = ProcessRunner(Settings(), threads=1)
    one = EvaluateJob(runner, real, wanted)
    one.run()
    runner.close()
    hiring = Hiring(lambda job: RayWorkers(ray, job, Room()))
    ShardRun(WHOLE, "evaluate", job_of(real, wanted, {}), ("evaluate",)).write(tmp_path)
    job = ClusterJob(hiring, real, wanted, tmp_path)
    orphans: list[psutil.Process] = []

    def kill() -> None:
        worker = next(w for w in nodes.actors() if w.children())
        orphans.extend(worker.children(recursive=True))
        worker.send_signal(signal.SIGKILL)

    run_while(job, kill, after=1)
    parts = find_parts([tmp_path])
    many = Merged(real, wanted, parts).outcome()
    assert one.outcome is not None
    assert many is not None
    assert _arrays(many) == _arrays(one.outcome)
    assert orphans
    psutil.wait_procs(orphans, timeout=20)
    assert [p for p in orphans if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []


def _arrays(outcome: Evaluated) -> list[object]:
    estimates = outcome.models[LIGHTNING].estimates
    return [(e.file, e.errors, e.xy.tobytes(), e.score.tobytes()) for e in estimates]
