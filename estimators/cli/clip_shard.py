"""The clips of a shard: each whole, with every file that it alone would have had."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
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
from estimators.workflows.evaluate.records import model_key

_LAST = "manifest.json"  # of a clip's files


def clips_key(options: argparse.Namespace, specs: Sequence[ModelSpec]) -> str:
    """Digest of all that decides what a clip's files say, but the clip.

    Args:
        options: of `compare`, `people` by model.
    """
    keys = [
        model_key(s, EstimatorOptions(video=True, max_people=options.people.get(s.key)))
        for s in specs
    ]
    limits = [options.start, options.end, options.stride, options.longest_side]
    formats = [name for text in options.format or () for name in text.split(",")]
    content = json.dumps([keys, limits, formats, options.no_video], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


class ClipShard:
    """Works on clips and keeps a line of each that is done.

    Args:
        options: of the command, `people` by model.
        folder: of the shard.
    """

    def __init__(
        self, options: argparse.Namespace, specs: Sequence[ModelSpec], folder: Path
    ) -> None:
        self._options, self._specs, self._folder = options, specs, folder
        self._of = clips_key(options, specs)

    def run(
        self, runner: ProcessRunner, clips: Sequence[tuple[Mapping[str, Any], GivenFile]]
    ) -> int:
        """Works on those that are not done, one after the other; returns the exit code."""
        if not clips:
            return 0
        codes, done = [0], DoneClips(self._of)
        lines = done.open(self._folder)
        try:
            for item, file in clips:
                ended = self._one(runner, item, file, done.clips.get(item["name"]))
                if ended is None:
                    continue
                codes.append(ended.code)
                if ended.code == INTERRUPTED:
                    break
                if ended.error or _LAST in ended.files:  # else it is told as missing
                    lines.append(asdict(ended))
        finally:
            lines.close()
        return max(codes)

    def _is_done(self, known: DoneClip, clip: Path) -> bool:
        try:
            same = known.sha256 == file_digest(clip)
        except OSError:
            return False
        return same and known.code == 0 and not list(known.damaged(self._folder))

    def _one(
        self,
        runner: ProcessRunner,
        item: Mapping[str, Any],
        file: GivenFile,
        known: DoneClip | None,
    ) -> DoneClip | None:
        """What became of a clip; None where it was done before."""
        folder = self._folder / item["folder"]
        into = argparse.Namespace(**{**vars(self._options), "output": folder})
        try:
            with local_file(file) as clip:
                if known is not None and self._is_done(known, clip):
                    return None
                code = Clips([clip], into, alone=True).compare(runner, self._specs)
                if code == INTERRUPTED:
                    return DoneClip(self._of, item["name"], "", code=code)
                digest, files = file_digest(clip), files_in(folder)
        except (InputError, OSError) as error:
            complain(f"error: {printable(file.name)}: {error}")
            return DoneClip(self._of, item["name"], "", error=str(error), code=BAD_INPUT)
        return DoneClip(self._of, item["name"], digest, folder.name, files, code=code)
