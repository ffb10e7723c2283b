"""The clips of a shard, one after the other here, or on a cluster: each model on many at once."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from estimators.cli.clip_shard import (
    Clip,
    ClipShard,
    answers_key,
    clips_key,
    failed,
    is_done,
    is_told,
)
from estimators.cli.clip_workers import ANSWERS, Brought, ClipMerger, ClipsJob, ClipWorker
from estimators.cli.codes import INTERRUPTED
from estimators.cli.parts_job import room_of, room_on
from estimators.cli.streams import complain
from estimators.cli.watch import LINE_S, progress_text
from estimators.cluster.on_ray import RayWorkers, connected
from estimators.cluster.schedule import Outcome, Schedule, Workers
from estimators.devices import CPU
from estimators.export.sinks import opened, require_writable
from estimators.numerals import counted
from estimators.registry import ModelSpec, get
from estimators.runtime.runner import ProcessRunner
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.shard import DoneClip, DoneClips, opened_lines
from estimators.workflows.evaluate.progress import ModelProgress, ModelWork
from estimators.workflows.own_folder import remove_abandoned

# Starts workers of a kind.
Hire = Callable[[type, ClipsJob], Workers]
_ANOTHER = "Its worker has another version of this code, or of its libraries."


def work_on_clips(
    options: argparse.Namespace,
    specs: Sequence[ModelSpec],
    folder: Path,
    clips: Sequence[Clip],
    begun: Callable[[ClipsOn], None],
) -> int:
    """Works on those that are not done; returns the exit code.

    Args:
        begun: is given what tells how far it is, on a cluster.
    """
    if options.on is None:
        shard = ClipShard(options, specs, folder)
        runner = ProcessRunner(options.settings, options.threads)
        job_of = partial(ClipJob, runner)
        try:
            with runner.occupied():  # it may share its machine: its times are no model's own
                return shard.run(clips, lambda left: (shard.one(job_of, clip) for clip in left))
        finally:
            runner.close()
    try:
        return _on_cluster(options, specs, folder, clips, begun)
    finally:
        remove_abandoned()  # workers that Ray ended, here, could not


def _on_cluster(
    options: argparse.Namespace,
    specs: Sequence[ModelSpec],
    folder: Path,
    clips: Sequence[Clip],
    begun: Callable[[ClipsOn], None],
) -> int:
    room = room_of(options)
    with connected(options.on) as ray:

        def hire(kind: type, job: ClipsJob) -> Workers:
            device = options.devices[job.models[0]] if kind is ClipWorker else CPU
            return _OneByOne(ray, job, room_on(room, device), kind)

        job = ClipsJob(for_nodes(options), tuple(spec.key for spec in specs))
        work = ClipsOn(hire, job, folder)
        begun(work)
        try:
            return work.run(clips)
        except KeyboardInterrupt:
            complain("interrupted: what is done of the clips is kept")
            return INTERRUPTED


def for_nodes(options: argparse.Namespace) -> argparse.Namespace:
    """What a node is told: all but the settings, of which it has its own, and we our secrets."""
    return argparse.Namespace(**{n: v for n, v in vars(options).items() if n != "settings"})


class _OneByOne(RayWorkers):
    """One clip at a time: what waits behind a long one could be begun elsewhere."""

    batch = ahead = 1


class ClipsOn:
    """Clips on workers: one model after the other, each on all workers, then all together.

    Args:
        hire: starts workers, `ClipWorker` or `ClipMerger`.
        job: of all models.
        folder: of the shard, where answers and files are kept.
    """

    def __init__(self, hire: Hire, job: ClipsJob, folder: Path) -> None:
        self._hire, self._job, self._folder = hire, job, folder
        specs = [get(model) for model in job.models]
        self._whole = DoneClips(clips_key(job.options, specs))
        self._answers = {s.key: DoneClips(answers_key(job.options, s)) for s in specs}
        self._models = [ModelWork(model, 0) for model in job.models]
        self._bad: dict[str, str] = {}  # clips that cannot be read
        self._lost: dict[tuple[str, str], str] = {}  # by model and clip, why it has no answers
        self._keep: Callable[[DoneClip], None] = lambda done: None

    @property
    def progress(self) -> tuple[ModelProgress, ...]:
        """How far each model is, in clips; from any thread."""
        return tuple(model.progress for model in self._models)

    def run(self, clips: Sequence[Clip]) -> int:
        """Works on those that are not done; returns the exit code."""
        lines = opened_lines(self._folder, [self._whole, *self._answers.values()])
        self._keep = lambda done: lines.append(asdict(done))
        try:
            left = [clip for clip in clips if not is_done(clip, self._whole, self._folder)]
            for model in self._models:
                model.total = len(clips)
            for model in self._models:
                self._ask(model, left)
            return max([0, *(done.code for done in self._together(left))])
        finally:
            for model in self._models:
                model.cut_off("cancelled")
            lines.close()

    def _ask(self, model: ModelWork, clips: Sequence[Clip]) -> None:
        """One model about every clip that it has not answered."""
        model.begin()
        done = self._answers[model.model]
        bad = [clip for clip in clips if clip[0]["name"] in self._bad]
        missing = [c for c in clips if c not in bad and not is_done(c, done, self._folder)]
        model.unreadable = len(bad)
        model.done = model.total - len(missing)
        model.known = model.done - len(bad)
        job = replace(self._job, models=(model.model,))
        told_s = time.monotonic()
        shown = tqdm(total=len(missing), desc=model.model, unit="clip", leave=False, disable=None)
        with shown as bar:
            for clip, outcome in self._outcomes(ClipWorker, job, missing):
                self._answered(model, clip, outcome)
                bar.update()
                if bar.disable and time.monotonic() - told_s > LINE_S:  # the log of a job
                    told_s = time.monotonic()
                    complain(progress_text(model.progress, "clips"))
        model.pause()
        model.end()
        complain(progress_text(model.progress, "clips"))

    def _answered(self, model: ModelWork, clip: Clip, outcome: Outcome) -> None:
        name, known = clip[0]["name"], self._answers[model.model]
        model.done += 1
        done = self._brought(outcome, known.of)
        if done is None:
            self._lost[model.model, name] = model.error = outcome.error or _ANOTHER
            model.failed += 1
        elif done.error:
            self._bad[name] = done.error
            model.unreadable += 1
        else:
            model.failed += outcome.done.failed
            known.clips[name] = done
            self._keep(done)

    def _together(self, clips: Sequence[Clip]) -> Iterator[DoneClip]:
        """What needs all models, of every clip that some model has answered."""
        whole = [clip for clip in clips if not self._why_not(clip)]
        for clip in clips:
            if why := self._why_not(clip):
                yield self._told(clip, failed(self._whole.of, clip, why))
        for clip, outcome in self._outcomes(ClipMerger, self._job, whole):
            done = self._brought(outcome, self._whole.of)
            if done is None:
                done = failed(self._whole.of, clip, outcome.error or _ANOTHER)
            yield self._told(clip, done)

    def _why_not(self, clip: Clip) -> str:
        """Why nothing can be made of a clip, "" where something can."""
        name = clip[0]["name"]
        lost = [self._lost.get((model, name), "") for model in self._answers]
        return self._bad.get(name, "") or (lost[0] if all(lost) else "")

    def _told(self, clip: Clip, done: DoneClip) -> DoneClip:
        said = f"error: {done.error}" if done.error else counted(len(done.files), "file")
        complain(f"{clip[0]['name']}: {said}")
        if is_told(done):
            self._keep(done)
        return done

    def _outcomes(
        self, kind: type, job: ClipsJob, clips: Sequence[Clip]
    ) -> Iterator[tuple[Clip, Outcome]]:
        """What became of each clip, as soon as it is known."""
        if not clips:
            return
        left = {clip[0]["name"]: clip for clip in clips}
        sent = self._with_answers if kind is ClipMerger else lambda clip: clip
        schedule = Schedule(self._hire(kind, job), clips, lambda: False, complain, sent)
        for outcome in schedule.outcomes():
            for clip in outcome.asks:
                del left[clip[0]["name"]]
                yield clip, outcome
        why = f"Its workers were lost again and again: {schedule.gave_up}"
        for clip in left.values():
            yield clip, Outcome((clip,), error=why)

    def _with_answers(self, clip: Clip) -> tuple[Clip, Mapping[str, bytes | str]]:
        """A clip with each model's answers to it, or why there are none."""
        return clip, {model: self._part(model, clip[0]["name"]) for model in self._answers}

    def _part(self, model: str, name: str) -> bytes | str:
        if lost := self._lost.get((model, name)):
            return lost
        (file,) = self._answers[model].clips[name].files
        try:
            return (self._folder / ANSWERS / file).read_bytes()
        except OSError as error:
            return f"Its answers cannot be read again: {error.strerror}."

    def _brought(self, outcome: Outcome, of: str) -> DoneClip | None:
        """Puts what was brought in its place; None where that is nothing, or of another version."""
        brought: Any = outcome.done
        if not isinstance(brought, Brought) or brought.clip is None or brought.clip.of != of:
            return None
        done = brought.clip
        if brought.files:
            into = self._folder / done.folder
            require_writable(into)
            for name, content in brought.files.items():
                with opened(into / name) as sink:
                    sink.write(content)
        return done
