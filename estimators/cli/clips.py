"""`compare` on clips: a progress bar, a summary, the annotated video and the numbers in files."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from types import FrameType

from tqdm import tqdm

from estimators.cli import clip_summary
from estimators.cli.main import FAILED, INTERRUPTED
from estimators.errors import InputError
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import open_clip, selected
from estimators.registry import ModelSpec
from estimators.runtime.api import Runner
from estimators.workflows import clip_files
from estimators.workflows.clip_analysis import ClipAnalysis
from estimators.workflows.clip_job import ClipJob
from estimators.workflows.clip_run import ClipSettings
from estimators.workflows.clip_video import annotate

VIDEO = "annotated.mp4"
SMALLEST_SIDE = 32


class Clips:
    """The clips of one comparison, opened on construction so that a bad one is told at once.

    Args:
        files: the clips; one that is given twice counts once.
        options: of the command.
        alone: there are no pictures, whose files would lie in the same folder.

    Raises:
        InputError: a file is absent or not a readable clip, no frame of it is asked for or too
            small a one, its folder cannot be made, or it would be overwritten itself.
    """

    def __init__(self, files: Sequence[Path], options: argparse.Namespace, alone: bool) -> None:
        self.clips = [open_clip(file) for file in dict.fromkeys(files)]
        side = options.longest_side
        if side is not None and side < SMALLEST_SIDE:
            raise InputError(
                f"A longest side of {side} pixels is too small.", f"Give {SMALLEST_SIDE} or more."
            )
        for clip in self.clips:
            selected(clip, options.start, options.end, options.stride)
        self._options = options
        self._folders = _folders(self.clips, options.output, alone and len(self.clips) == 1)
        if not options.no_video:
            _refuse_to_overwrite(self.clips, self._folders)

    def compare(self, runner: Runner, specs: Sequence[ModelSpec]) -> int:
        """Processes every clip, one after another; returns the exit code."""
        code = 0
        for clip, folder in zip(self.clips, self._folders, strict=True):
            _tell(clip, clip.notes)
            job = ClipJob(runner, clip, _settings(self._options, specs))
            _process(job)
            analysis = ClipAnalysis.of(job.estimates)
            print(clip_summary.text(job, analysis))
            if folder is not None:
                self._write(job, analysis, folder)
            if job.state == "cancelled":
                done = f"{job.progress.done} of {job.progress.total} frames"
                print(f"interrupted: {done} of {clip.name} are done and kept", file=sys.stderr)
                return INTERRUPTED
            code = FAILED if job.failures else code
        return code

    def _write(self, job: ClipJob, analysis: ClipAnalysis, folder: Path) -> None:
        """The numbers first: the video takes longer, and may not fit on the disk."""
        written = clip_files.write_folder(job, analysis, folder, self._formats())
        if job.progress.done and not self._options.no_video:
            written.append(_draw(job, folder / VIDEO))
        print(*written, sep="\n")

    def _formats(self) -> Sequence[str]:
        given = [name for text in self._options.format or () for name in text.split(",")]
        return tuple(dict.fromkeys(name.strip() for name in given)) or clip_files.FORMATS


def _process(job: ClipJob) -> None:
    """Runs the job; nothing is drawn meanwhile, so that each latency is the model's own."""
    total = job.progress.total
    with _interrupt_cancels(job):
        for _ in tqdm(job.outcomes(), job.clip.name, total, unit="frame", disable=None):
            pass


def _draw(job: ClipJob, path: Path) -> Path:
    """The annotated video of what is done."""
    with tqdm(desc=path.name, total=job.progress.done, unit="frame", disable=None) as bar:
        notes = annotate(job, path, progress=lambda done, total: bar.update(done - bar.n))
        bar.update(job.progress.done - bar.n)
    _tell(job.clip, notes)
    return path


def _settings(options: argparse.Namespace, specs: Sequence[ModelSpec]) -> ClipSettings:
    return ClipSettings(
        tuple(spec.key for spec in specs),
        options.start,
        options.end,
        options.stride,
        options.longest_side,
    )


def _tell(clip: ClipInfo, notes: Sequence[str]) -> None:
    for note in notes:
        print(f"{clip.name}: {note}", file=sys.stderr)


def _folders(clips: Sequence[ClipInfo], output: Path | None, alone: bool) -> list[Path | None]:
    """Where each clip's files go: into `output` itself, or into a folder a clip in there.

    Raises:
        InputError: a folder cannot be made.
    """
    if output is None:
        return [None] * len(clips)
    folders = [output] if alone else [output / name for name in _folder_names(clips)]
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{folder} cannot be made a folder: {error.strerror}.", "Choose another."
            ) from error
    return [*folders]


def _refuse_to_overwrite(clips: Sequence[ClipInfo], folders: Sequence[Path | None]) -> None:
    """Raises InputError where a clip is an annotated video that would be written anew."""
    written = {(folder / VIDEO).resolve() for folder in folders if folder is not None}
    for clip in clips:
        if isinstance(clip.source, Path) and clip.source.resolve() in written:
            raise InputError(f"{clip.name} would be overwritten.", "Choose another --output.")


def _folder_names(clips: Sequence[ClipInfo]) -> list[str]:
    """Each clip's name without extension; a number follows where that is taken (a, a-2, a-3)."""
    names: list[str] = []
    for clip in clips:
        stem = Path(clip.name).stem
        tries = chain([stem], (f"{stem}-{n}" for n in count(2)))
        # Some disks take A and a for the same name.
        taken = {name.casefold() for name in names}
        names.append(next(name for name in tries if name.casefold() not in taken))
    return names


@contextmanager
def _interrupt_cancels(job: ClipJob) -> Iterator[None]:
    """Ctrl-C stops the job after the frame in work; a second one ends the command at once."""

    def cancel(number: int, frame: FrameType | None) -> None:
        job.cancel()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, cancel)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
