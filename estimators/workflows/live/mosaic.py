"""The picture that goes back to the browser: one tile a model, or all models in one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from estimators.numerals import counted
from estimators.registry import ModelSpec
from estimators.render.draw import Layer, draw_onto
from estimators.render.legend import Entry, LegendLayout, legend, plan_legend
from estimators.render.mosaic import (
    Layout,
    Tile,
    blank,
    cells,
    message_tile,
    plan_mosaic,
    title_bar,
)
from estimators.render.style import ALL_IN_ONE, PoseStyle
from estimators.types import EstimatorOptions
from estimators.workflows.live.follower import FollowerState, Overlay

LiveLayout = Literal["side", "one"]
_NEUTRAL = (200, 204, 212)
# Of all tiles together: two cameras' pictures as the page asks for them.  Encoder, network and
# browser have to keep up with a camera's rate, however many models there are.
_MOST_PIXELS = 2 * 640 * 480
# The longest that is told of a model in the legend, so that nothing in it moves.
_ROOM = ": 0000 ms old"


@dataclass(frozen=True)
class LiveModel:
    """One model of a stream and how its answers are shown.

    Attributes:
        max_people: most people it is asked for; None for what it follows anyway.
        device: where it computes, "" for what the runner was told.
    """

    spec: ModelSpec
    style: PoseStyle
    joint_threshold: float
    pose_threshold: float
    max_people: int | None = None
    device: str = ""

    @property
    def options(self) -> EstimatorOptions:
        """How it is used."""
        return EstimatorOptions(True, self.max_people, self.device)


@dataclass(frozen=True)
class LiveSettings:
    """What is followed and how it is shown.

    Attributes:
        layout: a tile a model, or all in one picture.
        mirrored: left and right swapped after drawing, as in a looking glass.
        width: of the whole picture at most, in pixels; all tiles together have at most those of two
            pictures of 640 × 480.
        stacked: one tile under the other, for a narrow screen.
    """

    models: tuple[LiveModel, ...] = ()
    layout: LiveLayout = "side"
    mirrored: bool = False
    width: int = 1280
    stacked: bool = False


@dataclass(frozen=True, eq=False)
class View:
    """What is known of one model when a frame is drawn."""

    model: LiveModel
    state: FollowerState
    overlay: Overlay | None
    error: str = ""


def live_layout(settings: LiveSettings, width: int, height: int) -> Layout:
    """The layout of the mosaics of a camera's frames of `width` × `height` pixels."""
    columns = 1 if settings.stacked else None
    layout = _plan(_count(settings), (width, height), settings.width, columns)
    return replace(layout, footer=_plan_legend(settings, layout).height)


def _count(settings: LiveSettings) -> int:
    """How many tiles there are before empty ones are filled."""
    return max(1, len(settings.models) if settings.layout == "side" else 1)


def _plan_legend(settings: LiveSettings, layout: Layout) -> LegendLayout:
    """Whom title bars name needs no legend but where all are in one picture."""
    together = settings.layout == "one" or layout.free
    texts = [f"{m.spec.title}{_ROOM}" for m in settings.models] if together else []
    return plan_legend(texts, layout.width, int(layout.bar_height * 0.45))


def draw_live(
    image: NDArray[np.uint8],
    views: Sequence[View],
    settings: LiveSettings,
    now_s: float,
    out: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """The mosaic of the camera's frame `image` with each model's newest overlay and its age.

    Everything is drawn in place: on few cores fresh memory costs more than the drawing.

    Args:
        image: uint8 [H, W, 3] RGB; it is not changed.
        out: an earlier mosaic that nobody needs any more, drawn over if it has the right size.

    Returns:
        uint8 [h, w, 3] RGB of even height and width.
    """
    layout = live_layout(settings, image.shape[1], image.shape[0])
    picture = blank(layout, out)
    alone = _count(settings) if settings.layout == "side" and views else 0
    places = cells(picture, layout)[: max(1, alone + bool(layout.free))]
    (_, first), *others = places
    _fill(first, image)
    for _, area in others:
        area[:] = first
    for i, (bar, area) in enumerate(places):
        shown = views[i : i + 1] if i < alone else views
        for view in shown:
            if view.overlay is not None:
                draw_onto(area, _layer(area, view.model, view.overlay))
        if settings.mirrored:
            area[:] = cv2.flip(area, 1)
        tile = _tile(area, views[i], now_s) if i < alone else _together(area, views)
        title_bar(bar, tile)
        if tile.image is not area:
            area[:] = tile.image
    picture[len(picture) - layout.footer :] = _legend(views, settings, layout, now_s)
    return picture


def draw_notice(
    image: NDArray[np.uint8], title: str, message: str, width: int
) -> NDArray[np.uint8]:
    """The camera's frame, dimmed, under a message."""
    layout = _plan(1, (image.shape[1], image.shape[0]), width, None)
    picture = blank(layout)
    ((bar, area),) = cells(picture, layout)
    _fill(area, image)
    tile = message_tile(Tile(area, title, colour=_NEUTRAL), message)
    title_bar(bar, tile)
    area[:] = tile.image
    return picture


@lru_cache(maxsize=32)
def _plan(count: int, frame: tuple[int, int], width: int, columns: int | None) -> Layout:
    columns = plan_mosaic(count, *frame, columns=columns).columns
    scale = math.sqrt(_MOST_PIXELS / (count * frame[0] * frame[1]))
    width = min(width, max(1, int(columns * frame[0] * scale)))
    layout = plan_mosaic(count, *frame, width, columns)
    # Browsers show the video at half its size beside the figures: its titles must stay readable.
    bar = max(layout.bar_height, 2 * round(layout.tile_width * 0.035))
    return replace(layout, bar_height=bar)


def _fill(area: NDArray[np.uint8], image: NDArray[np.uint8]) -> None:
    """The frame over the whole of `area`, so that poses scaled by the two sizes lie on it."""
    if area.shape == image.shape:
        area[:] = image
        return
    shrinks = area.shape[1] < image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    cv2.resize(image, (area.shape[1], area.shape[0]), area, interpolation=method)


def _tile(area: NDArray[np.uint8], view: View, now_s: float) -> Tile:
    """The tile of `area`, or the same under the reason why there is no overlay."""
    title, colour = view.model.spec.title, view.model.style.colour
    if view.overlay is not None:
        return Tile(area, title, _age(view.overlay, now_s), colour)
    message = view.error if view.state == "failed" else "Loading the model …"
    return message_tile(Tile(area, title, view.state, colour), message)


def _together(area: NDArray[np.uint8], views: Sequence[View]) -> Tile:
    if not views:
        return Tile(area, "Camera", "no model chosen", _NEUTRAL)
    following = sum(view.overlay is not None for view in views)
    return Tile(area, ALL_IN_ONE, f"{following} of {counted(len(views), 'model')} following")


def _legend(
    views: Sequence[View], settings: LiveSettings, layout: Layout, now_s: float
) -> NDArray[np.uint8]:
    """Each model's name, look and age, and what solid and dashed mean."""
    planned = _plan_legend(settings, layout)
    texts = [
        f"{v.model.spec.title}: {v.state if v.overlay is None else _age(v.overlay, now_s)}"
        for v in views
    ]
    together = settings.layout == "one" or layout.free
    entries = [Entry(text, v.model.style) for text, v in zip(texts, views, strict=True)]
    return legend(entries if together else [], planned)


def _age(overlay: Overlay, now_s: float) -> str:
    return f"{overlay.age_ms(now_s):.0f} ms old"


def _layer(image: NDArray[np.uint8], model: LiveModel, overlay: Overlay) -> Layer:
    poses = overlay.poses.strong(model.pose_threshold)
    placed = poses.scaled(image.shape[1] / overlay.size[0], image.shape[0] / overlay.size[1])
    return Layer(placed, model.style, model.joint_threshold)
