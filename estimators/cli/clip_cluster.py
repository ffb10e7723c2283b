"""The clips of a shard, one after the other here, or each whole on some node of a cluster."""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from estimators.cli.clip_shard import Clip, ClipShard
from estimators.cli.codes import INTERRUPTED
from estimators.cli.parts_job import room_of
from estimators.cli.streams import complain
from estimators.cluster.on_ray import cause_of, check_room, connected
from estimators.cluster.schedule import MOST_KILLED
from estimators.errors import first_line
from estimators.export.sinks import opened, require_writable
from estimators.registry import ModelSpec, get
from estimators.runtime.runner import ProcessRunner
from estimators.workflows.clip.shard import DoneClip

_Brought = tuple[DoneClip, dict[str, bytes]]


def work_on_clips(
    options: argparse.Namespace, specs: Sequence[ModelSpec], folder: Path, clips: Sequence[Clip]
) -> int:
    """Works on those that are not done; returns the exit code."""
    shard = ClipShard(options, specs, folder)
    if options.on is None:
        runner = ProcessRunner(threads=options.threads)
        try:
            with runner.occupied():  # it may share its machine: its times are no model's own
                return shard.run(clips, lambda left: (shard.one(runner, clip) for clip in left))
        finally:
            runner.close()
    with connected(options.on) as ray:
        try:
            return shard.run(clips, _OnRay(ray, options, shard, folder).outcomes)
        except KeyboardInterrupt:
            complain("interrupted: the clips that are done are kept")
            return INTERRUPTED


def one_clip(options: argparse.Namespace, models: Sequence[str], clip: Clip) -> _Brought:
    """What runs on a node: a clip through all models, and the content of its files."""
    runner = ProcessRunner(threads=options.threads or options.cpus_per_model)
    try:
        with TemporaryDirectory(prefix="pose-clip-") as there, runner.occupied():
            shard = ClipShard(options, [get(model) for model in models], Path(there))
            done = shard.one(runner, clip)
            into = Path(there, done.folder)
            return done, {name: (into / name).read_bytes() for name in done.files}
    finally:
        runner.close()


class _OnRay:
    """As many clips at once as there is room for."""

    def __init__(
        self, ray: Any, options: argparse.Namespace, shard: ClipShard, folder: Path
    ) -> None:
        room = room_of(options)
        self._ray, self._shard, self._folder = ray, shard, folder
        self._options = options
        self._at_once = check_room(ray, room)
        self._task = ray.remote(num_cpus=room.cpus, num_gpus=room.gpus, max_retries=0)(one_clip)

    def outcomes(self, clips: Sequence[Clip]) -> Iterator[DoneClip]:
        """What became of each clip, as soon as it is known."""
        left = deque((clip, 1) for clip in clips)
        running: dict[Any, tuple[Clip, int]] = {}
        models = [spec.key for spec in self._shard.specs]
        while left or running:
            while left and len(running) < self._at_once:
                clip, tries = left.popleft()
                running[self._task.remote(self._options, models, clip)] = (clip, tries)
            (ticket, *_), _ = self._ray.wait(list(running), num_returns=1)
            clip, tries = running.pop(ticket)
            try:
                done, files = self._ray.get(ticket)
            except self._ray.exceptions.RayTaskError as error:
                yield self._shard.failed(clip, first_line(cause_of(error)))
            except self._ray.exceptions.RayError as error:
                if tries < MOST_KILLED:
                    left.append((clip, tries + 1))
                else:
                    why = f"Its worker was lost {tries} times: {type(error).__name__}"
                    yield self._shard.failed(clip, why)
            else:
                yield self._put(done, files)

    def _put(self, done: DoneClip, files: dict[str, bytes]) -> DoneClip:
        if not files:
            return done
        into = self._folder / done.folder
        require_writable(into)
        for name, content in files.items():
            with opened(into / name) as sink:
                sink.write(content)
        complain(f"{done.clip}: {len(files)} files")
        return done
