"""What works on clips on a cluster: one model that is loaded once, or what joins its answers."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from estimators.cli.clip_shard import Clip, ClipShard, answers_key, failed
from estimators.cli.clips import clip_settings
from estimators.cli.codes import BAD_INPUT, FAILED
from estimators.cli.inputs import local_file
from estimators.cluster.worker import Done, Host, in_processes
from estimators.errors import InputError, PoseError
from estimators.media.clips import open_clip
from estimators.registry import get
from estimators.workflows.clip.answers import ClipAnswers, MergedClipJob
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.shard import DoneClip, file_digest
from estimators.workflows.evaluate.seen import stamp_of
from estimators.workflows.own_folder import own_folder

# Of one model's answers to each clip, in a shard's folder.
ANSWERS = ".answers"


@dataclass(frozen=True)
class ClipsJob:
    """What a worker of clips is started for.

    Attributes:
        options: of `compare`, `people` and `devices` by model.
        models: one whose answers are wanted, or all whose answers are put together.
        host: another than `in_processes` in tests.
    """

    options: argparse.Namespace
    models: tuple[str, ...]
    host: Host = in_processes


@dataclass(frozen=True)
class Brought(Done):
    """What came of one clip: also its files' content, by name."""

    settled: int = 1
    clip: DoneClip | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


class ClipWorker:
    """One model on one node, loaded once; clips go through it whole."""

    def __init__(self, job: ClipsJob) -> None:
        (model,) = job.models
        self._options, self._spec = job.options, get(model)
        self._runner = job.host(job.options.threads or job.options.cpus_per_model)

    def ready(self) -> bool:
        """That it has been started."""
        return True

    def answer(self, clips: Sequence[Clip]) -> Brought:
        """Asks the model about one clip; what fails is told, never raised."""
        (clip,) = clips
        of = answers_key(self._options, self._spec)
        try:
            with local_file(clip[1]) as path:
                return self._asked(of, clip, path)
        except (InputError, OSError) as error:
            return Brought(failed=1, clip=failed(of, clip, str(error)))

    def _asked(self, of: str, clip: Clip, path: Path) -> Brought:
        item, file = clip
        stamp, digest = stamp_of(file.source), file_digest(path)  # of what is worked on
        job = ClipJob(self._runner, open_clip(path), clip_settings(self._options, [self._spec]))
        with suppress(PoseError), self._runner.occupied():  # others may use the node
            job.run()  # what it raises is in its error
        code = BAD_INPUT if job.error else FAILED if job.failures else 0
        content = ClipAnswers.of(job, self._spec.key).packed()
        name = f"{self._spec.key}-{_short(of + item['name'])}.npz"
        files = {name: hashlib.sha256(content).hexdigest()}
        done = DoneClip(of, item["name"], digest, ANSWERS, files, "", code, stamp)
        silent = job.estimates[self._spec.key].failed.all()
        return Brought(failed=int(silent), clip=done, files={name: content})


class ClipMerger:
    """What all models need together, from their answers: who is who, tables, the video."""

    def __init__(self, job: ClipsJob) -> None:
        self._options, self._specs = job.options, [get(model) for model in job.models]

    def ready(self) -> bool:
        """That it has been started."""
        return True

    def answer(self, clips: Sequence[tuple[Clip, Mapping[str, bytes | str]]]) -> Brought:
        """Makes one clip's files from each model's answers; what fails is told, never raised."""
        ((clip, parts),) = clips
        with TemporaryDirectory(prefix="pose-clip-", dir=own_folder()) as there:
            shard = ClipShard(self._options, self._specs, Path(there))
            done = shard.one(partial(MergedClipJob, parts=parts), clip)
            into = Path(there, done.folder)
            files = {name: (into / name).read_bytes() for name in done.files}
            return Brought(clip=done, files=files)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
