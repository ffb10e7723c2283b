"""How fast the models are, where a benchmark was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from estimators.export.report_html import details
from estimators.export.report_html.parts import number, table, text

Report = Mapping[str, Any]
_HEADER = ("Model", "Threads", "Device", "Latency, ms", "P95, ms", "Whole, ms", "Load, s")
_COSTS = ("First call, ms", "Memory, MB", "Peak, MB", "On disk, MB")
_ABOUT = (
    "Each model was measured by itself, models taking turns. Latency is the median of the model's "
    "own preprocess, inference and postprocess, with the 95 % interval under it; the whole adds "
    "the way to its process and back. Memory: after warm-up, shared pages by share."
)


def speed(report: Report) -> str:
    """The section, HTML; "" without a benchmark."""
    benchmark = report.get("benchmark")
    if not benchmark:
        return ""
    rows = [[_name(report, one), *_row(one)] for one in benchmark["models"]]
    about = (
        f"Measured {benchmark['made']} on {benchmark['media']}. Machine: {benchmark['machine']}."
    )
    notes = "".join(f"<li>{text(note)}</li>" for note in benchmark["notes"])
    return (
        f"<h2>Speed</h2><p>{text(_ABOUT)}</p><p>{text(about)}</p>"
        f"{table((*_HEADER, *_COSTS), rows)}<ul>{notes}</ul>"
    )


def _row(one: Mapping[str, Any]) -> list[str]:
    span = ""
    if one["latency_low_ms"] is not None:
        span = f"{number(one['latency_low_ms'], 1)} to {number(one['latency_high_ms'], 1)}"
    busy = " busy" if one["busy"] else ""
    return [
        str(one["threads"]),
        text(", ".join(filter(None, (one["device"], one.get("dtype", "").partition(",")[0])))),
        f"{number(one['latency_median_ms'], 1)}<small>{span}{busy}</small>",
        number(one["latency_p95_ms"], 1),
        number(one["whole_median_ms"], 1),
        number(one["load_s"], 1),
        number(one["first_call_ms"], 0),
        number(one["pss_mb"], 0),
        number(one["peak_mb"], 0),
        number(one["weights_bytes"] / 1e6, 1),
    ]


def _name(report: Report, one: Mapping[str, Any]) -> str:
    if one["model"] in report["models"]:
        return details.name_of(report, one["model"])
    return text(one["title"])
