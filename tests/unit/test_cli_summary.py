"""What `compare` prints, against the poses it is made from."""

from __future__ import annotations

from estimators.cli import summary
from estimators.cli.compare import ModelRun
from estimators.registry import get
from estimators.runtime.api import ModelStatus
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
