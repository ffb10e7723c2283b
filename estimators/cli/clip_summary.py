"""The tables that `compare` prints about a clip: work, steadiness, agreement, disputed frames."""

from __future__ import annotations

from estimators.analysis.over_time import DisputedFrame
from estimators.cli.people import held_back
from estimators.cli.summary import agreement_table
from estimators.cli.text import number, table
from estimators.workflows.clip.analysis import ClipAnalysis, Steadiness
from estimators.workflows.clip.job import ClipJob

MOST_DISPUTED = 5
_MODELS = ("MODEL", "FRAMES", "FAILED", "PEOPLE", "MEDIAN ms", "P95 ms", "DEVICE")
_STEADY = (
    *("STEADINESS OF", "JITTER (torsos/s²)", "DROPOUT %"),
    *("ID SWITCHES", "SIDE SWAPS", "LIMB JUMPS"),
)
_DISPUTED = ("DISPUTED FRAME", "TIME s", "1 - OKS", "PERSON", "MODELS", "FURTHEST APART")


def text(job: ClipJob, analysis: ClipAnalysis) -> str:
    """The whole report on one clip; `analysis` is of the job's estimates."""
    progress = job.progress
    parts = [
        f"{job.clip.name}: {progress.done} of {progress.total} frames in "
        f"{progress.elapsed_s:.1f} s, {progress.rate:.1f} a second; people a frame and joints over "
        "each model's default thresholds; latency without the first frame",
        table(_MODELS, [_model(analysis, m) for m in analysis.estimates], range(1, 6)),
        *held_back(analysis.estimates.values()),
        *_busy(analysis),
        table(_STEADY, [_steady(row) for row in analysis.overall()], range(1, 6)),
    ]
    if analysis.report.pairs:
        parts.append(agreement_table(analysis.report.pairs, of_pictures=False))
    disputed = analysis.report.disputed(MOST_DISPUTED)
    if disputed:
        rows = [_dispute(frame) for frame in disputed]
        parts.append(table(_DISPUTED, rows, right=(0, 1, 2, 3)))
    return "\n\n".join(parts)


def _model(analysis: ClipAnalysis, model: str) -> tuple[str, ...]:
    temporal, latency = analysis.report.temporal[model], analysis.report.latency[model]
    people = len(analysis.report.shown[model])
    return (
        model,
        str(temporal.frames),
        str(temporal.failed),
        number(people / temporal.frames if temporal.frames else None, 2),
        number(latency.median_ms, 1),
        number(latency.p95_ms, 1),
        "-" if (where := analysis.estimates[model].placement) is None else where.computed,
    )


def _busy(analysis: ClipAnalysis) -> list[str]:
    """Whose latency is no figure of its own."""
    busy = [model for model, latency in analysis.report.latency.items() if latency.busy]
    return [f"measured while this machine was busy: latency of {', '.join(busy)}"] if busy else []


def _steady(row: Steadiness) -> tuple[str, ...]:
    return (
        row.model,
        number(row.jitter, 1),
        number(100 * row.dropout, 1),
        str(row.identity_switches),
        str(row.side_swaps),
        str(row.limb_jumps),
    )


def _dispute(frame: DisputedFrame) -> tuple[str, ...]:
    apart = "one of them sees nobody there"
    if frame.joint is not None:
        apart = f"{frame.joint.replace('_', ' ')}, {frame.distance:.2f} torsos"
    return (
        str(frame.frame_index),
        f"{frame.time_s:.3f}",
        number(frame.dispute, 3),
        str(frame.person),
        " / ".join(frame.models),
        apart,
    )
