"""Several annotated frames side by side with a title bar each, for clips and live video."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from estimators.render.style import RGB
from estimators.render.text import fit_text, put_text, text_width, wrap_text

_BAR: RGB = (24, 26, 32)
_INK: RGB = (255, 255, 255)
_QUIET: RGB = (200, 204, 212)
_PANORAMA = 2.5
# All models in one picture fill one tile; more would stay empty.
_MOST_FREE = 1


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture (uint8 [H, W, 3], RGB) with its title on the left and its note on the right.

    `colour` is the stripe under the title: the model's colour.
    """

    image: NDArray[np.uint8]
    title: str
    note: str = ""
    colour: RGB = _QUIET


@dataclass(frozen=True)
class Layout:
    """Where the tiles of a mosaic go; every number is in pixels and even, as video needs it.

    A tile is its bar, `bar_height` high, with the picture of `tile_width` × `tile_height` under it.
    Below all tiles there is a footer over the whole width, for a legend.
    """

    columns: int
    rows: int
    tile_width: int
    tile_height: int
    bar_height: int
    footer: int = 0
    count: int = 0

    @property
    def width(self) -> int:
        return self.columns * self.tile_width

    @property
    def height(self) -> int:
        return self.rows * (self.tile_height + self.bar_height) + self.footer

    @property
    def free(self) -> int:
        """How many tiles more there is room for, of which `count` was not a multiple."""
        return self.columns * self.rows - self.count


def plan_mosaic(
    count: int,
    frame_width: int,
    frame_height: int,
    width: int | None = None,
    columns: int | None = None,
) -> Layout:
    """The layout of `count` tiles of one frame size.

    Args:
        width: of the whole mosaic at most; None keeps the pixels of the frame.
        columns: how many tiles stand beside each other; None for what suits a screen.

    Rows and columns are chosen so that the whole is nearest to 16:9 with room for one tile more at
    most; two stand side by side where they are no panoramas.

    Raises:
        ValueError: no tiles, or a size under one pixel.
    """
    if count < 1 or frame_width < 1 or frame_height < 1 or (width is not None and width < 1):
        raise ValueError(f"no mosaic of {count} tiles of {frame_width}×{frame_height} in {width}")

    columns = columns or _columns(count, frame_width / frame_height)
    scale = 1.0 if width is None else min(1.0, width / (columns * frame_width))
    tile_width, tile_height = _even(frame_width * scale), _even(frame_height * scale)
    bar = _even(min(max(22, tile_height * 0.06, tile_width * 0.05), 64))
    return Layout(columns, math.ceil(count / columns), tile_width, tile_height, bar, count=count)


def _columns(count: int, shape: float) -> int:
    """Of `count` tiles that are `shape` times as wide as high."""

    def squareness(columns: int) -> tuple[float, int]:
        off = abs(math.log(columns * shape / math.ceil(count / columns) / (16 / 9)))
        return round(off, 6), -columns  # of as good ones the wider: a page scrolls down

    if count == 2 and shape < _PANORAMA:
        return 2
    full = [c for c in range(1, count + 1) if -count % c <= _MOST_FREE]
    return min(full, key=squareness)


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)


def mosaic(tiles: Iterable[Tile], layout: Layout | None = None) -> NDArray[np.uint8]:
    """All `tiles` in one uint8 [height, width, 3] RGB picture of even width and height.

    Pictures of another size than the layout's are scaled and centred.  Without a layout, the first
    tile's size decides; with one, each tile is taken when its turn comes, and let go.  The footer
    is left empty.

    Raises:
        ValueError: no tiles, or more than the layout has room for.
    """
    if layout is None:
        tiles = list(tiles)
        if not tiles:
            raise ValueError("a mosaic needs at least one tile")
        first = tiles[0].image
        layout = plan_mosaic(len(tiles), first.shape[1], first.shape[0])
    canvas = blank(layout)
    places = cells(canvas, layout)
    number = -1
    for number, tile in enumerate(tiles):
        if number == len(places):
            raise ValueError(f"more tiles than fit into {layout.columns}×{layout.rows}")
        title_bar(places[number][0], tile)
        _place(places[number][1], tile.image)
    if number < 0:
        raise ValueError("a mosaic needs at least one tile")
    return canvas


def blank(layout: Layout, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """An empty mosaic, uint8 [height, width, 3]: `out`, drawn over, where that has the size."""
    shape = (layout.height, layout.width, 3)
    canvas = out if out is not None and out.shape == shape else np.empty(shape, np.uint8)
    # OpenCV fills a colour tenfold faster than numpy's broadcasting of three bytes.
    cv2.rectangle(canvas, (0, 0), (layout.width, layout.height), _BAR, cv2.FILLED)
    return canvas


def cells(
    canvas: NDArray[np.uint8], layout: Layout
) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Where each tile's title bar and picture are in `canvas`, row by row; views, not copies."""
    found = []
    for row in range(layout.rows):
        for column in range(layout.columns):
            top, left = row * (layout.tile_height + layout.bar_height), column * layout.tile_width
            strip = canvas[top:, left : left + layout.tile_width]
            bar, below = strip[: layout.bar_height], strip[layout.bar_height :]
            found.append((bar, below[: layout.tile_height]))
    return found


def title_bar(bar: NDArray[np.uint8], tile: Tile) -> None:
    """Writes the tile's title, note and stripe into `bar`, which is blank."""
    height, width = bar.shape[:2]
    stripe = max(2, height // 10)
    bar[height - stripe :] = tile.colour
    size = int(height * 0.55)
    margin = height // 4
    baseline = (height - stripe) // 2 + int(size * 0.36)
    title = fit_text(tile.title, size, width - 2 * margin)
    free = width - 3 * margin - text_width(title, size)
    note = fit_text(tile.note, size, free) if free > 0 else ""
    put_text(bar, title, (margin, baseline), size, _INK)
    if note:
        put_text(bar, note, (width - margin - text_width(note, size), baseline), size, _QUIET)


def _place(area: NDArray[np.uint8], image: NDArray[np.uint8]) -> None:
    height, width = area.shape[:2]
    if image.shape[:2] != (height, width):
        scale = min(width / image.shape[1], height / image.shape[0])
        size = (
            max(1, min(width, round(image.shape[1] * scale))),
            max(1, min(height, round(image.shape[0] * scale))),
        )
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
    top, left = (height - image.shape[0]) // 2, (width - image.shape[1]) // 2
    area[top : top + image.shape[0], left : left + image.shape[1]] = image


def message_tile(tile: Tile, message: str) -> Tile:
    """`tile` with its picture dimmed and `message` over it: a model that failed or still loads."""
    image = (tile.image // 4).astype(np.uint8)
    height, width = image.shape[:2]
    size = max(12, min(width // 24, height // 10))
    lines = wrap_text(message, size, int(width * 0.9))[: max(1, int(height / (size * 1.5)) - 1)]
    top = (height - int(len(lines) * size * 1.4)) // 2 + size
    for i, line in enumerate(lines):
        left = (width - text_width(line, size)) // 2
        put_text(image, line, (left, top + int(i * size * 1.4)), size, _INK)
    return replace(tile, image=image)
