"""Files to take away.  Each is made on the click, in the schemas of `docs/formats.md`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.colours import heading
from pages.ui.comparison import Comparison
from pages.ui.drawing import joints_drawn
from pages.ui.text import escaped

if TYPE_CHECKING:
    from estimators.analysis.clip import ClipEstimates
    from estimators.render.draw import Layer


_MIME = {"png": "image/png", "csv": "text/csv", "json": "application/json"}
_MOST_WIDE = 8192  # of what stands side by side: many viewers refuse more


def downloads(comparison: Comparison) -> None:
    """A button that opens the list of files, each with what exactly it is."""
    stem, frame = comparison.picture.stem, comparison.picture.frame
    size = f"{frame.width}×{frame.height} pixels"
    with st.popover("Download", icon=":material/download:", disabled=not comparison.specs):
        with st.container(horizontal=True):
            side = f"a picture for each model, together at most {_MOST_WIDE} pixels wide"
            _button("Side by side", f"{stem}.png", lambda: _side_by_side(comparison), side)
            _button("All in one", f"{stem}.all.png", lambda: _overlay(comparison), size)
            _button("All joints", f"{stem}.csv", lambda: _csv(comparison))
        for spec in comparison.specs:
            heading(spec.title, comparison.colours[spec.key])
            name = f"{stem}.{spec.key}"
            with st.container(horizontal=True):
                _button("Overlay", f"{name}.png", partial(_overlay, comparison, spec.key), size)
                _button("COCO results", f"{name}.coco.json", partial(_coco, comparison, spec.key))
        st.caption(
            "Pictures show what is drawn now, but no numbers and no faint joints. “All in one” and "
            f"overlays have the picture's own size, {size}; “Side by side” gives each model that "
            f"size in even numbers, scaled down where all together would be over {_MOST_WIDE} "
            "pixels wide. CSV and COCO hold everything the models found, whatever the thresholds. "
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
    from estimators.render.style import PoseStyle, rgb

    draw = comparison.settings.draw
    style = PoseStyle(
        rgb(comparison.colours[model]),
        joints=joints_drawn(comparison.settings),
        points="joints" in draw,
        bones="bones" in draw,
        boxes="boxes" in draw,
    )
    return Layer(
        comparison.people[model], style, threshold=comparison.settings.joint_threshold(model)
    )


def _overlay(comparison: Comparison, *models: str) -> bytes:
    """The picture with the poses of `models`, of all of them when none is named."""
    from estimators.export.files import to_bytes, write_png
    from estimators.render.draw import draw_all

    layers = [_layer(comparison, model) for model in models or comparison.people]
    image = draw_all(comparison.picture.frame.image, layers)
    return to_bytes(lambda sink: write_png(image, sink))


def _side_by_side(comparison: Comparison) -> bytes:
    from estimators.export.files import to_bytes, write_png
    from estimators.render.draw import draw_all
    from estimators.render.mosaic import Tile, mosaic, plan_mosaic
    from estimators.render.style import rgb

    image = comparison.picture.frame.image
    tiles = [
        Tile(
            draw_all(image, [_layer(comparison, spec.key)]),
            spec.title,
            comparison.count(spec.key),
            rgb(comparison.colours[spec.key]),
        )
        for spec in comparison.specs
    ]
    layout = plan_mosaic(len(tiles), image.shape[1], image.shape[0], _MOST_WIDE)
    return to_bytes(lambda sink: write_png(mosaic(tiles, layout), sink))


def _estimates(comparison: Comparison) -> dict[str, ClipEstimates]:
    """Everything the models said, people numbered as on the page."""
    from estimators.analysis.clip import ClipEstimates
    from estimators.analysis.identity import identify_picture
    from estimators.analysis.shown import Thresholds

    picture, settings = comparison.picture, comparison.settings
    size = (picture.frame.width, picture.frame.height)
    estimates = {
        model: ClipEstimates.of_picture(model, picture.name, size, result.estimate)
        for model, result in comparison.results.items()
    }
    thresholds = {
        model: Thresholds(settings.joint_threshold(model), settings.pose_threshold(model))
        for model in estimates
    }
    identify_picture(estimates, thresholds)
    return estimates


def _csv(comparison: Comparison) -> bytes:
    from estimators.export.files import to_bytes, write_csv
    from estimators.export.tables import joint_table

    table = joint_table(list(_estimates(comparison).values()))
    return to_bytes(lambda sink: write_csv(table, sink))


def _coco(comparison: Comparison, model: str) -> bytes:
    from estimators.export.coco import image_ids, write_coco
    from estimators.export.files import to_bytes

    estimates = _estimates(comparison)[model]
    ids = image_ids([comparison.picture.name])
    return to_bytes(lambda sink: write_coco([estimates], ids, sink))
