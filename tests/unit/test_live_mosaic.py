"""What goes back to the browser, by its pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.render.mosaic import cells
from estimators.types import PoseSet
from estimators.workflows.live.follower import Overlay
from estimators.workflows.live.mosaic import (
    LiveSettings,
    View,
    draw_live,
    draw_notice,
    live_layout,
)
from tests.unit import fake_adapters as fake
from tests.unit.live_stand import COLOURS, live_models

SPECS = [fake.spec("one"), fake.spec("two"), fake.spec("three")]
NOW_S = 100.0
GREY = 60


def image(width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    return np.full((height, width, 3), GREY, np.uint8)


def overlay(x: float, y: float, size: tuple[int, int] = (320, 240), age_s: float = 0.1) -> Overlay:
    skeleton = SPECS[0].skeleton
    k = len(skeleton)
    xy = np.full((1, k, 2), np.nan, np.float32)
    xy[0, skeleton.index("nose")] = (x, y)
    return Overlay(PoseSet(skeleton, xy, np.ones((1, k))), size, 1, NOW_S - age_s)


def settings(count: int, **changes: object) -> LiveSettings:
    return replace(LiveSettings(live_models(SPECS[:count])), **changes)


def views(wanted: LiveSettings, *overlays: Overlay | None) -> list[View]:
    return [
        View(model, "loading" if found is None else "following", found)
        for model, found in zip(wanted.models, overlays, strict=True)
    ]


def centre_of(
    picture: NDArray[np.uint8], colour: tuple[int, int, int], bar: int
) -> tuple[float, float]:
    """The middle of what has the colour below the bar, from the picture's lower edge of the bar."""
    close = np.abs(picture[bar:].astype(int) - colour).sum(axis=2) < 40
    assert close.any()
    rows, columns = np.nonzero(close)
    return float(columns.mean()) + 0.5, float(rows.mean()) + 0.5


def bar_of(picture: NDArray[np.uint8], height: int = 240) -> int:
    return picture.shape[0] - height


def tiles_of(
    wanted: LiveSettings, *overlays: Overlay | None, size: tuple[int, int] = (320, 240)
) -> NDArray[np.uint8]:
    """What is drawn, without the legend below."""
    picture = draw_live(image(*size), views(wanted, *overlays), wanted, NOW_S)
    return picture[: picture.shape[0] - live_layout(wanted, *size).footer]


def test_each_model_has_its_tile_with_its_own_overlay() -> None:
    picture = tiles_of(settings(2), overlay(80, 60), overlay(200, 180))
    bar = bar_of(picture)
    assert picture.shape[1] == 640
    assert centre_of(picture[:, :320], COLOURS[0], bar) == pytest.approx((80, 60), abs=1)
    assert centre_of(picture[:, 320:], COLOURS[1], bar) == pytest.approx((200, 180), abs=1)


def test_all_in_one_draws_every_model_into_one_picture() -> None:
    wanted = settings(2, layout="one")
    picture = tiles_of(wanted, overlay(80, 60), overlay(200, 238))
    bar = bar_of(picture)
    assert picture.shape[1] == 320
    assert centre_of(picture, COLOURS[0], bar) == pytest.approx((80, 60), abs=1)
    # The legend lies below the picture, not over somebody's feet.
    assert centre_of(picture, COLOURS[1], bar) == pytest.approx((200, 237), abs=1.5)
    whole = draw_live(image(), views(wanted, overlay(80, 60), None), wanted, NOW_S)
    for colour in COLOURS[:2]:
        assert (whole[len(picture) :] == colour).all(axis=2).any()


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (480, 640)])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_on_a_phone_one_tile_stands_under_the_other(count: int, size: tuple[int, int]) -> None:
    models = live_models(SPECS[:1]) * count
    layout = live_layout(LiveSettings(models, stacked=True), *size)
    assert (layout.columns, layout.rows, layout.free) == (1, count, 0)
    # 358 pixels are what a phone of 390 leaves: letters of the bar are 55 % of it.
    shown = min(1.0, 358 / layout.width) * 0.55 * layout.bar_height
    assert shown >= 11


def test_an_empty_cell_shows_all_models_together() -> None:
    wanted = settings(3)
    picture = tiles_of(wanted, overlay(80, 60), overlay(200, 60), overlay(80, 180))
    fourth = cells(picture, replace(live_layout(wanted, 320, 240), footer=0))[3][1]
    for colour, at in zip(COLOURS, [(80, 60), (200, 60), (80, 180)], strict=False):
        scale = fourth.shape[1] / 320
        assert centre_of(fourth, colour, 0) == pytest.approx([scale * v for v in at], abs=1)


@pytest.mark.parametrize("layout", ["side", "one"])
def test_the_age_is_written(layout: str) -> None:
    wanted = settings(1, layout=layout)

    def drawn(age_s: float) -> NDArray[np.uint8]:
        return draw_live(image(), views(wanted, overlay(80, 60, age_s=age_s)), wanted, NOW_S)

    young, same, old = drawn(0.1), drawn(0.1), drawn(2.5)
    np.testing.assert_array_equal(young, same)
    rows, columns = np.nonzero((young != old).any(axis=2))
    assert len(rows) > 20
    if layout == "side":  # in the bar, at the right
        assert rows.max() < live_layout(wanted, 320, 240).bar_height
        assert columns.min() > 160
    else:  # below the picture
        assert rows.min() >= young.shape[0] - live_layout(wanted, 320, 240).footer


def test_poses_of_another_frame_size_are_scaled() -> None:
    picture = tiles_of(settings(1), overlay(160, 120, (640, 480)))
    assert centre_of(picture, COLOURS[0], bar_of(picture)) == pytest.approx((80, 60), abs=1)


@pytest.mark.parametrize("size", [(1920, 1078), (1279, 721), (643, 477)])
def test_the_frame_fills_its_tile(size: tuple[int, int]) -> None:
    wanted = settings(3)
    picture = draw_live(image(*size), views(wanted, *[overlay(20, 20, size)] * 3), wanted, NOW_S)
    layout = live_layout(wanted, *size)
    for _, area in cells(picture, layout)[:3]:
        for edge in (area[0], area[-1], area[:, 0], area[:, -1]):
            assert (edge == GREY).all()


def test_tiles_shrink_to_the_width_allowed() -> None:
    picture = tiles_of(settings(2, width=320), overlay(80, 60), overlay(80, 60))
    assert picture.shape[1] == 320
    at = centre_of(picture[:, :160], COLOURS[0], bar_of(picture, 120))
    assert at == pytest.approx((40, 30), abs=1)


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (480, 640), (3840, 2160), (64, 2000)])
@pytest.mark.parametrize("count", range(1, 8))
def test_all_tiles_together_have_the_pixels_of_two_pictures(
    count: int, size: tuple[int, int]
) -> None:
    layout = live_layout(LiveSettings(live_models(SPECS[:1]) * count), *size)
    assert count * layout.tile_width * layout.tile_height <= 1.03 * 2 * 640 * 480
    assert layout.width <= 1280
    shrunk = layout.tile_width / size[0]
    assert layout.tile_height / size[1] == pytest.approx(shrunk, rel=0.05)
    if count <= 2 and size == (640, 480):
        assert shrunk == 1


def test_mirroring_turns_the_picture_but_not_the_words() -> None:
    plain, turned = settings(1), settings(1, mirrored=True)
    one, two = (tiles_of(wanted, overlay(80, 60)) for wanted in (plain, turned))
    bar = bar_of(one)
    np.testing.assert_array_equal(one[:bar], two[:bar])
    np.testing.assert_array_equal(one[bar:, ::-1], two[bar:])


def test_a_model_without_an_answer_says_why() -> None:
    wanted = settings(2)
    first = replace(views(wanted, None, None)[0], state="failed", error="It fell over. Lift it.")
    picture = draw_live(image(), [first, views(wanted, None, overlay(80, 60))[1]], wanted, NOW_S)
    bar = bar_of(picture)
    failed, fine = picture[bar:, :320], picture[bar:, 320:]
    assert np.median(failed) == GREY // 4  # dimmed, with words on it
    assert failed.max() > 200
    assert np.median(fine) == GREY


@pytest.mark.parametrize("layout", ["side", "one"])
def test_an_earlier_mosaic_is_drawn_over(layout: str) -> None:
    wanted = settings(3, layout=layout, mirrored=True)
    seen = views(wanted, overlay(80, 60), None, overlay(200, 180))
    fresh = draw_live(image(), seen, wanted, NOW_S)
    old = np.random.default_rng(0).integers(0, 256, fresh.shape, dtype=np.uint8)
    again = draw_live(image(), seen, wanted, NOW_S, old)
    assert again is old
    np.testing.assert_array_equal(again, fresh)
    assert draw_live(image(), seen, wanted, NOW_S, old[:-2]).shape == fresh.shape


def test_no_model_shows_the_camera() -> None:
    picture = draw_live(image(), [], LiveSettings(), NOW_S)
    assert np.median(picture[bar_of(picture) :]) == GREY


def test_a_notice_dims_the_camera() -> None:
    picture = draw_notice(image(), "No place left", "Try again in a while.", 1280)
    assert np.median(picture[bar_of(picture) :]) == GREY // 4


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("size", [(320, 240), (241, 321), (97, 53)])
def test_sides_are_even_and_the_frame_is_left_alone(count: int, size: tuple[int, int]) -> None:
    wanted = settings(count)
    frame = image(*size)
    frame.flags.writeable = False
    picture = draw_live(frame, views(wanted, *[overlay(20, 20, size)] * count), wanted, NOW_S)
    assert picture.shape[0] % 2 == picture.shape[1] % 2 == 0
    assert (frame == GREY).all()
