"""The numbers over time as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from estimators.analysis.over_time import DisputedFrame
from estimators.registry import MODELS
from estimators.workflows.clip.series import lasting
from pages.ui.video.comparison import ClipComparison

if TYPE_CHECKING:  # pandas takes a third of a second: loaded when the first table is shown
    import pandas as pd


def disputed_table(disputed: Sequence[DisputedFrame]) -> pd.DataFrame:
    """One row a disputed frame, in the order of the clip."""
    import pandas as pd

    rows = [
        {
            "frame": frame.frame_index,
            "time, s": frame.time_s,
            "dispute, 1 − OKS": frame.dispute,
            "person": frame.person,
            "between": " / ".join(MODELS[key].title for key in frame.models),
            "joint furthest apart": (frame.joint or "seen by one only").replace("_", " "),
            "apart, torsos": frame.distance,
        }
        for frame in disputed
    ]
    return pd.DataFrame(rows)


def steadiness_table(comparison: ClipComparison) -> pd.DataFrame:
    """One row a model and person, without those who are there for a moment only."""
    import pandas as pd

    people = lasting(comparison.analysis, comparison.analysis.people)
    rows = [
        {
            "person": row.person,
            "model": MODELS[row.model].title,
            "frames seen": row.sightings,
            "jitter, torsos/s²": row.jitter,
            "dropout, %": 100 * row.dropout,
            "identity switches": row.identity_switches,
            "side swaps": row.side_swaps,
            "limb jumps": row.limb_jumps,
        }
        for row in comparison.analysis.steadiness()
        if row.person in people
    ]
    return pd.DataFrame(rows)


def latency_table(comparison: ClipComparison) -> pd.DataFrame:
    """One row a model."""
    import pandas as pd

    rows = {}
    for spec in comparison.specs:
        report = comparison.analysis.report
        usual, numbers = report.latency[spec.key], report.temporal[spec.key]
        rows[spec.title] = {
            "median, ms": usual.median_ms,
            "95th percentile, ms": usual.p95_ms,
            "least, ms": usual.least_ms,
            "most, ms": usual.most_ms,
            "first frame, ms": report.first_ms(spec.key),
            "transport, ms": report.transport_ms(spec.key),
            "frames": numbers.frames,
            "failed": numbers.failed,
            "measured while busy": report.busy(spec.key),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def not_its_own(comparison: ClipComparison) -> str:
    """Whose latency in the table was measured beside other work alone; "" where nobody's."""
    latency = comparison.analysis.report.latency
    busy = ", ".join(spec.title for spec in comparison.specs if latency[spec.key].busy)
    return f" Measured while busy, and no model's own latency: {busy}." if busy else ""
