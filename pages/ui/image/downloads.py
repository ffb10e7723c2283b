"""Files to take away.  Each is made on the click, in the schemas of `docs/formats.md`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from estimators.media.limits import MAX_KEPT_SIDE
from estimators.memory import trim
from estimators.registry import MODELS
from estimators.render.style import ALL_IN_ONE
from pages.ui import engine
from pages.ui.colours import heading
from pages.ui.drawing import pose_style
from pages.ui.frames import frames
from pages.ui.image.comparison import Comparison
from pages.ui.image.tables import costs
from pages.ui.server.files import folder
from pages.ui.server.on_disk import made
from pages.ui.text import escaped
from pages.ui.verdict_box import verdict_button

if TYPE_CHECKING:
    from estimators.analysis.clip import ClipEstimates
    from estimators.render.draw import Layer
    from estimators.runtime.api import ModelStatus
    from estimators.workflows.verdicts import Verdicts


_MIME = {"png": "image/png", "csv": "text/csv", "json": "application/json"}
_ONE_AT_A_TIME = threading.Lock()
_MOST_WIDE = 8192  # of what stands side by side: many viewers refuse more


def downloads(comparison: Comparison, verdict: Verdicts) -> None:
    """A button that opens the list of files, each with what exactly it is."""
    stem, (width, height) = comparison.picture.stem, comparison.picture.size
    size = f"{width}×{height} pixels"
    where, statuses = folder(), engine.runner().status
    with st.popover("Download", icon=":material/download:", disabled=not comparison.specs):
        with st.container(horizontal=True):
            side = f"a picture for each model, each side of it at most {MAX_KEPT_SIDE} pixels"
            _button("Side by side", f"{stem}.png", lambda: _side_by_side(comparison, where), side)
            _button(ALL_IN_ONE, f"{stem}.all-in-one.png", lambda: _overlay(comparison, where), size)
            _button("All joints", f"{stem}.csv", lambda: _csv(comparison))
            _button("All figures", f"{stem}.summary.csv", partial(_summary, comparison, statuses))
            verdict_button(verdict, f"{stem}.verdict.json")
        for spec in comparison.specs:
            heading(spec.title, comparison.colours[spec.key], comparison.variants[spec.key])
            name = f"{stem}.{comparison.results[spec.key].placement.named(spec.key)}"
            with st.container(horizontal=True):
                _button(
                    "Overlay", f"{name}.png", partial(_overlay, comparison, where, spec.key), size
                )
                _button("COCO results", f"{name}.coco.json", partial(_coco, comparison, spec.key))
                _button(
                    "To annotate",
                    f"{name}.coco-dataset.json",
                    partial(_coco_dataset, comparison, spec.key),
                )
        st.caption(
            "Pictures show what is drawn now, but no numbers and no faint joints; a legend stands "
            "under each. “All in one” and "
            f"overlays have the picture's own size, {size}, above it; “Side by side” gives each "
            f"model that size in even numbers, scaled down where a side would be over "
            f"{MAX_KEPT_SIDE} pixels or all together over {_MOST_WIDE} pixels wide. Figures are "
            "the page's, at its thresholds. Joints and COCO hold everything the models found, "
            "whatever the thresholds. The verdict is what the page says now, with the person's "
            "needs and marks. "
            "“To annotate” is a COCO dataset of who is found at the thresholds, for CVAT, FiftyOne "
            "or Label Studio, to be corrected there. "
            "COCO's `image_id` is the last number in the picture's name, 1 where there is none.",
        )


def _button(label: str, name: str, make: Callable[[], bytes], size: str = "") -> None:
    kind = name.rsplit(".", 1)[1]
    st.download_button(
        f"{label}, {kind.upper()}",
        make,
        name,
        _MIME[kind],
        key=f"download_{name}",
        on_click="ignore",
        icon=":material/image:" if kind == "png" else ":material/table:",
        help=f"Saves {escaped(name)}{size and f': {size}'}",
    )


def _layer(comparison: Comparison, model: str) -> Layer:
    from estimators.render.draw import Layer

    settings = comparison.settings
    style = pose_style(settings, comparison.colours[model], comparison.variants[model])
    return Layer(comparison.people[model], style, threshold=settings.joint_threshold(model))


def _overlay(comparison: Comparison, where: Path, *models: str) -> bytes:
    """The picture in its own size with the poses of `models`, of all of them when none is named.

    The legend stands below, so that it covers nobody.
    """
    from estimators.decode.pictures import read_whole
    from estimators.render.draw import draw_onto

    picture = comparison.picture
    with _ONE_AT_A_TIME:
        frames().drop_unused()  # the whole picture takes what they may have
        image = read_whole(picture.path, picture.name)
        drawn = models or tuple(comparison.people)
        for model in drawn:
            draw_onto(image, _layer(comparison, model))
        return _png(image, where, _legend(comparison, drawn, image.shape[1]))


def _legend(comparison: Comparison, models: Sequence[str], width: int) -> NDArray[np.uint8]:
    from estimators.render.legend import Entry, legend, plan_legend

    entries = [Entry(MODELS[model].title, _layer(comparison, model).style) for model in models]
    return legend(entries, plan_legend([entry.text for entry in entries], width))


def _side_by_side(comparison: Comparison, where: Path) -> bytes:
    """Made of the picture that the models were given: each tile is no larger than that.

    Where rows and columns leave a tile empty, all models together have it.
    """
    from estimators.media.picture_size import kept_size
    from estimators.render.draw import draw_all
    from estimators.render.mosaic import Tile, mosaic, plan_mosaic
    from estimators.render.style import rgb

    width, height = comparison.picture.size
    layout = plan_mosaic(len(comparison.specs), *kept_size((width, height)), _MOST_WIDE)

    def tiles(image: NDArray[np.uint8]) -> Iterator[Tile]:
        by = image.shape[1] / width, image.shape[0] / height
        layers = [_layer(comparison, spec.key) for spec in comparison.specs]
        layers = [replace(layer, poses=layer.poses.scaled(*by)) for layer in layers]
        for spec, layer in zip(comparison.specs, layers, strict=True):
            count, colour = comparison.count(spec.key), rgb(comparison.colours[spec.key])
            yield Tile(draw_all(image, [layer]), spec.title, count, colour)
        if layout.free:
            yield Tile(draw_all(image, layers), ALL_IN_ONE)

    models = [spec.key for spec in comparison.specs]

    with _ONE_AT_A_TIME:
        with comparison.picture.lent() as frame:
            image = mosaic(tiles(frame.image), layout)
        return _png(image, where, _legend(comparison, models, layout.width))


def _png(image: NDArray[np.uint8], where: Path, below: NDArray[np.uint8]) -> bytes:
    from estimators.export.files import write_png

    data = made(lambda sink: write_png(image, sink, below), where)
    trim()
    return data


def _estimates(comparison: Comparison) -> dict[str, ClipEstimates]:
    """Of the models that answered."""
    return {m: e for m, e in comparison.estimates.items() if not e.errors}


def _csv(comparison: Comparison) -> bytes:
    from estimators.export.files import to_bytes, write_csv
    from estimators.export.tables import joint_table

    table = joint_table(list(_estimates(comparison).values()))
    return to_bytes(lambda sink: write_csv(table, sink))


def _summary(comparison: Comparison, statuses: Callable[[], Sequence[ModelStatus]]) -> bytes:
    """The numbers of the page at its thresholds."""
    from estimators.analysis.figures import cost_figures, pair_figures, picture_figures
    from estimators.export.files import to_bytes, write_csv
    from estimators.export.tables import summary_table

    name = comparison.picture.name
    figures = [
        *picture_figures(name, comparison.shown, comparison.groups),
        *pair_figures(name, comparison.matrix.pairs),
    ]
    for model, cost in costs(comparison, statuses()).items():
        busy = float(comparison.results[model].busy)
        figures += cost_figures(name, model, **cost, frames_busy=busy)
    return to_bytes(lambda sink: write_csv(summary_table(figures), sink))


def _coco(comparison: Comparison, model: str) -> bytes:
    from estimators.export.coco import image_ids, write_coco
    from estimators.export.files import to_bytes

    estimates = _estimates(comparison)[model]
    ids = image_ids([comparison.picture.name])
    return to_bytes(lambda sink: write_coco([estimates], ids, sink))


def _coco_dataset(comparison: Comparison, model: str) -> bytes:
    from estimators.export.coco import image_ids
    from estimators.export.coco_dataset import write_coco_dataset
    from estimators.export.files import to_bytes

    ids, estimates = image_ids([comparison.picture.name]), [_estimates(comparison)[model]]
    thresholds = comparison.thresholds[model]
    return to_bytes(lambda sink: write_coco_dataset(estimates, ids, thresholds, sink))
