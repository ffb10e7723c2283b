"""The clips of a shard, one after the other here, or each whole on some node of a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from estimators import settings
from estimators.cli.clip_shard import Clip, ClipShard
from estimators.cli.codes import INTERRUPTED
from estimators.cli.parts_job import room_of
from estimators.cli.streams import complain
from estimators.cluster.on_ray import RayWorkers, connected
from estimators.cluster.schedule import Schedule, Workers
from estimators.cluster.worker import Done
from estimators.export.sinks import opened, require_writable
from estimators.registry import ModelSpec, get
from estimators.runtime.runner import ProcessRunner
from estimators.workflows.clip.shard import DoneClip


def work_on_clips(
    options: argparse.Namespace, specs: Sequence[ModelSpec], folder: Path, clips: Sequence[Clip]
) -> int:
    """Works on those that are not done; returns the exit code."""
    shard = ClipShard(options, specs, folder)
    if options.on is None:
        runner = ProcessRunner(options.settings, options.threads)
        try:
            with runner.occupied():  # it may share its machine: its times are no model's own
                return shard.run(clips, lambda left: (shard.one(runner, clip) for clip in left))
        finally:
            runner.close()
    with connected(options.on) as ray:
        try:
            models = tuple(spec.key for spec in specs)
            workers = _ClipWorkers(ray, (for_nodes(options), models), room_of(options))
            return shard.run(clips, ClipsOn(workers, shard, folder).outcomes)
        except KeyboardInterrupt:
            complain("interrupted: the clips that are done are kept")
            return INTERRUPTED


def for_nodes(options: argparse.Namespace) -> argparse.Namespace:
    """What a node is told: all but the settings, of which it has its own, and we our secrets."""
    return argparse.Namespace(**{n: v for n, v in vars(options).items() if n != "settings"})


@dataclass(frozen=True)
class Brought(Done):
    """What came of one clip: also its files' content, by name."""

    settled: int = 1
    clip: DoneClip | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


class ClipWorker:
    """All models of a job on one node, loaded once; clips go through them whole."""

    def __init__(self, given: tuple[argparse.Namespace, tuple[str, ...]]) -> None:
        self._options, models = given
        self._specs = [get(model) for model in models]
        threads = self._options.threads or self._options.cpus_per_model
        self._runner = ProcessRunner(settings.current(), threads)

    def ready(self) -> bool:
        """That it has been started."""
        return True

    def answer(self, clips: Sequence[Clip]) -> Brought:
        """Works on one clip; what fails is told, never raised."""
        (clip,) = clips
        with TemporaryDirectory(prefix="pose-clip-") as there, self._runner.occupied():
            done = ClipShard(self._options, self._specs, Path(there)).one(self._runner, clip)
            into = Path(there, done.folder)
            files = {name: (into / name).read_bytes() for name in done.files}
            return Brought(clip=done, files=files)


class _ClipWorkers(RayWorkers):
    """One clip at a time: what waits behind a long one could be begun elsewhere."""

    batch = ahead = 1
    kind = ClipWorker


class ClipsOn:
    """Clips on workers, as many at once as there is room for.

    Args:
        workers: each a `ClipWorker`.
        shard: the clips are of.
        folder: where their files are put.
    """

    def __init__(self, workers: Workers, shard: ClipShard, folder: Path) -> None:
        self._workers, self._shard, self._folder = workers, shard, folder

    def outcomes(self, clips: Sequence[Clip]) -> Iterator[DoneClip]:
        """What became of each clip, as soon as it is known."""
        if not clips:
            return
        left = {clip[0]["name"]: clip for clip in clips}
        schedule = Schedule(self._workers, clips, lambda: False, complain)
        for outcome in schedule.outcomes():
            for clip in outcome.asks:
                del left[clip[0]["name"]]
                if isinstance(outcome.done, Brought) and outcome.done.clip is not None:
                    yield self._put(outcome.done.clip, outcome.done.files)
                else:
                    yield self._shard.failed(clip, outcome.error)
        for clip in left.values():
            yield self._shard.failed(
                clip, f"Its workers were lost again and again: {schedule.gave_up}"
            )

    def _put(self, done: DoneClip, files: Mapping[str, bytes]) -> DoneClip:
        if not files:
            return done
        into = self._folder / done.folder
        require_writable(into)
        for name, content in files.items():
            with opened(into / name) as sink:
                sink.write(content)
        complain(f"{done.clip}: {len(files)} files")
        return done
