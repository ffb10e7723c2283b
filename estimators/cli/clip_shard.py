"""The clips of a shard: each whole, with every file that it alone would have had."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from estimators.cli.clips import Clips
from estimators.cli.codes import BAD_INPUT, INTERRUPTED
from estimators.cli.inputs import local_file
from estimators.cli.streams import complain
from estimators.datasets.files import GivenFile
from estimators.errors import InputError
from estimators.media.names import printable
from estimators.registry import ModelSpec
from estimators.runtime.runner import ProcessRunner
from estimators.types import EstimatorOptions
from estimators.workflows.clip.shard import DoneClip, DoneClips, file_digest, files_in
from estimators.workflows.evaluate.keys import model_key
from estimators.workflows.evaluate.seen import stamp_of

_LAST = "manifest.json"  # of a clip's files


def clips_key(options: argparse.Namespace, specs: Sequence[ModelSpec]) -> str:
    """Digest of all that decides what a clip's files say, but the clip.

    Args:
        options: of `compare`, `people` and `devices` by model.
    """
    people, devices = options.people, options.devices
    keys = [
        model_key(s, EstimatorOptions(True, people.get(s.key), devices.get(s.key, "")))
        for s in specs
    ]
    limits = [options.start, options.end, options.stride, options.longest_side]
    formats = [name for text in options.format or () for name in text.split(",")]
    content = json.dumps([keys, limits, formats, options.no_video], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


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
        lines = done.open(self._folder)
        try:
            left = [clip for clip in clips if not self._is_done(clip, done)]
            for ended in outcomes(left):
                codes.append(ended.code)
                if ended.code == INTERRUPTED:
                    break
                if ended.error or _LAST in ended.files:  # else it is told as missing
                    lines.append(asdict(ended))
        finally:
            lines.close()
        return max(codes)

    def one(self, runner: ProcessRunner, clip: Clip) -> DoneClip:
        """Works on a clip, and says what became of it."""
        item, file = clip
        folder = self._folder / item["folder"]
        into = argparse.Namespace(**{**vars(self._options), "output": folder})
        try:
            with local_file(file) as path:
                stamp = "" if isinstance(file.source, Path) else stamp_of(file.source)
                code = Clips([path], into, alone=True).compare(runner, self.specs)
                if code == INTERRUPTED:
                    return DoneClip(self.of, item["name"], "", code=code)
                digest, files = file_digest(path), files_in(folder)
        except (InputError, OSError) as error:
            complain(f"error: {printable(file.name)}: {error}")
            return self.failed(clip, str(error))
        return DoneClip(self.of, item["name"], digest, folder.name, files, "", code, stamp)

    def failed(self, clip: Clip, why: str) -> DoneClip:
        """What is kept of a clip that cannot be worked on."""
        return DoneClip(self.of, clip[0]["name"], "", error=why, code=BAD_INPUT)

    def _is_done(self, clip: Clip, done: DoneClips) -> bool:
        """Whether its files are there, of the same clip."""
        item, file = clip
        known = done.clips.get(item["name"])
        if known is None or known.code or list(known.damaged(self._folder)):
            return False
        if not isinstance(file.source, Path):
            return bool(known.stamp) and known.stamp == stamp_of(file.source)
        try:
            return known.sha256 == file_digest(file.source)
        except OSError:
            return False
