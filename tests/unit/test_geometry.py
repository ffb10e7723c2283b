"""Geometry proved by pictures: a bright spot and its mapped coordinate land together."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.geometry import CropRegion, Letterbox, Rectangle, best_canvas, square_around

# (height, width): wide, tall, odd, square, tiny, and strips thinner than a canvas pixel.
FRAMES = [
    (720, 1280),
    (1920, 1080),
    (427, 641),
    (300, 300),
    (37, 90),
    (61, 7),
    (1000, 2),
    (2, 1000),
]
CANVASES = [(192, 192), (256, 256), (384, 512), (512, 288)]
# A spot is found back within this many canvas pixels.
TOLERANCE_PX = 0.05


def spot(size: tuple[int, int], center: NDArray[np.float64], sigma: float) -> NDArray[np.uint8]:
    """A black picture with a bright Gaussian spot at `center` (x, y), continuous pixels."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    bright = 255 * np.exp(-((x - center[0]) ** 2 + (y - center[1]) ** 2) / (2 * sigma**2))
    return np.repeat(bright.round().astype(np.uint8)[..., None], 3, axis=2)


def brightest(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Centre of mass (x, y) of the light, continuous pixels."""
    light = image[..., 0].astype(float)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]] + 0.5
    return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()


def assert_lands(
    letterbox: Letterbox, found: NDArray[np.float64], center: NDArray[np.float64]
) -> None:
    """That the spot `found` on the canvas is mapped back to `center` of the frame."""
    off = np.abs(letterbox.to_frame(found) - center) * letterbox.scale
    assert off.max() < TOLERANCE_PX


@pytest.mark.parametrize(("frame", "canvas"), list(itertools.product(FRAMES[:5], CANVASES)))
@pytest.mark.parametrize("where", [(0.5, 0.5), (0.23, 0.68), (0.81, 0.3)])
def test_a_spot_and_its_coordinate_land_together(
    frame: tuple[int, int], canvas: tuple[int, int], where: tuple[float, float]
) -> None:
    letterbox = Letterbox.fit(frame, canvas)
    sigma = max(3 / letterbox.scale.min(), 2.0)
    center = np.array(where) * (frame[1], frame[0])
    center = np.clip(center, min(4 * sigma, frame[1] / 2), np.array(frame[::-1]) - 4 * sigma)
    picture = spot(frame, center, sigma)
    center = brightest(picture)  # what the picture's edge and rounding left of it
    found = brightest(letterbox.apply(picture))
    assert_lands(letterbox, found, center)


@pytest.mark.parametrize(("column", "row"), [(0, 0), (1279, 719), (13, 700), (640, 360)])
def test_a_single_pixel_lands_in_the_cell_its_centre_maps_to(column: int, row: int) -> None:
    """Even where many frame pixels share one canvas pixel: of those that halve none is skipped."""
    picture = np.zeros((720, 1280, 3), np.uint8)
    picture[row, column] = 255
    letterbox = Letterbox.fit((720, 1280), (192, 192))
    canvas = letterbox.apply(picture)
    assert canvas.max() > 0
    cells = np.argwhere(canvas[..., 0] == canvas.max())[:, ::-1]  # a neighbour may share it
    off = (np.array([column, row]) + 0.5 - letterbox.to_frame(cells)) * letterbox.scale
    assert ((off >= 0) & (off <= 1)).all(axis=1).any()


def test_enlarging_keeps_a_pixel_around_its_centre() -> None:
    picture = np.zeros((10, 20, 3), np.uint8)
    picture[4, 7] = 255
    letterbox = Letterbox.fit((10, 20), (256, 256))
    found = brightest(letterbox.apply(picture))
    assert_lands(letterbox, found, np.array([7.5, 4.5]))


@pytest.mark.parametrize(("frame", "canvas"), list(itertools.product(FRAMES, CANVASES)))
def test_the_way_back_is_exact(frame: tuple[int, int], canvas: tuple[int, int]) -> None:
    letterbox = Letterbox.fit(frame, canvas)
    target = letterbox.target
    shown = np.array([(target.left, target.top), (target.right, target.bottom)])
    source = letterbox.source
    left_out = np.array([frame[1] - source.right, frame[0] - source.bottom])
    assert ((left_out >= 0) & (left_out * letterbox.scale < 2 / 3)).all()
    corners = np.array([(0, 0), (source.right, source.bottom)])
    assert letterbox.to_frame(shown) == pytest.approx(corners, abs=1e-6)
    outside = shown[1] + 2 * (shown[1] - shown[0])
    assert letterbox.to_frame(outside) == pytest.approx(3 * corners[1], abs=1e-6)


@pytest.mark.parametrize(
    ("frame", "source"),
    [
        ((575, 575), (575, 575)),  # its half would be smaller than 288, one and a half times 192
        ((576, 576), (576, 576)),
        ((577, 577), (576, 576)),
        ((577, 433), (576, 432)),
        ((1155, 1153), (1152, 1152)),  # a quarter
        ((1271, 720), (1268, 720)),
        ((2311, 2311), (2304, 2304)),  # an eighth
    ],
)
def test_rows_that_halves_would_leave_over_are_left_out(
    frame: tuple[int, int], source: tuple[int, int]
) -> None:
    whole = Letterbox.fit(frame, (192, 192))
    assert whole.source == Rectangle(0, 0, source[1], source[0])
    part = Letterbox.of_region(CropRegion(10, 20, frame[0]), (4000, 4000), 192)
    assert part.source == Rectangle(10, 20, 10 + source[0], 20 + source[0])
    assert part.target == Rectangle(0, 0, 192, 192)


@pytest.mark.parametrize(("frame", "canvas"), list(itertools.product(FRAMES, CANVASES)))
def test_the_frame_fills_the_canvas_one_way_and_is_centred_the_other(
    frame: tuple[int, int], canvas: tuple[int, int]
) -> None:
    letterbox = Letterbox.fit(frame, canvas)
    image = np.full((*frame, 3), 200, np.uint8)
    lit = letterbox.apply(image)[..., 0] > 0
    target = letterbox.target
    assert (target.height, target.width) == (lit.any(axis=1).sum(), lit.any(axis=0).sum())
    assert target.height == canvas[0] or target.width == canvas[1]
    assert abs(target.left - (canvas[1] - target.right)) <= 1
    assert abs(target.top - (canvas[0] - target.bottom)) <= 1
    # The aspect is kept as far as whole pixels allow.
    scale = min(canvas[0] / frame[0], canvas[1] / frame[1])
    assert abs(target.height - max(frame[0] * scale, 1)) <= 0.5
    assert abs(target.width - max(frame[1] * scale, 1)) <= 0.5


@pytest.mark.parametrize(
    "region",
    [
        CropRegion(200, 100, 300),
        CropRegion(-80, -40, 260),  # leaves the frame at the top left
        CropRegion(400, 250, 331),  # and at the bottom right
        CropRegion(-100, -180, 840),  # holds the frame and more
        CropRegion(310, 220, 40),  # is enlarged
        CropRegion(1, 1, 639),  # what does not halve lies at the frame's edge
        CropRegion(-237, -181, 840),
    ],
)
def test_a_spot_in_a_crop_region_lands_where_it_is_mapped(region: CropRegion) -> None:
    frame = (480, 640)
    letterbox = Letterbox.of_region(region, frame, 192)
    part = region.inside(frame)
    sigma = max(3 / letterbox.scale.min(), 1.5)
    center = np.array([part.left + part.width * 0.45, part.top + part.height * 0.55])
    picture = spot(frame, center, sigma)
    picture[: part.top] = picture[part.bottom :] = 0
    picture[:, : part.left] = picture[:, part.right :] = 0
    center, found = brightest(picture), brightest(letterbox.apply(picture))
    assert_lands(letterbox, found, center)


def test_outside_the_frame_a_region_is_black() -> None:
    letterbox = Letterbox.of_region(CropRegion(-50, -50, 100), (480, 640), 192)
    canvas = letterbox.apply(np.full((480, 640, 3), 255, np.uint8))
    assert (canvas[:96] == 0).all()
    assert (canvas[:, :96] == 0).all()
    assert (canvas[96:, 96:] == 255).all()


def test_the_whole_region_is_the_letterbox_of_the_frame() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (360, 640, 3), np.uint8)
    whole = Letterbox.of_region(CropRegion.whole((360, 640)), (360, 640), 192)
    assert (whole.apply(picture) == Letterbox.fit((360, 640), (192, 192)).apply(picture)).all()


def test_a_region_that_misses_the_frame_is_refused() -> None:
    region = CropRegion(700, 0, 100)
    assert not region.meets((480, 640))
    with pytest.raises(ValueError, match="outside a frame of 640×480"):
        region.inside((480, 640))


def test_a_region_knows_whether_it_meets_the_frame() -> None:
    for left, top in itertools.product(range(-12, 13), range(-12, 9)):
        pixels = np.zeros((30, 34), bool)
        pixels[12:18, 12:22] = True  # a frame of 6 × 10 pixels at (12, 12)
        seen = pixels[top + 12 : top + 12 + 4, left + 12 : left + 12 + 4].any()
        assert CropRegion(left, top, 4).meets((6, 10)) == seen


def test_the_inside_of_a_region() -> None:
    assert CropRegion(-5, 10, 30).inside((20, 100)) == Rectangle(0, 10, 25, 20)


def test_a_square_around_a_point_is_centred_to_half_a_pixel() -> None:
    for half, x in itertools.product((0.2, 10.0, 33.3), (50.0, 50.49, -3.7)):
        region = square_around(np.array([x, 20.0]), half)
        assert abs(region.left + region.side / 2 - x) <= 0.5
        assert region.side == max(round(2 * half), 1)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ((480, 640), (384, 512)),
        ((640, 480), (512, 384)),
        ((1080, 1920), (288, 512)),
        ((600, 600), (512, 512)),
        ((500, 640), (512, 512)),
        ((100, 4000), (288, 512)),
    ],
)
def test_the_tightest_canvas_that_shows_the_frame_largest(
    frame: tuple[int, int], expected: tuple[int, int]
) -> None:
    canvases = [(512, 512), (384, 512), (512, 384), (288, 512), (512, 288)]
    assert best_canvas(frame, canvases) == expected


def test_sizes_without_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one pixel, got 0×5"):
        Letterbox.fit((5, 0), (192, 192))
    with pytest.raises(ValueError, match="at least one pixel"):
        CropRegion.whole((0, 4))
    with pytest.raises(ValueError, match="no canvas"):
        best_canvas((4, 4), [])


@pytest.mark.parametrize("side", [3, 4])
def test_a_square_is_the_nearest_one_of_whole_pixels(side: int) -> None:
    for x in np.arange(9.05, 12, 0.1):
        left = square_around(np.array([x, x]), side / 2).left
        assert abs(left + side / 2 - x) == min(abs(n + side / 2 - x) for n in range(20)), x


def test_whole_regions_of_odd_sizes_start_on_whole_pixels() -> None:
    assert CropRegion.whole((5, 8)) == CropRegion(0, -2, 8)
    assert CropRegion.whole((9, 4)) == CropRegion(-3, 0, 9)
    assert isinstance(CropRegion.whole((5, 8)).top, int)


def test_one_pixel_is_enough() -> None:
    letterbox = Letterbox.fit((1, 1), (4, 6))
    assert letterbox == Letterbox(Rectangle(0, 0, 1, 1), Rectangle(1, 0, 5, 4), (4, 6))


@pytest.mark.parametrize(
    ("region", "frame", "target"),
    [
        (CropRegion(-50, 0, 100), (100, 1), Rectangle(5, 0, 6, 10)),  # thinner than a pixel
        (CropRegion(-99, -99, 100), (1, 1), Rectangle(9, 9, 10, 10)),  # at the far edge
        (CropRegion(-10, -30, 100), (40, 60), Rectangle(1, 3, 7, 7)),
    ],
)
def test_what_is_seen_of_a_frame_takes_whole_pixels_at_least_one(
    region: CropRegion, frame: tuple[int, int], target: Rectangle
) -> None:
    assert Letterbox.of_region(region, frame, 10).target == target


@pytest.mark.parametrize(
    ("frame", "canvas", "steps"),
    [
        ((10, 20), (30, 60), [(60, 30, cv2.INTER_LINEAR)]),
        ((300, 2), (301, 301), [(2, 301, cv2.INTER_LINEAR)]),  # one side stays as it is
        ((2, 300), (301, 301), [(301, 2, cv2.INTER_LINEAR)]),
        ((400, 3), (399, 399), [(3, 399, cv2.INTER_CUBIC)]),
        ((3, 400), (399, 399), [(399, 3, cv2.INTER_CUBIC)]),
        ((44, 59), (30, 40), [(40, 30, cv2.INTER_CUBIC)]),
        ((45, 61), (30, 40), [(40, 30, cv2.INTER_CUBIC)]),  # only one is above half as large again
        ((61, 45), (40, 30), [(30, 40, cv2.INTER_CUBIC)]),
        ((46, 62), (30, 40), [(60, 45, cv2.INTER_AREA), (40, 30, cv2.INTER_CUBIC)]),
        ((90, 130), (31, 45), [(68, 47, cv2.INTER_AREA), (45, 31, cv2.INTER_CUBIC)]),
        ((89, 119), (30, 40), [(60, 45, cv2.INTER_AREA), (40, 30, cv2.INTER_CUBIC)]),
        ((90, 120), (30, 40), [(60, 45, cv2.INTER_AREA), (40, 30, cv2.INTER_CUBIC)]),
        (
            (100, 140),
            (30, 40),
            [(70, 50, cv2.INTER_AREA), (60, 44, cv2.INTER_AREA), (40, 29, cv2.INTER_CUBIC)],
        ),
        (
            (360, 480),
            (30, 40),
            [
                *((240, 180, cv2.INTER_AREA), (120, 90, cv2.INTER_AREA)),
                *((60, 45, cv2.INTER_AREA), (40, 30, cv2.INTER_CUBIC)),
            ],
        ),
    ],
)
def test_shrinking_averages_first_and_is_bicubic_and_enlarging_is_bilinear(
    frame: tuple[int, int], canvas: tuple[int, int], steps: list[tuple[int, int, int]]
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*frame, 3), np.uint8)
    letterbox = Letterbox.fit(frame, canvas)
    target, expected = letterbox.target, picture
    for width, height, way in steps:
        expected = np.asarray(cv2.resize(expected, (width, height), interpolation=way), np.uint8)
    shown = letterbox.apply(picture)[target.top : target.bottom, target.left : target.right]
    np.testing.assert_array_equal(shown, expected)
