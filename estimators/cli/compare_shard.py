"""`compare --shard`: this shard's pictures and whole clips, left as parts for `merge`."""

from __future__ import annotations

import argparse
import hashlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from estimators.annotated import AnnotatedImage, AnnotatedSet
from estimators.cli import output
from estimators.cli.clip_cluster import ClipsOn, work_on_clips
from estimators.cli.clips import folder_names
from estimators.cli.codes import INTERRUPTED
from estimators.cli.inputs import given_files, is_clip, named, refuse_without_use
from estimators.cli.parts_job import parts_job
from estimators.cli.placed import devices_of
from estimators.cli.shards import begin_shard, end_shard, tell_end, wanted_shard
from estimators.cli.streams import complain
from estimators.cli.watch import PartsJob, work
from estimators.cluster.follow import told_in
from estimators.datasets.files import GivenFile
from estimators.errors import InputError
from estimators.registry import ModelSpec, get
from estimators.workflows.background import RunState
from estimators.workflows.clip.shard import file_digest
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.keys import model_key
from estimators.workflows.evaluate.pictures import PictureFacts
from estimators.workflows.evaluate.progress import EvaluateProgress

Item = dict[str, Any]


def run(
    options: argparse.Namespace, specs: Sequence[ModelSpec], notes: Sequence[str]
) -> tuple[int, Path]:
    """Works on one shard, or on all; returns the exit code, and the folder of the parts."""
    shard = wanted_shard(options)
    if options.output is None:
        raise InputError("--shard and --on need --output.", "Name a folder.")
    output.prepare(options)
    is_one = {file: is_clip(file) for file in given_files(options.files)}
    refuse_without_use(options, set(is_one.values()))
    files = named(list(is_one))
    every = _items(files, is_one)
    items = [item for item in every if shard.has(item["name"])]
    options.devices = devices_of(options, specs)
    models = tuple(spec.key for spec in specs)
    settings = EvaluateSettings(
        models, "whole", options.people, invented=False, devices=options.devices
    )
    folder = begin_shard(options, shard, job_of(options, every, settings), items)
    for note in notes:
        complain(note)
    pictures, told = pictures_of(items, {}, files), Told()
    clips = [(item, files[item["name"]]) for item in items if item["kind"] == "clip"]
    with told_in(folder, told), told:
        if pictures.images:
            with parts_job(options, pictures, settings, folder) as (job, runner):
                told.job = job
                work(job, specs, runner)
        code = 0
        if clips and not told.stopped:
            code = work_on_clips(options, specs, folder, clips, told.follow)
        told.end(code)
    if told.job is not None:
        return max(code, end_shard(shard, told.job, options)), folder
    tell_end(shard, "no pictures", options, code == INTERRUPTED)
    return code, folder


class Told:
    """How far a shard is: it runs until its clips are done, too.  See `follow.told_in`.

    Attributes:
        job: of its pictures; None without any.
    """

    def __init__(self) -> None:
        self.job: PartsJob | None = None
        self._clips: ClipsOn | None = None
        self._ended: RunState | None = None

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._ended = self._ended or "failed"

    @property
    def stopped(self) -> bool:
        """Whether the pictures were interrupted."""
        return self.job is not None and self.job.state == "cancelled"

    @property
    def progress(self) -> EvaluateProgress:
        """The pictures', and the clips' where they are on a cluster."""
        models = self._clips.progress if self._clips is not None else ()
        if self.job is None:
            return EvaluateProgress(self._ended or "running", models)
        found = self.job.progress
        return replace(found, state=self._ended or "running", models=(*found.models, *models))

    def follow(self, clips: ClipsOn) -> None:
        """Tells of these clips, too."""
        self._clips = clips

    def end(self, code: int) -> None:
        """All is done as far as it will be."""
        state = "done" if self.job is None else self.job.state
        self._ended = "cancelled" if code == INTERRUPTED else state


def job_of(
    options: argparse.Namespace, every: Sequence[Item], settings: EvaluateSettings
) -> dict[str, Any]:
    """All that decides what the files say, JSON-ready; the same in all shards."""
    listed = [[item["name"], item["kind"]] for item in every]
    text = json.dumps(listed, ensure_ascii=True)
    return {
        "files": {"count": len(listed), "sha256": hashlib.sha256(text.encode()).hexdigest()},
        "annotations": file_digest(options.annotations) if options.annotations else "",
        "formats": [name for text in options.format or () for name in text.split(",")],
        "clips": [options.start, options.end, options.stride, options.longest_side],
        "video": not options.no_video,
        "people": dict(settings.people),
        "models": model_keys(settings),
    }


def model_keys(settings: EvaluateSettings) -> dict[str, Any]:
    """What decides each model's answers, see `keys.model_key`."""
    return {m: model_key(get(m), settings.options(m)) for m in settings.models}


def pictures_of(
    items: Sequence[Item], facts: Mapping[str, PictureFacts], files: Mapping[str, GivenFile]
) -> AnnotatedSet:
    """The pictures among them, with nobody marked in them.

    Args:
        facts: their sizes, as far as they are known.
        files: where they lie, by name; those of others are not read again.
    """
    images = []
    for item in sorted(items, key=lambda item: int(item["place"])):
        if item["kind"] == "picture":
            name, path = item["name"], Path(item["path"])
            width, height = facts.get(name, PictureFacts()).size
            source = files[name].source if name in files else path
            place = int(item["place"])
            images.append(AnnotatedImage(name, width, height, (), image_id=place, picture=source))
    return AnnotatedSet(tuple(images))


def _items(files: Mapping[str, GivenFile], is_one: Mapping[GivenFile, bool]) -> list[Item]:
    """Every picture and clip that was given, by the name that results call it."""
    clips = [file for file, is_clip in is_one.items() if is_clip]
    names = folder_names([posixpath.basename(clip.name) for clip in clips])
    folders = dict(zip(clips, names, strict=True))
    found: list[Item] = []
    for name, file in files.items():
        kind = "clip" if is_one[file] else "picture"
        item: Item = {"place": len(found) + 1, "name": name, "path": file.path, "kind": kind}
        found.append({**item, "folder": folders.get(file, "")})
    return found
