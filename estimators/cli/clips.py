"""`compare` on clips: a progress bar, a summary, the annotated video and the numbers in files."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from threading import Event

from tqdm import tqdm

from estimators.annotated import AnnotatedImage
from estimators.cli import clip_summary
from estimators.cli.codes import BAD_INPUT, FAILED, INTERRUPTED
from estimators.cli.interrupts import on_interrupt
from estimators.cli.streams import complain, tell
from estimators.errors import InputError, PoseError
from estimators.export.sinks import require_writable
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import open_clip, selected
from estimators.media.names import printable
from estimators.registry import ModelSpec
from estimators.workflows.clip import files as clip_files
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.run import ClipSettings, FrameOutcome
from estimators.workflows.clip.series import clip_errors, unanswered_note
from estimators.workflows.clip.video import annotate

VIDEO = "annotated.mp4"

# Makes the job of a clip: `partial(ClipJob, runner)` where its models run here.
MakeJob = Callable[[ClipInfo, ClipSettings], ClipJob]


class Clips:
    """The clips of one comparison, opened on construction so that a bad one is told at once.

    Args:
        files: the clips; one that is given twice counts once.
        options: of the command.
        alone: there are no pictures, whose files would lie in the same folder.

    Raises:
        InputError: a file is absent or not a readable clip, no frame of it is asked for, its folder
            cannot be made or written to, or it would be overwritten itself.
    """

    def __init__(self, files: Sequence[Path], options: argparse.Namespace, alone: bool) -> None:
        self.clips = [open_clip(file) for file in dict.fromkeys(files)]
        for clip in self.clips:
            selected(clip, options.start, options.end, options.stride)
        self._options = options
        self._folders = _folders(self.clips, options.output, alone and len(self.clips) == 1)
        if not options.no_video:
            _refuse_to_overwrite(self.clips, self._folders)

    def compare(
        self,
        job_of: MakeJob,
        specs: Sequence[ModelSpec],
        marked: Mapping[Path, Sequence[AnnotatedImage]] | None = None,
    ) -> int:
        """Processes every clip, one after another; returns the exit code.

        Args:
            job_of: makes each clip's job.
            marked: the frames in which truth is marked, by where the clip lies.
        """
        codes = [0]
        for clip, folder in zip(self.clips, self._folders, strict=True):
            frames = (marked or {}).get(Path(str(clip.source)), ())
            job = job_of(clip, clip_settings(self._options, specs))
            codes.append(self._compare_one(job, folder, frames))
            if codes[-1] == INTERRUPTED:
                break
        return max(codes)

    def _compare_one(
        self, job: ClipJob, folder: Path | None, marked: Sequence[AnnotatedImage]
    ) -> int:
        """The numbers first: they are there whatever becomes of the terminal or the video."""
        _tell(job.clip, job.clip.notes)
        error: PoseError | None = None
        with on_interrupt(job.cancel):
            try:
                for _ in _with_bar(job):
                    pass
            except PoseError as caught:
                error = caught
            analysis = ClipAnalysis.of(job.estimates)
            verdict = clip_files.clip_verdict(job, analysis, truth=clip_errors(analysis, marked))
            files: list[Path] = []
            if folder is not None:
                named = clip_files.clip_files(job, analysis, self._formats(), verdict)
                files, unwritten = clip_files.write_folder(folder, named)
                error = error or unwritten
        note = unanswered_note(analysis, marked)
        _tell(job.clip, [*job.notes, *([note] if note else [])])
        if error is not None:
            complain(f"error: {job.clip.name}: {error}")
        tell(f"{clip_summary.text(job, analysis)}\n\n{verdict.text}", files)
        code = BAD_INPUT if error is not None else FAILED if job.failures else 0
        if folder is not None and not self._options.no_video and job.progress.done:
            code = max(code, _annotate(job, folder / VIDEO))
        if job.state == "cancelled":
            done = f"{job.progress.done} of {job.progress.total} frames"
            complain(f"interrupted: {done} of {job.clip.name} are done and kept")
            return INTERRUPTED
        return code

    def _formats(self) -> Sequence[str]:
        given = [name for text in self._options.format or () for name in text.split(",")]
        return tuple(dict.fromkeys(name.strip() for name in given)) or clip_files.FORMATS


def clip_settings(options: argparse.Namespace, specs: Sequence[ModelSpec]) -> ClipSettings:
    """What `compare` was told of clips."""
    return ClipSettings(
        tuple(spec.key for spec in specs),
        options.start,
        options.end,
        options.stride,
        options.longest_side,
        tuple((options.people or {}).items()),
        tuple(getattr(options, "devices", {}).items()),
    )


def _with_bar(job: ClipJob) -> Iterator[FrameOutcome]:
    total = job.progress.total
    return iter(tqdm(job.outcomes(), job.clip.name, total, unit="frame", disable=None))


def _annotate(job: ClipJob, path: Path) -> int:
    """Makes the annotated video, after the models: encoding beside them would slow them down."""
    stopped = Event()
    bar = tqdm(desc=f"{job.clip.name}, video", unit="frame", leave=False, disable=None)

    def show(done: int, total: int) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        bar.total = total
        bar.update(done - bar.n)

    try:
        with bar, on_interrupt(stopped.set):
            notes = annotate(job, path, progress=show)
    except InputError as error:
        complain(f"error: {job.clip.name}: {error}")
        return FAILED
    except KeyboardInterrupt:
        complain(f"interrupted: {job.clip.name} has no annotated video, but its numbers are there")
        return INTERRUPTED
    _tell(job.clip, notes)
    if path.exists():
        tell(printable(str(path)))
    return 0


def _tell(clip: ClipInfo, notes: Sequence[str]) -> None:
    for note in notes:
        complain(f"{clip.name}: {note}")


def _folders(clips: Sequence[ClipInfo], output: Path | None, alone: bool) -> list[Path | None]:
    """Where each clip's files go: into `output` itself, or into a folder a clip in there.

    Raises:
        InputError: a folder cannot be made, or not be written to.
    """
    if output is None:
        return [None] * len(clips)
    names = folder_names([clip.name for clip in clips])
    folders = [output] if alone else [output / name for name in names]
    for folder in folders:
        require_writable(folder)
    return [*folders]


def _refuse_to_overwrite(clips: Sequence[ClipInfo], folders: Sequence[Path | None]) -> None:
    """Raises InputError where a clip is an annotated video that would be written anew."""
    written = {(folder / VIDEO).resolve() for folder in folders if folder is not None}
    for clip in clips:
        if isinstance(clip.source, Path) and clip.source.resolve() in written:
            raise InputError(f"{clip.name} would be overwritten.", "Choose another --output.")


def _like_a_file(name: str) -> bool:
    """Whether the results of pictures beside the clip may come under that name."""
    return Path(name).suffix.casefold() in (".csv", ".json", ".parquet")


def folder_names(clips: Sequence[str]) -> list[str]:
    """Each clip's name without extension; a number follows where that is taken (a, a-2, a-3)."""
    names: list[str] = []
    for clip in clips:
        # A name like "...mp4" leaves "..", which is no name of a folder in there.
        stem = Path(clip).stem.rstrip(" .") or "clip"
        tries = chain([stem], (f"{stem}-{n}" for n in count(2)))
        # Some disks take A and a for the same name.
        taken = {name.casefold() for name in names}
        names.append(next(n for n in tries if n.casefold() not in taken and not _like_a_file(n)))
    return names
