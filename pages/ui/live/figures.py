"""The figures beside the video as small tables, drawn twice a second."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from estimators.analysis.scale import found
from estimators.registry import ModelSpec
from estimators.types import PoseSet
from estimators.workflows.live.figures import ModelFigures, StreamFigures
from estimators.workflows.live.mosaic import LiveModel
from pages.ui.colours import swatch
from pages.ui.live.connection import CAMERA

MAIN_JOINTS = (
    "nose",
    *(
        f"{side}_{joint}"
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ),
)
STYLE = """<style>
.live { width: 100%; border-collapse: collapse; font-size: 0.88rem; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
.live caption { text-align: left; font-weight: 600; padding: 0.2rem 0; }
.live th { font-weight: 500; opacity: 0.75; text-align: right; vertical-align: bottom; }
.live th, .live td { padding: 0.22rem 0.3rem; border: 0; }
.live tbody th, .live:not(.models) th:first-child { text-align: left; opacity: 1; }
.live td { text-align: right; white-space: nowrap; }
.live.models td, .live.models th { width: 20%; }
.live.models tbody .name { padding-bottom: 0; font-weight: 600; }
.live:not(.models) td, .live tbody th { border-top: 1px solid rgba(128,136,150,0.25); }
.live .swatch { width: 1.9em; height: .8em; margin-right: .4em; vertical-align: -.05em; }
.live .kind { display: block; }
.live:not(.models) thead .swatch { display: block; margin: 0 0 0.2rem auto; }
.live.many { table-layout: fixed; }
.live.many thead th { font-size: 0.75rem; padding: 0.22rem 0.1rem; overflow-wrap: anywhere; }
.live.many th:first-child { width: 23%; padding-left: 0; }
.live.many .track { width: 1.3rem; }
.live .bar { display: inline-block; height: .55em; border-radius: .2em; vertical-align: baseline; }
.live .track { display: inline-block; width: 2.6rem; text-align: left; margin-right: .3rem; }
.live .weak { opacity: 0.45; }
.live .why { text-align: left; white-space: normal; }
</style>"""
_COLUMNS = (
    ("rate", "/s", "New answers a second, over the last 30 seconds"),
    (
        "median",
        "ms",
        "From handing over a frame to the model's answer; half of the answers were faster. The "
        "model gives way to the video here: its own latency is what the Benchmark page measures",
    ),
    ("p95", "ms", "19 of 20 answers were faster"),
    ("age", "ms", "How long ago the camera saw what the overlay shows"),
    (
        "skipped",
        "in 30 s",
        "Pictures of the last 30 seconds that the model never saw, because a newer one had come; "
        "the video goes on without it",
    ),
)


def meanings(specs: Sequence[ModelSpec]) -> str:
    """What the columns of both tables mean, as Markdown."""
    columns = [f"- **{name}, {unit}**: {why}." for name, unit, why in _COLUMNS]
    kinds = {spec.score_kind: spec.score_meaning for spec in specs}
    scores = [f"- **{kind}** of a joint: {meaning}." for kind, meaning in kinds.items()]
    return "\n".join([*columns, *scores, "", _OWN_SCALE])


def model_table(figures: StreamFigures) -> str:
    """Two rows a model: its name; rate, times, age and drops, or the reason why it has none."""
    head = "".join(
        f'<th scope="col" title="{why}">{name}<br>{unit}</th>' for name, unit, why in _COLUMNS
    )
    rows = "".join(_model_rows(model) for model in figures.models)
    return (
        f'<table class="live models"><caption>Models</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


_OWN_SCALE = "Scores are each model's own: never compare them across models."


def _model_rows(figures: ModelFigures) -> str:
    spec = figures.model.spec
    if figures.age_ms is None:
        said = figures.error if figures.state == "failed" else "Loading …"
        cells = f'<td class="why" colspan="{len(_COLUMNS)}">{html.escape(said)}</td>'
    else:
        s = figures.summary
        values = (f"{s.rate:.1f}", _ms(s.median_ms), _ms(s.p95_ms), _ms(figures.age_ms), s.drops)
        cells = "".join(f"<td>{cell}</td>" for cell in values)
    name = f"{_mark(figures.model)}{html.escape(spec.title)}"
    return (
        f'<tr><th scope="rowgroup" class="name" colspan="{len(_COLUMNS)}">{name}</th></tr>'
        f'<tr data-model="{spec.key}">{cells}</tr>'
    )


def joint_table(figures: StreamFigures) -> str:
    """The main joints of each model's strongest person, each on the model's own scale."""
    shown = [f for f in figures.models if f.overlay is not None]
    if not shown:
        return ""
    head = "".join(
        f'<th scope="col" title="{html.escape(f.model.spec.score_meaning)}">'
        f"{_mark(f.model)}{html.escape(f.model.spec.title)}"
        f'<span class="kind">{f.model.spec.score_kind}</span></th>'
        for f in shown
    )
    people = [_strongest(f) for f in shown]
    rows = "".join(
        f'<tr><th scope="row">{joint.replace("_", " ")}</th>'
        + "".join(
            _joint_cell(f.model, person, joint) for f, person in zip(shown, people, strict=True)
        )
        + "</tr>"
        for joint in MAIN_JOINTS
    )
    return (
        f'<table class="live {"many" if len(shown) > 2 else ""}">'
        "<caption>Scores of the main joints, strongest person</caption><thead><tr>"
        f'<th scope="col">joint</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _strongest(figures: ModelFigures) -> PoseSet | None:
    assert figures.overlay is not None
    poses = _found(figures.model, figures.overlay.poses)
    if not len(poses):
        return None
    best = 0 if poses.pose_score is None else int(np.argmax(poses.pose_score))
    return poses.select(np.array([best]))


def _found(model: LiveModel, poses: PoseSet) -> PoseSet:
    return poses.select(found(poses, model.joint_threshold, model.pose_threshold))


def _joint_cell(model: LiveModel, person: PoseSet | None, joint: str) -> str:
    if person is None or joint not in person.skeleton.joints:
        return "<td>–</td>"
    score = float(person.score[0, person.skeleton.index(joint)])
    low, high = model.spec.score_range
    share = min(max((score - low) / (high - low), 0.0), 1.0)
    weak = ' class="weak"' if score < model.joint_threshold else ""
    bar = f'<span class="bar" style="width:{100 * share:.0f}%;background:{_css(model)}"></span>'
    digits = 2 if high - low <= 1 else 1
    return f'<td{weak}><span class="track">{bar}</span>{score:.{digits}f}</td>'


def stream_line(figures: StreamFigures) -> str:
    """The video in one line: the camera's size, the rate that goes back, drawing."""
    if figures.size is None:
        return "No picture yet."
    video = figures.video
    drawn = "" if video.median_ms is None else f" · drawn in {video.median_ms:.1f} ms"
    width, height = figures.size
    asked = sorted(CAMERA) != sorted(figures.size)
    instead = f" (asked for {CAMERA[0]} × {CAMERA[1]})" if asked else ""
    return f"{width} × {height}{instead} · {video.rate:.1f} frames a second{drawn}"


def people_found(models: Sequence[ModelFigures]) -> str:
    """How many people each model sees now, in words."""
    counts = [
        f"{f.model.spec.title}: {len(_found(f.model, f.overlay.poses))}"
        for f in models
        if f.overlay is not None
    ]
    return f"People found: {', '.join(counts)}" if counts else ""


def _mark(model: LiveModel) -> str:
    return swatch(_css(model), model.style.variant)


def _css(model: LiveModel) -> str:
    return f"rgb{model.style.colour}"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.1f}"
