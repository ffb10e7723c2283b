"""Mosaics: sizes that video can hold, pictures in their places, legible titles."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.render.mosaic import Tile, message_tile, mosaic, plan_mosaic
from estimators.render.text import fit_text, put_text, text_width, wrap_text


def plain(height: int, width: int, value: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize("size", [(480, 640), (481, 639), (1920, 1080), (31, 17), (2160, 3840)])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_sizes_are_even_and_hold_all_tiles(size: tuple[int, int], count: int) -> None:
    layout = plan_mosaic(count, size[1], size[0])
    assert layout.width % 2 == layout.height % 2 == layout.bar_height % 2 == 0
    assert layout.columns * layout.rows >= count
    assert abs(layout.tile_width - size[1]) <= 1
    assert abs(layout.tile_height - size[0]) <= 1


def test_three_wide_frames_form_a_block_and_three_tall_ones_a_row() -> None:
    assert plan_mosaic(3, 640, 480).columns == 2
    assert plan_mosaic(3, 1080, 1920).columns == 3
    assert (plan_mosaic(3, 640, 480).free, plan_mosaic(3, 1080, 1920).free) == (1, 0)
    assert [plan_mosaic(4, *size).free for size in ((1920, 1080), (1080, 1920))] == [0, 0]


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (1080, 1920), (480, 480), (4000, 1000)])
@pytest.mark.parametrize("count", range(1, 10))
def test_one_tile_at_most_stays_free(size: tuple[int, int], count: int) -> None:
    assert 0 <= plan_mosaic(count, *size).free <= 1


@pytest.mark.parametrize(("count", "columns"), [(5, 3), (6, 3), (7, 4)])
def test_of_two_shapes_that_are_as_good_the_wider_is_taken(count: int, columns: int) -> None:
    for size in ((1280, 720), (1920, 1080), (1600, 900)):
        assert plan_mosaic(count, *size).columns == columns


def test_four_of_a_camera_stand_two_by_two() -> None:
    layout = plan_mosaic(4, 640, 480)
    assert (layout.columns, layout.rows) == (2, 2)


@pytest.mark.parametrize("size", [(1920, 1080), (1768, 994), (640, 480), (2048, 858), (540, 960)])
def test_two_stand_side_by_side(size: tuple[int, int]) -> None:
    assert plan_mosaic(2, *size).columns == 2


def test_a_mosaic_is_no_wider_than_asked() -> None:
    layout = plan_mosaic(3, 1920, 1080, width=1280)
    assert layout.width <= 1280
    assert layout.tile_width / layout.tile_height == pytest.approx(16 / 9, rel=0.01)
    assert plan_mosaic(1, 100, 80, width=1280).tile_width == 100  # never enlarged


def test_each_picture_is_in_its_place_under_its_bar() -> None:
    values = (40, 90, 140)
    tiles = [Tile(plain(100, 200, v), f"model {v}", "3 ms", colour=(v, 255, 0)) for v in values]
    layout = plan_mosaic(3, 200, 100)
    whole = mosaic(tiles, layout)
    assert whole.shape == (layout.height, layout.width, 3)
    for i, (value, tile) in enumerate(zip(values, tiles, strict=True)):
        row, column = divmod(i, layout.columns)
        top = row * (layout.tile_height + layout.bar_height)
        left = column * layout.tile_width
        bar = whole[top : top + layout.bar_height, left : left + layout.tile_width]
        picture = whole[top + layout.bar_height :][: layout.tile_height, left : left + 200]
        assert (picture == value).all()
        assert (bar[-1] == tile.colour).all()
        assert bar[:-4].max() > 200  # white letters


def test_pictures_of_another_size_are_scaled_and_centred() -> None:
    whole = mosaic([Tile(plain(100, 200, 40), "a"), Tile(plain(300, 300, 200), "b")])
    layout = plan_mosaic(2, 200, 100)
    second = whole[layout.height - layout.tile_height :, -layout.tile_width :]
    assert (second[:, 55:145] == 200).all()
    assert (second[:, :45] < 60).all()
    assert (second[:, 155:] < 60).all()


def test_too_many_or_no_tiles_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        mosaic([])
    with pytest.raises(ValueError, match="more tiles than fit"):
        mosaic([Tile(plain(10, 10, 0), "a")] * 2, plan_mosaic(1, 10, 10))
    with pytest.raises(ValueError, match="0 tiles"):
        plan_mosaic(0, 640, 480)


def test_a_long_title_is_shortened_and_does_not_run_into_the_note() -> None:
    title = "Keypoint R-CNN reference, on torchvision with the library's defaults"
    shortened = fit_text(title, 20, 200)
    assert shortened.endswith("…")
    assert text_width(shortened, 20) <= 200
    assert fit_text("short", 20, 200) == "short"
    whole = mosaic([Tile(plain(100, 200, 40), title, "123.4 ms")])
    assert whole.shape[1] == 200


def test_wrapped_text_fits_and_keeps_every_word() -> None:
    text = "The weights are not here: fetch them on the Models page."
    lines = wrap_text(text, 16, 150)
    assert " ".join(lines) == text
    assert len(lines) > 1
    assert all(text_width(line, 16) <= 150 for line in lines)


def test_letters_outside_ascii_are_drawn_as_themselves() -> None:
    def drawn(text: str) -> NDArray[np.uint8]:
        image = plain(40, 60, 0)
        put_text(image, text, (5, 30), 24, (255, 255, 255))
        return image

    unknown = drawn("?")
    for letter in "×·é–":
        assert (drawn(letter) != unknown).any()
        assert drawn(letter).any()


def test_a_message_dims_the_picture_and_is_written_on_it() -> None:
    tile = message_tile(Tile(plain(200, 300, 120), "R-CNN"), "The model is loading.")
    assert (tile.image[:20] == 30).all()
    assert (tile.image == 255).any()
    assert tile.title == "R-CNN"
