"""`compare --shard`: this shard's pictures and whole clips, left as parts for `merge`."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from estimators.annotated import AnnotatedImage, AnnotatedSet
from estimators.cli import output
from estimators.cli.clip_shard import ClipShard
from estimators.cli.clips import folder_names
from estimators.cli.codes import INTERRUPTED
from estimators.cli.evaluate import work
from estimators.cli.inputs import is_clip, named, refuse_without_use
from estimators.cli.shards import begin_shard, end_shard, tell_end
from estimators.cli.streams import complain, libraries_silenced
from estimators.errors import InputError
from estimators.media.pictures import size_of
from estimators.registry import ModelSpec, get
from estimators.runtime.runner import ProcessRunner
from estimators.workflows.clip.shard import file_digest
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.records import model_key
from estimators.workflows.shards import Shard, parse_shard

Item = dict[str, Any]


def run(options: argparse.Namespace, specs: Sequence[ModelSpec], notes: Sequence[str]) -> int:
    """Works on one shard; returns the exit code."""
    shard = parse_shard(options.shard)
    if options.output is None:
        raise InputError("--shard needs --output.", "Name a folder for the parts.")
    output.prepare(options)
    is_one = {file: is_clip(file) for file in options.files}
    refuse_without_use(options, set(is_one.values()))
    every = _items(is_one)
    items = [_measured(item) for item in every if shard.has(item["name"])]
    settings = EvaluateSettings(
        tuple(spec.key for spec in specs), "whole", options.people, invented=False
    )
    folder = begin_shard(options, shard, job_of(options, every, settings), items)
    for note in notes:
        complain(note)
    runner = ProcessRunner(threads=options.threads)
    try:
        with runner.occupied():  # it may share its machine: its times are no model's own
            pictures = pictures_of(items)
            job = EvaluateJob(runner, pictures, settings, folder) if pictures.images else None
            if job is not None:
                work(job, specs, runner)
            clips = [item for item in items if item["kind"] == "clip"]
            stopped = job is not None and job.state == "cancelled"
            code = 0 if stopped else ClipShard(options, specs, folder).run(runner, clips)
    finally:
        runner.close()
    return _end(shard, job, folder, code)


def _end(shard: Shard, job: EvaluateJob | None, folder: Path, code: int) -> int:
    if job is not None:
        return max(code, end_shard(shard, job, folder))
    tell_end(shard, "no pictures", folder, code == INTERRUPTED)
    return code


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
    """What decides each model's answers, see `records.model_key`."""
    return {m: model_key(get(m), settings.options(m)) for m in settings.models}


def pictures_of(items: Sequence[Item]) -> AnnotatedSet:
    """The pictures among them, with nobody marked in them."""
    return AnnotatedSet(
        tuple(
            AnnotatedImage(
                item["name"], w, h, (), image_id=item["place"], picture=Path(item["path"])
            )
            for item in sorted(items, key=lambda item: int(item["place"]))
            if item["kind"] == "picture"
            for w, h in [item["size"]]
        )
    )


def _items(is_one: Mapping[Path, bool]) -> list[Item]:
    """Every picture and clip that was given, by the name that results call it."""
    clips = [file for file, is_clip in is_one.items() if is_clip]
    folders = dict(zip(clips, folder_names([clip.name for clip in clips]), strict=True))
    found: list[Item] = []
    for name, file in named(list(is_one)).items():
        kind = "clip" if is_one[file] else "picture"
        item: Item = {"place": len(found) + 1, "name": name, "path": str(file), "kind": kind}
        found.append({**item, "folder": folders.get(file, "")})
    return found


def _measured(item: Item) -> Item:
    """With the size of a picture, and how it is stored; 0 × 0 where nobody can read it."""
    if item["kind"] == "clip":
        return item
    path, size, orientation = Path(item["path"]), (0, 0), 1
    try:
        with libraries_silenced(), path.open("rb") as file:
            size, orientation = size_of(file, item["name"])
    except (InputError, OSError):
        pass  # told when it is read
    return {**item, "size": size, "orientation": orientation}
