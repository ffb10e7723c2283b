"""Files to take away.  Each is made on the click, in the schemas of `docs/formats.md`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.comparison import Comparison
from pages.ui.drawing import joints_drawn

if TYPE_CHECKING:
    from estimators.analysis.clip import ClipEstimates
    from estimators.render.draw import Layer


@dataclass(frozen=True)
class _File:
    label: str
    name: str
    mime: str
    make: Callable[[], bytes]


def downloads(comparison: Comparison) -> None:
    """A button that opens the list of files."""
    with st.popover("Download", icon=":material/download:"):
        for file in _files(comparison):
            st.download_button(
                file.label,
                file.make,
                file.name,
                file.mime,
                key=f"download_{file.name}",
                on_click="ignore",
                type="tertiary",
                icon=":material/draft:" if file.mime != "image/png" else ":material/image:",
            )
        st.caption(
            "Pictures show what is drawn now. CSV and COCO hold everything the models found, "
            "whatever the thresholds."
        )


def _files(comparison: Comparison) -> list[_File]:
    stem = comparison.picture.stem
    specs = comparison.specs
    files = [
        _File("Side by side, PNG", f"{stem}.png", "image/png", lambda: _side_by_side(comparison)),
        _File("All in one, PNG", f"{stem}.all.png", "image/png", lambda: _overlay(comparison)),
        _File("All joints, CSV", f"{stem}.csv", "text/csv", lambda: _csv(comparison)),
    ]
    for spec in specs:
        key = spec.key
        files += [
            _File(
                f"{spec.title}, PNG",
                f"{stem}.{key}.png",
                "image/png",
                lambda key=key: _overlay(comparison, key),
            ),
            _File(
                f"{spec.title}, COCO results JSON",
                f"{stem}.{key}.coco.json",
                "application/json",
                lambda key=key: _coco(comparison, key),
            ),
        ]
    return files


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
    from estimators.render.mosaic import Tile, mosaic
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
    return to_bytes(lambda sink: write_png(mosaic(tiles), sink))


def _estimates(comparison: Comparison, model: str) -> ClipEstimates:
    from estimators.analysis.clip import ClipEstimates

    frame = comparison.picture.frame
    size = (frame.width, frame.height)
    estimate = comparison.results[model].estimate
    return ClipEstimates.of_picture(model, comparison.picture.name, size, estimate)


def _csv(comparison: Comparison) -> bytes:
    from estimators.export.files import to_bytes, write_csv
    from estimators.export.tables import joint_table

    table = joint_table([_estimates(comparison, spec.key) for spec in comparison.specs])
    return to_bytes(lambda sink: write_csv(table, sink))


def _coco(comparison: Comparison, model: str) -> bytes:
    from estimators.export.coco import image_ids, write_coco
    from estimators.export.files import to_bytes

    estimates = [_estimates(comparison, model)]
    ids = image_ids([comparison.picture.name])
    return to_bytes(lambda sink: write_coco(estimates, ids, sink))
