"""Questions on many workers, some of which are lost: each settled once, as on one machine."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from estimators.cli.codes import INTERRUPTED
from estimators.cli.compare_shard import Told
from estimators.cluster.follow import follow, read_progress, told_in, write_progress
from estimators.cluster.on_ray import Room, _places
from estimators.cluster.schedule import BATCH, MOST_KILLED, MOST_LOST
from estimators.cluster.worker import Job, light
from estimators.errors import ModelLoadError
from estimators.runtime.api import Runner
from estimators.types import Frame, PoseSet
from estimators.workflows.evaluate.asks import Plan
from estimators.workflows.evaluate.pictures import SetPictures
from estimators.workflows.evaluate.progress import EvaluateProgress, ModelProgress
from estimators.workflows.evaluate.seen import Seen, SeenPictures, stamp_of
from tests.unit.cluster_stand import (
    HereWorkers,
    Hired,
    merged,
    on_cluster,
    on_one_machine,
    settings,
    stand_in,
    told,
    whole,
)
from tests.unit.evaluate_stand import MULTI, StandInRunner, annotated_set, picture_file

PICTURES = 40
WRONG_OF_A_MODEL: list[dict[str, Any]] = [
    {"state": "odd"},
    {"state": []},
    {"model": 3},
    {"error": None},
    {"done": 11},
    {"done": -1},
    {"done": 1.5},
    {"done": True},
    {"total": "10"},
    {"total": 10**400},
    {"elapsed_s": float("nan")},
    {"elapsed_s": -1},
    {"elapsed_s": None},
    {"more": 1},
]


def test_workers_find_what_one_machine_finds(tmp_path: Path) -> None:
    truth = annotated_set(tmp_path, PICTURES)
    (tmp_path / "5.png").write_bytes(b"\x89PNG\r\n\x1a\n of another kind")
    hired = Hired()
    job = on_cluster(hired, truth, tmp_path / "parts")
    with told_in(tmp_path / "parts", job):
        job.run()
    assert job.state == "done"
    assert [m.state for m in job.progress.models] == ["done", "done"]
    assert [m.failed > 0 for m in job.progress.models] == [False, True]
    assert told(whole(truth, tmp_path / "parts")) == told(on_one_machine(truth))
    assert all(workers.started == 3 for workers in hired)
    assert all(sorted(set(workers.ended)) == [1, 2, 3] for workers in hired)
    followed = follow(tmp_path / "parts")
    assert followed is not None
    assert followed.progress == job.progress


def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    truth = annotated_set(tmp_path, PICTURES)
    job = on_cluster(HereWorkers, truth, tmp_path / "parts")
    seen = 0

    def stopping(given: Job) -> HereWorkers:
        def lost(worker: int, asks: Sequence[Any]) -> bool:
            nonlocal seen
            seen += len(asks)
            if seen > 20:
                job.cancel()
            return False

        return HereWorkers(given, lost=lost)

    job = on_cluster(stopping, truth, tmp_path / "parts")
    job.run()
    assert job.state == "cancelled"
    assert merged(truth, tmp_path / "parts").problems != []
    done = job.progress.models[0].done
    assert 0 < done < job.progress.models[0].total
    hired = Hired()
    again = on_cluster(hired, truth, tmp_path / "parts")
    again.run()
    assert again.progress.models[0].known == done
    assert len(hired[0].asked) == again.progress.models[0].total - done
    assert told(merged(truth, tmp_path / "parts").outcome()) == told(on_one_machine(truth))


def test_a_picture_that_was_exchanged_is_asked_about_again(tmp_path: Path) -> None:
    """And one that was only touched, or copied anew, is not."""
    truth = annotated_set(tmp_path, PICTURES)
    on_cluster(HereWorkers, truth, tmp_path / "parts").run()
    picture_file(tmp_path, "7.png", 200)
    os.utime(tmp_path / "7.png", ns=(10**18, 10**18))
    os.utime(tmp_path / "8.png", ns=(10**18, 10**18))
    hired = Hired()
    again = on_cluster(hired, truth, tmp_path / "parts")
    again.run()
    assert again.state == "done"
    assert {file for workers in hired[:1] for file in workers.asked} == {"7.png"}
    assert told(merged(truth, tmp_path / "parts").outcome()) == told(on_one_machine(truth))


def test_known_pictures_are_not_read_by_the_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = annotated_set(tmp_path, PICTURES)
    on_cluster(HereWorkers, truth, tmp_path / "parts").run()

    def no(*_: Any) -> str:
        raise AssertionError("it was read")

    with monkeypatch.context() as patch:
        patch.setattr(SetPictures, "digest", no)
        seen = SeenPictures(tmp_path / "parts")
        try:
            current = [seen.is_current(i, stamp_of(i.picture)) for i in truth.images]
            old = Seen()
            old.facts = dict(seen.known.facts)
            seen.known = old  # a run of the version before, which told no stamps
            with pytest.raises(AssertionError, match="it was read"):
                seen.is_current(truth.images[0], stamp_of(truth.images[0].picture))
        finally:
            seen.close()
    assert current == [True] * PICTURES


def test_a_lost_worker_costs_nothing(tmp_path: Path) -> None:
    """Whatever it was asked is asked again, of another one."""
    truth = annotated_set(tmp_path, PICTURES)
    lost: Counter[int] = Counter()

    def hire(job: Job) -> HereWorkers:
        def dies(worker: int, asks: Sequence[Any]) -> bool:
            lost[worker] += 1
            return worker <= 3 and lost[worker] == 2

        return HereWorkers(job, lost=dies)

    job = on_cluster(hire, truth, tmp_path / "parts")
    job.run()
    assert job.state == "done"
    assert told(merged(truth, tmp_path / "parts").outcome()) == told(on_one_machine(truth))


@pytest.mark.parametrize("deadly", ["1.png", "40.png"])
def test_a_picture_that_no_worker_survives_is_one_failed_row(tmp_path: Path, deadly: str) -> None:
    truth = annotated_set(tmp_path, PICTURES)
    tries: Counter[int] = Counter()

    def hire(job: Job) -> HereWorkers:
        def dies(worker: int, asks: Sequence[Any]) -> bool:
            there = any(ask.image.file == deadly and ask.window is None for ask in asks)
            dead = job.model == MULTI and there
            tries[len(asks)] += dead
            return dead

        return HereWorkers(job, lost=dies)

    job = on_cluster(hire, truth, tmp_path / "parts")
    job.run()
    assert job.state == "done"
    assert tries[1] == MOST_KILLED
    outcome = whole(truth, tmp_path / "parts")
    failures = outcome.models[MULTI].failures
    assert set(failures) == {"3.png", deadly}
    assert failures[deadly] == "Its worker was lost 3 times while working on it: Killed"
    assert len(outcome.annotated.images) == PICTURES


def test_a_model_that_runs_on_no_node_is_given_up_and_the_others_are_done(tmp_path: Path) -> None:
    def without(model: str, frame: Frame) -> PoseSet:
        if model == MULTI:
            raise ModelLoadError("It has no weights.")
        return StandInRunner().estimate(model, frame, None).estimate.poses  # type: ignore[arg-type]

    def host(threads: int) -> Runner:
        return StandInRunner(without)  # type: ignore[return-value]

    truth = annotated_set(tmp_path, 10)
    hired = Hired()
    job = on_cluster(hired, truth, tmp_path / "parts", host)
    job.run()
    assert [m.state for m in job.progress.models] == ["done", "failed"]
    assert len(hired[1].asked) < 10 * (MOST_LOST + 3) * BATCH
    outcome = whole(truth, tmp_path / "parts")
    assert outcome.failed == {MULTI: "It has no weights."}


def test_workers_that_are_always_lost_end_the_work(tmp_path: Path) -> None:
    truth = annotated_set(tmp_path, 30)
    job = on_cluster(lambda j: HereWorkers(j, lost=lambda *_: True), truth, tmp_path / "parts")
    job.run()
    assert {m.error for m in job.progress.models} == {"Killed"}


def test_what_travels_is_small(tmp_path: Path) -> None:
    import pickle

    truth = annotated_set(tmp_path, 2, people=2)
    asks = Plan.of(truth, settings()).asks
    assert max(len(pickle.dumps(light(ask))) for ask in asks) < 1000
    assert [a.window for a in map(light, asks)] == [ask.window for ask in asks]
    assert stand_in(1) is not None


def test_how_many_workers_a_node_has_room_for() -> None:
    node = {"CPU": 16.0, "GPU": 2.0}
    assert _places(node, Room(cpus=4)) == 4
    assert _places(node, Room(cpus=4, gpus=1)) == 2
    assert _places(node, Room(cpus=1, gpus=0.25)) == 8
    assert _places(node, Room(cpus=4, gpus=2)) == 1
    assert _places({"CPU": 2.0}, Room(cpus=4)) == 0
    assert _places({"CPU": 2.0}, Room(gpus=0.5)) == 0


def test_shards_are_followed_together(tmp_path: Path) -> None:
    """A driver that is gone is told from one that runs."""
    assert follow(tmp_path) is None
    for number, state, done in ((1, "done", 10), (2, "running", 4)):
        model = ModelProgress(MULTI, state, done, 1, 2, 10, 4.0)  # type: ignore[arg-type]
        folder = tmp_path / f"shard-{number}-of-3"
        folder.mkdir()
        write_progress(folder, EvaluateProgress(state, (model,)))  # type: ignore[arg-type]
    (tmp_path / "shard-3-of-3").mkdir()
    (tmp_path / "shard-3-of-3" / "progress.json").write_text("{")
    found = follow(tmp_path)
    assert found is not None
    assert (found.shards, found.lost, found.progress.state) == (2, False, "running")
    assert found.progress.models == (ModelProgress(MULTI, "running", 14, 2, 4, 20, 4.0),)
    assert found.progress.models[0].rate == 2.5
    assert replace(found, age_s=100.0).lost


def test_only_all_shards_that_are_done_can_be_merged(tmp_path: Path) -> None:
    def complete() -> bool:
        found = follow(tmp_path)
        assert found is not None
        return found.complete

    model = ModelProgress(MULTI, "done", 10, 0, 0, 10, 4.0)
    for number in (1, 2):
        folder = tmp_path / f"shard-{number}-of-2"
        folder.mkdir()
        write_progress(folder, EvaluateProgress("running", (model,)))  # clips are left
        assert not complete()
        write_progress(folder, EvaluateProgress("done", (model,)))
        assert complete() == (number == 2)
    other = tmp_path / "shard-1-of-3"
    other.mkdir()
    write_progress(other, EvaluateProgress("done", (model,)))
    assert not complete()


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "odd"},
        {"error": None},
        {"written": "now"},
        {"written": float("nan")},
        {"written": 10**400},
        *({"models": [of_model]} for of_model in WRONG_OF_A_MODEL),
    ],
)
def test_what_no_run_says_is_not_taken_for_progress(tmp_path: Path, wrong: dict[str, Any]) -> None:
    model = ModelProgress(MULTI, "done", 10, 0, 0, 10, 4.0)
    write_progress(tmp_path, EvaluateProgress("done", (model,)))
    assert read_progress(tmp_path) is not None
    data = json.loads((tmp_path / "progress.json").read_text())
    if "models" in wrong:
        wrong = {"models": [{**data["models"][0], **wrong["models"][0]}]}
    (tmp_path / "progress.json").write_text(json.dumps({**data, **wrong}))
    assert read_progress(tmp_path) is None


def test_a_shard_runs_until_its_clips_are_done() -> None:
    def states(told: Told) -> list[str]:
        found = [str(told.progress.state)]
        for code in (0, INTERRUPTED):
            told.end(code)
            found.append(str(told.progress.state))
        return found

    assert states(Told()) == ["running", "done", "cancelled"]
    of_pictures: Any = SimpleNamespace(state="done", progress=EvaluateProgress("done", ()))
    told = Told()
    told.job = of_pictures
    assert not told.stopped
    assert states(told) == ["running", "done", "cancelled"]
    told = Told()
    with pytest.raises(ValueError, match="no cluster"), told:
        raise ValueError("no cluster")
    assert told.progress.state == "failed"
