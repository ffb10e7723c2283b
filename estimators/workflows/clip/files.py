"""Everything a clip's comparison leaves: the numbers in each format, and how they came about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.figures import Figure, clip_figures
from estimators.analysis.requirements import ANYTHING, Needs
from estimators.analysis.thresholds import Thresholds
from estimators.analysis.truth import TruthErrors
from estimators.analysis.votes import Vote
from estimators.devices import Placement
from estimators.errors import InputError
from estimators.export import coco, files, tables
from estimators.export.coco_dataset import write_coco_dataset
from estimators.export.sinks import Sink, Write, write_all, write_zip
from estimators.registry import get
from estimators.workflows import provenance
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.run import ClipSettings
from estimators.workflows.verdicts import Verdicts, of_clip

FORMATS = ("csv", "parquet", "coco", "coco-dataset", "json")

_Rows = Callable[[], Any]


def clip_files(
    job: ClipJob,
    analysis: ClipAnalysis,
    formats: Sequence[str] = FORMATS,
    verdict: Verdicts | None = None,
) -> Iterator[tuple[str, Write]]:
    """Each file's name and what writes it; docs/formats.md describes them.

    Args:
        job: one that has stopped.
        analysis: of its estimates; says who is who.
        formats: of `FORMATS`; the manifest always comes.
        verdict: `clip_verdict` with what a person needs, marked and voted; without, as it is.
    """
    estimates = list(analysis.estimates.values())
    for name, rows in _tables(job, analysis).items():
        if "csv" in formats:
            yield f"{name}.csv", partial(_csv, rows)
        if "parquet" in formats:
            yield f"{name}.parquet", partial(_parquet, rows)
    for e in estimates:
        if e.failed.all():
            continue  # an empty list would read as "found nobody"
        stem = (e.placement or Placement()).named(e.model)
        if "coco" in formats:
            yield f"{stem}.coco.json", partial(_coco, e)
        if "coco-dataset" in formats:
            thresholds = analysis.thresholds[e.model]
            yield f"{stem}.coco-dataset.json", partial(_coco_dataset, e, thresholds)
    if "json" in formats:
        yield "results.json", partial(files.write_json, estimates)
        yield "summary.json", lambda sink: files.write_summary(_figures(job, analysis), sink)
    yield "verdict.json", lambda sink: (verdict or clip_verdict(job, analysis)).write(sink)
    yield "manifest.json", partial(_manifest, job, analysis)


def clip_verdict(
    job: ClipJob,
    analysis: ClipAnalysis,
    needs: Needs = ANYTHING,
    truth: TruthErrors | None = None,
    votes: Sequence[Vote] = (),
) -> Verdicts:
    """Which model to use on a clip like this."""
    answer = of_clip(analysis, job.memory_mb, needs, truth, votes)
    return Verdicts((job.clip.name,), [answer], answer)


def write_folder(
    folder: Path, named: Iterable[tuple[str, Write]]
) -> tuple[list[Path], InputError | None]:
    """Writes every file of `clip_files` that can be into `folder`, which exists.

    See `sinks.write_all`.
    """
    return write_all((folder / name, write) for name, write in named)


def write_clip_zip(
    job: ClipJob,
    analysis: ClipAnalysis,
    sink: Sink,
    more: Mapping[str, Path] | None = None,
    verdict: Verdicts | None = None,
) -> None:
    """Every file of `clip_files`, and `more` (name in the archive → file), in one zip."""
    write_zip(clip_files(job, analysis, verdict=verdict), sink, more)


def manifest(job: ClipJob, analysis: ClipAnalysis) -> dict[str, Any]:
    """How the numbers came about: clip, settings, weights, versions, machine; JSON-ready."""
    clip, progress = job.clip, job.progress
    settings = {**asdict(job.settings), "people": most_people(job.settings)}
    del settings["devices"]  # wishes: `devices` says what became of them
    return {
        "format": "pose-comparison-clip/1",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "state": job.state,
        "frames_done": progress.done,
        "frames_selected": progress.total,
        "frames_failed": job.failures,
        "restarts": job.restarts,
        "notes": list(job.notes),
        "elapsed_s": round(progress.elapsed_s, 3),
        "models_run": list(job.ran),
        "clip": {
            "file": clip.name,
            "width": clip.width,
            "height": clip.height,
            "rotation": clip.rotation,
            "pixel_ratio": float(clip.pixel_ratio),
            "frames": clip.frame_count,
            "duration_s": clip.duration_s,
            "first_frame_s": clip.first_frame_s,
            "codec": clip.codec,
            "variable_frame_rate": clip.variable,
            "notes": list(clip.notes),
        },
        "settings": settings,
        "thresholds": {model: asdict(t) for model, t in analysis.thresholds.items()},
        "models": provenance.models(job.settings.models),
        "devices": {
            model: e.placement.as_data()
            for model, e in job.estimates.items()
            if e.placement is not None
        },
        "versions": provenance.versions(),
        "machine": provenance.machine(),
    }


def most_people(settings: ClipSettings) -> dict[str, int]:
    """Most people that each model looked for."""
    return {m: get(m).people_limit(settings.options(m)) for m in settings.models}


def _tables(job: ClipJob, analysis: ClipAnalysis) -> dict[str, _Rows]:
    estimates, report = list(analysis.estimates.values()), analysis.report
    return {
        "joints": lambda: tables.joint_table(estimates),
        "frames": lambda: tables.frame_table(estimates),
        "summary": lambda: tables.summary_table(_figures(job, analysis)),
        "smoothed": lambda: tables.smoothed_table(
            estimates, {e.model: report.smoothed(e.model) for e in estimates}
        ),
        "agreement": lambda: tables.agreement_table(job.clip.name, report.over_time),
    }


def _figures(job: ClipJob, analysis: ClipAnalysis) -> Iterator[Figure]:
    return clip_figures(analysis.report, job.memory_mb)


def _csv(rows: _Rows, sink: BinaryIO) -> None:
    files.write_csv(rows(), sink)


def _parquet(rows: _Rows, sink: BinaryIO) -> None:
    # pyarrow asks where it is, which a member of a zip archive cannot tell.
    sink.write(files.to_bytes(lambda memory: files.write_parquet(rows(), memory)))


def _coco(estimates: ClipEstimates, sink: BinaryIO) -> None:
    coco.write_coco([estimates], coco.CLIP_IDS, sink)


def _coco_dataset(e: ClipEstimates, thresholds: Thresholds, sink: BinaryIO) -> None:
    write_coco_dataset([e], coco.CLIP_IDS, thresholds, sink)


def _manifest(job: ClipJob, analysis: ClipAnalysis, sink: BinaryIO) -> None:
    described = manifest(job, analysis)
    sink.write(json.dumps(described, indent=2, ensure_ascii=False, allow_nan=False).encode())
