"""The clips of a shard: each whole, with every file that it alone would have had."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from estimators.cli.clips import Clips, MakeJob
from estimators.cli.codes import BAD_INPUT, INTERRUPTED
from estimators.cli.inputs import local_file
from estimators.cli.streams import complain
from estimators.datasets.files import GivenFile
from estimators.errors import InputError
from estimators.media.names import printable
from estimators.registry import ModelSpec
from estimators.types import EstimatorOptions
from estimators.workflows.clip.shard import (
    DoneClip,
    DoneClips,
    file_digest,
    files_in,
    opened_lines,
)
from estimators.workflows.evaluate.keys import model_key
from estimators.workflows.evaluate.seen import stamp_of

_LAST = "manifest.json"  # of a clip's files


def clips_key(options: argparse.Namespace, specs: Sequence[ModelSpec]) -> str:
    """Digest of all that decides what a clip's files say, but the clip.

    Args:
        options: of `compare`, `people` and `devices` by model.
    """
    formats = [name for text in options.format or () for name in text.split(",")]
    keys = [_model_key(options, spec) for spec in specs]
    return _digest([keys, _limits(options), formats, options.no_video])


def answers_key(options: argparse.Namespace, spec: ModelSpec) -> str:
    """Digest of all that decides what one model says about a clip, but the clip."""
    return _digest([_model_key(options, spec), _limits(options)])


def _model_key(options: argparse.Namespace, spec: ModelSpec) -> dict[str, Any]:
    people, device = options.people.get(spec.key), options.devices.get(spec.key, "")
    return model_key(spec, EstimatorOptions(True, people, device))


def _limits(options: argparse.Namespace) -> list[Any]:
    return [options.start, options.end, options.stride, options.longest_side]


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


Clip = tuple[Mapping[str, Any], GivenFile]
Outcomes = Callable[[Sequence[Clip]], Iterator[DoneClip]]


class ClipShard:
    """Works on clips and keeps a line of each that is done.

    Args:
        options: of the command, `people` and `devices` by model.
        folder: of the shard.

    Attributes:
        of: see `DoneClip`.
    """

    def __init__(
        self, options: argparse.Namespace, specs: Sequence[ModelSpec], folder: Path
    ) -> None:
        self._options, self.specs, self._folder = options, specs, folder
        self.of = clips_key(options, specs)

    def run(self, clips: Sequence[Clip], outcomes: Outcomes) -> int:
        """Works on those that are not done; returns the exit code.

        Args:
            outcomes: does the work, and tells what became of each.
        """
        codes, done = [0], DoneClips(self.of)
        lines = opened_lines(self._folder, [done])
        try:
            left = [clip for clip in clips if not is_done(clip, done, self._folder)]
            for ended in outcomes(left):
                codes.append(ended.code)
                if ended.code == INTERRUPTED:
                    break
                if is_told(ended):
                    lines.append(asdict(ended))
        finally:
            lines.close()
        return max(codes)

    def one(self, job_of: MakeJob, clip: Clip) -> DoneClip:
        """Works on a clip, and says what became of it.

        Args:
            job_of: see `Clips.compare`.
        """
        item, file = clip
        folder = self._folder / item["folder"]
        into = argparse.Namespace(**{**vars(self._options), "output": folder})
        try:
            with local_file(file) as path:
                stamp, digest = stamp_of(file.source), file_digest(path)  # of what is worked on
                code = Clips([path], into, alone=True).compare(job_of, self.specs)
                if code == INTERRUPTED:
                    return DoneClip(self.of, item["name"], "", code=code)
                files = files_in(folder)
        except (InputError, OSError) as error:
            complain(f"error: {printable(file.name)}: {error}")
            return failed(self.of, clip, str(error))
        return DoneClip(self.of, item["name"], digest, folder.name, files, "", code, stamp)


def failed(of: str, clip: Clip, why: str) -> DoneClip:
    """What is kept of a clip that cannot be worked on.

    Args:
        of: see `DoneClip`.
    """
    return DoneClip(of, clip[0]["name"], "", error=why, code=BAD_INPUT)


def is_told(ended: DoneClip) -> bool:
    """Whether a line is kept of it: else it is told as missing."""
    return bool(ended.error) or _LAST in ended.files


def is_done(clip: Clip, done: DoneClips, folder: Path) -> bool:
    """Whether its files are there, in the folder of the shard, of the same clip."""
    item, file = clip
    known = done.clips.get(item["name"])
    if known is None or known.code or list(known.damaged(folder)):
        return False
    if known.stamp and known.stamp == stamp_of(file.source):
        return True
    try:
        return isinstance(file.source, Path) and known.sha256 == file_digest(file.source)
    except OSError:
        return False
