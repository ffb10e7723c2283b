"""`compare` on clips: a progress bar, a summary, the annotated video and the numbers in files."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
from tqdm import tqdm

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.latency import summarise
from estimators.cli.main import FAILED, INTERRUPTED
from estimators.cli.text import number, table
from estimators.errors import InputError
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import open_clip
from estimators.registry import ModelSpec, get
from estimators.runtime.api import Runner
from estimators.workflows import clip_files
from estimators.workflows.clip_job import ClipJob
from estimators.workflows.clip_run import ClipSettings
from estimators.workflows.clip_video import AnnotatedClip

_HEADER = ("MODEL", "FRAMES", "FAILED", "PEOPLE", "MEDIAN ms", "P95 ms")
VIDEO = "annotated.mp4"


class Clips:
    """The clips of one comparison, opened on construction so that a bad one is told at once.

    Raises:
        InputError: a file is absent or not a readable clip, or its folder cannot be made.
    """

    def __init__(self, files: Sequence[Path], options: argparse.Namespace, alone: bool) -> None:
        self.clips = [open_clip(file) for file in files]
        self._options = options
        self._folders = _folders(self.clips, options.output, alone)

    def compare(self, runner: Runner, specs: Sequence[ModelSpec]) -> int:
        """Processes every clip, one after another; returns the exit code."""
        code = 0
        for clip in self.clips:
            for note in clip.notes:
                print(f"{clip.name}: {note}", file=sys.stderr)
            job = ClipJob(runner, clip, _settings(self._options, specs))
            written = self._process(job)
            print(_summary(job))
            for path in written:
                print(path)
            if job.state == "cancelled":
                done = f"{job.progress.done} of {job.progress.total} frames"
                print(f"interrupted: {done} of {clip.name} are done and kept", file=sys.stderr)
                return INTERRUPTED
            code = FAILED if job.failures else code
        return code

    def _process(self, job: ClipJob) -> list[Path]:
        folder = self._folders.get(job.clip.name)
        video = None if folder is None or self._options.no_video else folder / VIDEO
        with ExitStack() as stack:
            stack.enter_context(_interrupt_cancels(job))
            annotated = None
            if video is not None:
                annotated = AnnotatedClip(video, job.clip, job.settings)
                stack.enter_context(annotated)
            total = job.progress.total
            bar = tqdm(job.outcomes(), job.clip.name, total, unit="frame", disable=None)
            for outcome in bar:
                if annotated is not None:
                    annotated.add_outcome(outcome)
            if annotated is not None:
                annotated.early = job.state != "done"
        if folder is None:
            return []
        files = clip_files.write_folder(job, folder, self._formats())
        return [*files, video] if video is not None and video.exists() else files

    def _formats(self) -> Sequence[str]:
        given = [name for text in self._options.format or () for name in text.split(",")]
        return tuple(dict.fromkeys(name.strip() for name in given)) or clip_files.FORMATS


def _settings(options: argparse.Namespace, specs: Sequence[ModelSpec]) -> ClipSettings:
    return ClipSettings(
        tuple(spec.key for spec in specs),
        options.start,
        options.end,
        options.stride,
        options.longest_side,
    )


def _folders(clips: Sequence[ClipInfo], output: Path | None, alone: bool) -> Mapping[str, Path]:
    """Where each clip's files go: into the folder itself, or into one a clip where there are more.

    Raises:
        InputError: two clips share a name, or a folder cannot be made.
    """
    if output is None:
        return {}
    folders = {clip.name: output if alone else output / Path(clip.name).stem for clip in clips}
    if len(set(folders.values())) < len(clips):
        raise InputError("Two clips have the same name.", "Compare them one after the other.")
    for folder in folders.values():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{folder} cannot be made a folder: {error.strerror}.", "Choose another."
            ) from error
    return folders


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


def _summary(job: ClipJob) -> str:
    rows = [_row(estimates) for estimates in job.estimates.values()]
    progress = job.progress
    head = (
        f"{job.clip.name}: {progress.done} of {progress.total} frames in "
        f"{progress.elapsed_s:.1f} s, {progress.rate:.1f} a second; people over each model's "
        "default threshold, a frame"
    )
    return f"{head}\n{table(_HEADER, rows, right=range(1, len(_HEADER)))}"


def _row(e: ClipEstimates) -> tuple[str, ...]:
    answered = len(e) - len(e.errors)
    strong = np.count_nonzero(e.pose_score >= get(e.model).default_pose_threshold)
    latency = summarise(e.latency_ms)
    return (
        e.model,
        str(answered),
        str(len(e.errors)),
        number(strong / answered if answered else None, 2),
        number(latency.median_ms, 1),
        number(latency.p95_ms, 1),
    )
