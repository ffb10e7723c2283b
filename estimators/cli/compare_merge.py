"""`merge` of `compare`'s shards: all pictures' files and tables, and each clip's own folder."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from estimators.analysis.clip import ClipEstimates
from estimators.cli import output
from estimators.cli.clip_shard import clips_key
from estimators.cli.codes import BAD_INPUT, FAILED
from estimators.cli.compare_shard import Item, model_keys, pictures_of
from estimators.cli.interrupts import on_interrupt
from estimators.cli.model_run import ModelRun
from estimators.cli.picture_report import report_pictures
from estimators.cli.shards import refuse_incomplete
from estimators.cli.streams import complain, tell
from estimators.errors import InputError, ModelError
from estimators.export.annotated_ids import SourcePicture
from estimators.media.kinds import require_file
from estimators.media.names import printable
from estimators.numerals import counted
from estimators.registry import get
from estimators.remote import Remote
from estimators.workflows.clip.shard import FILE as CLIPS
from estimators.workflows.clip.shard import DoneClip, DoneClips, file_digest, is_plain
from estimators.workflows.evaluate.answers import Evaluated
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.pictures import PictureFacts
from estimators.workflows.evaluate.shard import NO_TIMES, Merged, devices_of, facts_in, require_same
from estimators.workflows.shards import FILE, Parts


def run(parts: Parts, options: argparse.Namespace) -> int:
    """Merges and reports; returns the exit code."""
    job = parts.run.job
    given = _as_given(parts, options)
    settings = EvaluateSettings(
        tuple(job["models"]), "whole", given.people, invented=False, devices=given.devices
    )
    require_same(parts, {**job, "models": model_keys(settings), **_annotations(given)})
    items = _items(parts)
    writer = output.prepare(given)
    facts = facts_in(parts)
    pictures = pictures_of(items, facts, {})
    merged = Merged(pictures, settings, parts) if pictures.images else None
    clips = _Clips(parts, given, settings)
    problems = merged.problems if merged is not None else list(parts.absent())
    refuse_incomplete([*problems, *clips.problems(items)])
    ids = writer.image_ids(_sources(items, facts)) if writer and pictures.images else None
    code = 0
    with on_interrupt(lambda: None):
        if merged is not None:
            runs = _runs(merged.outcome(), settings, pictures.images)
            names = [image.file for image in pictures.images]
            unwritten = report_pictures(runs, names, (writer, ids))
            code = BAD_INPUT if unwritten else FAILED if any(run.error for run in runs) else 0
        complain(NO_TIMES)
        return max(code, clips.copy(items, options.output))


def _items(parts: Parts) -> list[Item]:
    """Every picture and clip that some shard has, in the order in which they were given."""
    by_place = {
        item["place"]: item
        for found in parts.folders.values()
        for folder, one in found
        for item in _checked(one.items, folder / FILE)
    }
    return [by_place[place] for place in sorted(by_place)]


def _checked(items: Sequence[Item], path: Path) -> Sequence[Item]:
    """The items; InputError where one is none: its folder is made in `--output`."""
    for item in items:
        try:
            whole = isinstance(item["place"], int) and all(
                isinstance(item[name], str) for name in ("name", "path", "folder")
            )
            whole &= item["kind"] == "picture" or (
                item["kind"] == "clip" and is_plain(item["folder"])
            )
        except (KeyError, TypeError):
            whole = False
        if not whole:
            raise InputError(
                f"{printable(str(path))} is damaged: it names a file or folder that cannot be.",
                "Run the command of that shard again.",
            )
    return items


def _annotations(options: argparse.Namespace) -> dict[str, str]:
    """What is here instead of the annotations that the shards had."""
    if options.annotations is None:
        return {}
    if isinstance(options.annotations, Remote):
        raise InputError(
            f"The parts of `compare` are merged with annotations here, not at "
            f"{options.annotations}.",
            "Copy the file here, and name the copy.",
        )
    require_file(options.annotations)
    return {"annotations": file_digest(options.annotations)}


def _as_given(parts: Parts, options: argparse.Namespace) -> argparse.Namespace:
    """The options of `compare` that the shards were made with."""
    job, annotations = parts.run.job, parts.run.sources.get("annotations")
    start, end, stride, longest_side = job["clips"]
    return argparse.Namespace(
        output=options.output,
        format=job["formats"] or None,
        annotations=options.annotations or (Path(annotations) if annotations else None),
        people=job["people"],
        devices=devices_of(job),
        start=start,
        end=end,
        stride=stride,
        longest_side=longest_side,
        no_video=not job["video"],
    )


def _sources(items: Sequence[Item], facts: Mapping[str, PictureFacts]) -> dict[str, SourcePicture]:
    pictures = {i["name"]: Path(i["path"]) for i in items if i["kind"] == "picture"}
    known = {name: facts.get(name, PictureFacts()) for name in pictures}
    return {n: SourcePicture(p, known[n].size, known[n].orientation) for n, p in pictures.items()}


def _runs(
    outcome: Evaluated | None, settings: EvaluateSettings, images: Sequence[Any]
) -> list[ModelRun]:
    """What each model said about every picture, as `compare` itself would hold it."""
    failed = {} if outcome is None else dict(outcome.failed)
    unreadable = {} if outcome is None else outcome.unreadable
    runs = []
    for model in settings.models:
        run = ModelRun(get(model), options=settings.options(model))
        answers = None if outcome is None else outcome.models.get(model)
        given = {e.file: e for e in answers.estimates} if answers is not None else {}
        for image in images:
            estimate = given.get(image.file)
            if estimate is None:
                why = unreadable.get(image.file) or failed.get(model, "It gave no answer.")
                size = (image.width, image.height)
                estimate = ClipEstimates(model, run.spec.skeleton, image.file, size)
                estimate.append_failed(0, 0.0, why)
            run.estimates.append(estimate)
        errors = [e.errors[0] for e in run.estimates if e.errors]
        run.error = ModelError(errors[0]) if errors else None
        if errors:
            complain(f"error: {model} failed on {counted(len(errors), 'picture')}: {errors[0]}")
        runs.append(run)
    return runs


class _Clips:
    """The clips that the shards have done, as they lie in their folders."""

    def __init__(
        self, parts: Parts, options: argparse.Namespace, settings: EvaluateSettings
    ) -> None:
        self._parts = parts
        of = clips_key(options, [get(model) for model in settings.models])
        self._done: dict[str, tuple[Path, DoneClip]] = {}
        self._why: dict[str, str] = {}
        self._damaged: dict[int, str] = {}
        for number, found in parts.folders.items():
            for folder, _ in found:
                done = DoneClips(of)
                if done.read(folder):
                    shown = printable(str(folder / CLIPS))
                    self._damaged[number] = f": {shown} has damaged lines"
                for name, clip in done.clips.items():
                    self._take(name, folder, clip)

    def _take(self, name: str, folder: Path, clip: DoneClip) -> None:
        """The one that is whole; where several are, one that failed least."""
        damaged = list(clip.damaged(folder))
        if damaged:
            self._why[name] = f": {damaged[0]} is missing or damaged"
        elif name not in self._done or clip.code < self._done[name][1].code:
            self._done[name] = (folder, clip)

    def problems(self, items: Sequence[Item]) -> list[str]:
        """What is missing or damaged, a line each."""
        said = []
        for number, found in self._parts.folders.items():
            names = {i["name"] for _, one in found for i in one.items if i["kind"] == "clip"}
            damaged = self._damaged.get(number, "")
            said += [
                f"shard {number} of {self._parts.of} lacks the clip {name}"
                f"{self._why.get(name, damaged)}. Run: {self._parts.again(number)}"
                for name in sorted(names - self._done.keys())
            ]
        return said

    def copy(self, items: Sequence[Item], output: Path) -> int:
        """Puts each clip's files where one machine would have; returns the exit code."""
        codes = [0]
        for item in (item for item in items if item["kind"] == "clip"):
            folder, clip = self._done[item["name"]]
            codes.append(clip.code)
            if clip.error:
                complain(f"error: {item['name']}: {clip.error}")
                continue
            target = output if len(items) == 1 else output / item["folder"]
            try:
                tell(f"{item['name']}:", list(clip.copy(folder, target)))
            except OSError as error:
                raise InputError(
                    f"{target} cannot be written to: {error.strerror}.", "Free some space."
                ) from error
        return max(codes)
