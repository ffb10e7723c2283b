"""What `compare` prints, against the poses it is made from."""

from __future__ import annotations

import pytest

from estimators.analysis.clip import ClipEstimates
from estimators.cli import summary
from estimators.cli.compare import ModelRun
from estimators.registry import get
from estimators.runtime.api import ModelStatus
from estimators.skeletons import COCO_17
from estimators.types import Estimate, Timings
from tests.unit.analysis_motion import clip_of, standing

MODEL = "movenet-multipose"


def cells(text: str, first: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.startswith(first))


def test_memory_is_told_with_shared_pages_by_share_as_on_the_page() -> None:
    run = ModelRun(get(MODEL), estimates=[clip_of([standing()[None]], [0.0], MODEL)])
    run.status = ModelStatus(MODEL, "ready", rss_mb=912, pss_mb=304)
    assert cells(summary.text([run], 1), MODEL)[-2:] == ["304", "-"]
    run.status = ModelStatus(MODEL, "ready", rss_mb=912)
    assert cells(summary.text([run], 1), MODEL)[-2] == "912"


@pytest.mark.parametrize(
    ("busy", "told", "count"),
    [((False,), "7.0", 0), ((True,), "7.0 (busy)", 1), ((False, True), "7.0", 1)],
)
def test_a_latency_that_was_measured_beside_other_work_says_so(
    busy: tuple[bool, ...], told: str, count: int
) -> None:
    """Of several pictures those that were answered alone count, and need no mark."""
    run = ModelRun(get(MODEL))
    for number, while_busy in enumerate(busy):
        poses = clip_of([standing()[None]], [0.0], MODEL).poses(0)
        e = ClipEstimates(MODEL, COCO_17, f"{number}.png", (640, 480))
        took = Timings(1, 5, 90 if while_busy and not all(busy) else 1)
        e.append(Estimate(poses, took), busy=while_busy)
        run.estimates.append(e)
    row = next(li for li in summary.text([run], len(busy)).splitlines() if li.startswith(MODEL))
    assert f" {told} " in row
    assert "(busy)" in told or "busy" not in row
    figures = {f.figure: f.value for f in summary.figures([run]) if not f.file}
    assert (figures["latency"], figures["frames_busy"]) == (7.0, count)
