"""Clips on many workers, some of which are lost: each done whole, or one failed row."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from estimators.cli.clip_cluster import Brought, ClipsOn, for_nodes
from estimators.cli.clip_shard import Clip, ClipShard
from estimators.cli.codes import BAD_INPUT
from estimators.cluster.schedule import MOST_KILLED, MOST_LOST
from estimators.datasets.files import GivenFile
from estimators.registry import get
from estimators.remote import RemoteFile
from estimators.settings import Settings
from estimators.workflows.clip.shard import DoneClip
from estimators.workflows.evaluate.seen import stamp_of
from tests.unit.cluster_stand import HereWorkers
from tests.unit.evaluate_stand import LIGHTNING

OPTIONS = Namespace(
    people={}, devices={}, start=None, end=None, stride=1, longest_side=None, format=None
)
OPTIONS.no_video = True
NAMES = [f"{number}.mp4" for number in range(1, 8)]


class Puts:
    """A worker that leaves two files of each clip."""

    def __init__(self, of: str) -> None:
        self._of = of

    def answer(self, clips: Sequence[Clip]) -> Brought:
        ((item, file),) = clips
        name, stamp = item["name"], stamp_of(file.source)
        files = {"joints.csv": name.encode(), "manifest.json": b"{}"}
        told = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        done = DoneClip(self._of, name, "sha", item["folder"], told, stamp=stamp)
        return Brought(clip=done, files=files)


class Here(HereWorkers):
    """Workers of clips in this process."""

    batch = ahead = 1
    kind = Puts

    def name(self, clip: Clip) -> str:
        return str(clip[0]["name"])


def clips(version: str = "1") -> list[Clip]:
    return [
        (
            {"name": name, "folder": name.partition(".")[0]},
            GivenFile(name, RemoteFile(f"s3://bucket/{name}", 9, version)),
        )
        for name in NAMES
    ]


def shard_of(folder: Path) -> ClipShard:
    return ClipShard(OPTIONS, [get(LIGHTNING)], folder)


def run(workers: Here, folder: Path, version: str = "1") -> tuple[int, list[DoneClip]]:
    """The exit code, and what became of each clip."""
    found: list[DoneClip] = []
    shard = shard_of(folder)

    def outcomes(left: Sequence[Clip]) -> Any:
        for done in ClipsOn(workers, shard, folder).outcomes(left):
            found.append(done)
            yield done

    return shard.run(clips(version), outcomes), found


def test_a_clip_that_no_worker_survives_is_one_failed_row(tmp_path: Path) -> None:
    def lost(_: int, asked: Sequence[Any]) -> bool:
        return any(clip[0]["name"] == "3.mp4" for clip in asked)

    workers = Here(shard_of(tmp_path).of, lost=lost)
    code, found = run(workers, tmp_path)
    assert code == BAD_INPUT
    assert sorted(done.clip for done in found) == NAMES
    assert {done.clip for done in found if done.error} == {"3.mp4"}
    (failed,) = (done for done in found if done.error)
    assert f"lost {MOST_KILLED} times" in failed.error
    assert workers.started == 3 + MOST_KILLED  # the models of others were loaded once
    assert (tmp_path / "7" / "joints.csv").read_bytes() == b"7.mp4"
    assert not (tmp_path / "3").exists()


def test_workers_that_are_always_lost_end_the_work(tmp_path: Path) -> None:
    workers = Here(shard_of(tmp_path).of, lost=lambda *_: True)
    code, found = run(workers, tmp_path)
    assert code == BAD_INPUT
    assert sorted(done.clip for done in found) == NAMES
    assert all(done.error for done in found)
    assert workers.started <= 3 + len(NAMES) * MOST_KILLED + MOST_LOST


def test_a_long_clip_keeps_none_waiting_behind_it(tmp_path: Path) -> None:
    most: list[int] = []

    class Counting(Here):
        def wait(self, tickets: Sequence[Any], timeout_s: float) -> list[Any]:
            most.append(len(tickets))
            return super().wait(tickets, timeout_s)

        def ask(self, worker: int, asks: Sequence[Any]) -> Any:
            assert len(asks) == 1
            return super().ask(worker, asks)

    code, found = run(Counting(shard_of(tmp_path).of), tmp_path)
    assert (code, len(found)) == (0, len(NAMES))
    assert max(most) == 3


def test_only_what_is_missing_or_exchanged_is_worked_on_again(tmp_path: Path) -> None:
    """A store tells by a version whether a clip is still the one that was worked on."""
    of = shard_of(tmp_path).of
    for version, again in (("1", NAMES), ("1", []), ("2", NAMES), ("", NAMES), ("", NAMES)):
        code, found = run(Here(of), tmp_path, version)
        assert (code, sorted(done.clip for done in found)) == (0, again)
    assert run(Here(of), tmp_path)[0] == 0
    (tmp_path / "4" / "joints.csv").write_bytes(b"damaged")
    assert [done.clip for done in run(Here(of), tmp_path)[1]] == ["4.mp4"]


def test_a_node_is_told_the_options_and_none_of_our_passwords() -> None:
    sent = for_nodes(Namespace(**vars(OPTIONS), settings=Settings(turn_credential="geheim")))
    assert vars(sent) == vars(OPTIONS)
