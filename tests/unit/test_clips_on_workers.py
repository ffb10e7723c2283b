"""Clips on many workers, each of one model, some of which are lost: all done, or failed rows."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from estimators.cli.clip_cluster import ClipsOn, for_nodes
from estimators.cli.clip_shard import Clip, answers_key, clips_key, failed
from estimators.cli.clip_workers import ANSWERS, Brought, ClipMerger, ClipsJob, ClipWorker
from estimators.cli.codes import BAD_INPUT, FAILED
from estimators.cli.compare_shard import Told
from estimators.cli.parts_job import room_on
from estimators.cluster.follow import follow, write_progress
from estimators.cluster.on_ray import Room
from estimators.cluster.schedule import MOST_KILLED, MOST_LOST
from estimators.datasets.files import GivenFile
from estimators.registry import get
from estimators.remote import RemoteFile
from estimators.settings import Settings
from estimators.workflows.clip.shard import DoneClip, DoneClips
from estimators.workflows.evaluate.progress import EvaluateProgress, ModelProgress
from estimators.workflows.evaluate.seen import stamp_of
from tests.unit.cluster_stand import HereWorkers
from tests.unit.evaluate_stand import LIGHTNING, MULTI

OPTIONS = Namespace(
    people={}, devices={}, start=None, end=None, stride=1, longest_side=None, format=None
)
OPTIONS.no_video = True
JOB = ClipsJob(OPTIONS, (LIGHTNING, MULTI))
OF = clips_key(OPTIONS, [get(model) for model in JOB.models])
NAMES = [f"{number}.mp4" for number in range(1, 8)]
UNREADABLE = "no clip.mp4"


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Asked:
    """Stands for `ClipWorker`: its answers are a text that says of whom and about what."""

    def __init__(self, job: ClipsJob) -> None:
        (self._model,) = job.models
        self._of = answers_key(job.options, get(self._model))

    def answer(self, clips: Sequence[Clip]) -> Brought:
        ((item, file),) = clips
        if item["name"] == UNREADABLE:
            return Brought(failed=1, clip=failed(self._of, clips[0], "It is no clip."))
        content, name = f"{self._model} {item['name']}".encode(), f"{self._model}-{item['name']}"
        stamp = stamp_of(file.source)
        told = {name: sha(content)}
        done = DoneClip(self._of, item["name"], "sha", ANSWERS, told, stamp=stamp)
        return Brought(clip=done, files={name: content})


class Merged:
    """Stands for `ClipMerger`: puts what it was given into a file."""

    def __init__(self, job: ClipsJob) -> None: ...

    def answer(self, clips: Sequence[tuple[Clip, Mapping[str, bytes | str]]]) -> Brought:
        (((item, file), parts),) = clips
        assert list(parts) == [LIGHTNING, MULTI]
        lost = [part for part in parts.values() if isinstance(part, str)]
        joined = b", ".join(p for p in parts.values() if isinstance(p, bytes))
        files = {"joints.csv": joined, "manifest.json": b"{}"}
        told = {name: sha(content) for name, content in files.items()}
        code, stamp = FAILED if lost else 0, stamp_of(file.source)
        done = DoneClip(OF, item["name"], "sha", item["folder"], told, "", code, stamp)
        return Brought(clip=done, files=files)


class Here(HereWorkers):
    """Workers of clips in this process."""

    batch = ahead = 1

    def __init__(self, kind: type, job: ClipsJob, lost: Callable[[int, Sequence[Any]], bool]):
        super().__init__(job, lost=lost)
        self.kind = {ClipWorker: Asked, ClipMerger: Merged}[kind]

    def name(self, ask: Any) -> str:
        return name_of(ask)


def name_of(ask: Any) -> str:
    """The clip's name, whether each model's answers come with it or not."""
    item = ask[0] if isinstance(ask[0], dict) else ask[0][0]
    return str(item["name"])


class Run:
    """A run over clips, and what it asked of whom."""

    def __init__(
        self,
        folder: Path,
        lost: Callable[[str, Sequence[Any]], bool] = lambda model, asked: False,
        given: Sequence[Clip] = (),
        models: Sequence[str] = JOB.models,
    ) -> None:
        self.hired: list[tuple[str, Here]] = []
        self._lost = lost
        self.work = ClipsOn(self._hire, ClipsJob(OPTIONS, tuple(models)), folder)
        self.code = self.work.run(given or clips())
        self.asked = {who: sorted(workers.asked) for who, workers in self.hired}
        self.done = DoneClips(OF)
        self.done.read(folder)

    def _hire(self, kind: type, job: ClipsJob) -> Here:
        who = job.models[0] if kind is ClipWorker else "all"
        workers = Here(kind, job, lambda _, asked: self._lost(who, asked))
        self.hired.append((who, workers))
        return workers


def clips(version: str = "1", names: Sequence[str] = NAMES) -> list[Clip]:
    return [
        (
            {"name": name, "folder": name.partition(".")[0]},
            GivenFile(name, RemoteFile(f"s3://bucket/{name}", 9, version)),
        )
        for name in names
    ]


def test_a_gpu_is_kept_only_for_whom_computes_on_one() -> None:
    room = Room(None, 2, 0.25)
    assert [room_on(room, device).gpus for device in ("cuda", "cuda:1", "cpu")] == [0.25, 0.25, 0]
    assert room_on(room, "cpu").cpus == 2


def test_each_worker_has_one_model_and_each_clip_all_models_in_the_end(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert (run.code, [who for who, _ in run.hired]) == (0, [LIGHTNING, MULTI, "all"])
    assert all(names == NAMES for names in run.asked.values())
    assert all(workers.started == workers.count for _, workers in run.hired)  # loaded once each
    said = (tmp_path / "7" / "joints.csv").read_bytes().decode()
    assert said == f"{LIGHTNING} 7.mp4, {MULTI} 7.mp4"
    assert [(m.state, m.done, m.failed, m.total) for m in run.work.progress] == 2 * [
        ("done", 7, 0, 7)
    ]


def test_a_clip_that_no_worker_survives_is_one_failed_row(tmp_path: Path) -> None:
    run = Run(tmp_path, lambda _, asked: name_of(asked[0]) == "3.mp4")
    assert run.code == BAD_INPUT
    assert {name for name, done in run.done.clips.items() if done.error} == {"3.mp4"}
    assert sorted(run.done.clips) == NAMES
    assert f"lost {MOST_KILLED} times" in run.done.clips["3.mp4"].error
    assert [workers.started for _, workers in run.hired][:2] == 2 * [3 + MOST_KILLED]
    assert (tmp_path / "7" / "joints.csv").exists()
    assert not (tmp_path / "3").exists()


@pytest.mark.parametrize(("deadly", "other"), [(LIGHTNING, MULTI), (MULTI, LIGHTNING)])
def test_a_clip_that_one_model_does_not_survive_has_the_others_answers(
    deadly: str, other: str, tmp_path: Path
) -> None:
    run = Run(tmp_path, lambda who, asked: who == deadly and name_of(asked[0]) == "3.mp4")
    assert run.code == FAILED
    assert not any(done.error for done in run.done.clips.values())
    assert (tmp_path / "3" / "joints.csv").read_bytes().decode() == f"{other} 3.mp4"
    assert {m.model: m.failed for m in run.work.progress} == {deadly: 1, other: 0}
    again = Run(tmp_path)  # what failed is asked again, and nothing else
    assert (again.code, again.asked) == (0, {deadly: ["3.mp4"], "all": ["3.mp4"]})


def test_a_file_that_is_no_clip_is_told_once(tmp_path: Path) -> None:
    run = Run(tmp_path, given=clips(names=[UNREADABLE, *NAMES]))
    assert run.code == BAD_INPUT
    assert {n: d.error for n, d in run.done.clips.items() if d.error} == {
        UNREADABLE: "It is no clip."
    }
    assert UNREADABLE not in run.asked[MULTI] + run.asked["all"]
    assert [(m.failed, m.done, m.total) for m in run.work.progress] == 2 * [(0, 8, 8)]


def test_workers_that_are_always_lost_end_the_work(tmp_path: Path) -> None:
    run = Run(tmp_path, lambda *_: True)
    assert run.code == BAD_INPUT
    assert sorted(run.done.clips) == NAMES
    assert all(done.error for done in run.done.clips.values())
    assert [m.state for m in run.work.progress] == ["failed", "failed"]
    for _, workers in run.hired:
        assert workers.started <= 3 + len(NAMES) * MOST_KILLED + MOST_LOST


def test_answers_of_another_version_are_refused(tmp_path: Path, monkeypatch: Any) -> None:
    def another(self: Asked, job: ClipsJob) -> None:
        (self._model,), self._of = job.models, "of another version"

    monkeypatch.setattr(Asked, "__init__", another)
    run = Run(tmp_path)
    assert run.code == BAD_INPUT
    assert all("another version" in done.error for done in run.done.clips.values())


def test_only_what_is_missing_or_exchanged_is_worked_on_again(tmp_path: Path) -> None:
    """A store tells by a version whether a clip is still the one that was worked on."""
    every = {LIGHTNING: NAMES, MULTI: NAMES, "all": NAMES}
    for version, again in (("1", every), ("1", {}), ("2", every), ("", every), ("", every)):
        run = Run(tmp_path, given=clips(version))
        assert (run.code, run.asked) == (0, again)
    assert Run(tmp_path).code == 0
    (tmp_path / "4" / "joints.csv").write_bytes(b"damaged")
    assert Run(tmp_path).asked == {"all": ["4.mp4"]}  # the answers are there
    (tmp_path / "4" / "joints.csv").write_bytes(b"damaged")
    (tmp_path / ANSWERS / f"{MULTI}-4.mp4").write_bytes(b"damaged")
    assert Run(tmp_path).asked == {MULTI: ["4.mp4"], "all": ["4.mp4"]}


def test_answers_of_a_driver_that_was_lost_are_taken(tmp_path: Path) -> None:
    """It was lost while the second model was at work."""

    def lost(who: str, asked: Sequence[Any]) -> bool:
        if who == MULTI and name_of(asked[0]) == "2.mp4":
            raise KeyboardInterrupt
        return False

    try:
        Run(tmp_path, lost)
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("it goes on")
    again = Run(tmp_path)
    assert LIGHTNING not in again.asked
    assert 1 <= len(again.asked[MULTI]) < len(NAMES)
    assert again.asked["all"] == NAMES
    assert sum(m.known for m in again.work.progress) == 2 * len(NAMES) - len(again.asked[MULTI])


def test_a_node_is_told_the_options_and_none_of_our_passwords() -> None:
    sent = for_nodes(Namespace(**vars(OPTIONS), settings=Settings(turn_credential="geheim")))
    assert vars(sent) == vars(OPTIONS)


def test_who_looks_in_from_elsewhere_sees_pictures_and_clips_together(tmp_path: Path) -> None:
    told = Told()
    told.follow(Run(tmp_path, lambda who, asked: name_of(asked[0]) == "3.mp4").work)
    pictures = ModelProgress(LIGHTNING, "running", 5, 1, 0, 10, 2.0)
    told.job = SimpleNamespace(progress=EvaluateProgress("running", (pictures,)))  # type: ignore[assignment]
    write_progress(tmp_path, told.progress)
    found = follow(tmp_path)
    assert found is not None
    lightning, multi = found.progress.models
    assert (lightning.model, lightning.state, lightning.done, lightning.failed) == (
        *(LIGHTNING, "running"),
        *(5 + len(NAMES), 1 + 1),
    )
    assert (multi.state, multi.done, multi.total, multi.failed) == ("done", 7, 7, 1)
