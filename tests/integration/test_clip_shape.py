"""The shape of a clip's pixels and frames, wherever it is told, and whatever changes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from estimators.media.browser import browser_copy, way_to_play
from estimators.media.clips import frames, in_clip_pixels, open_clip, processed_size
from estimators.media.shape import as_rgb, fitted, square_size
from estimators.skeletons import COCO_17
from estimators.types import PoseSet
from estimators.workflows.clip.film_strip import film_strip
from tests.clip_factory import Recipe, make_clip, make_resized, number_of, retold, shown_at

QUIET = {"x265-params": "log-level=none"}
TOLD = {
    "stream and container.mp4": Recipe(ratio=Fraction(16, 11)),
    "stream.mkv": Recipe(ratio=Fraction(16, 11)),
    "container.mp4": Recipe("libvpx-vp9", ratio=Fraction(64, 45)),
    "hevc.mov": Recipe("libx265", ratio=Fraction(10, 11), options=QUIET),
    "mpeg4.mp4": Recipe("mpeg4", ratio=Fraction(12, 11)),
    "mpeg4.avi": Recipe("mpeg4", ratio=Fraction(16, 15)),
    "very squeezed.mp4": Recipe(ratio=Fraction(3)),
    "motion jpeg.mkv": Recipe("mjpeg", "yuvj420p", ratio=Fraction(2, 1)),
}


def squared(recipe: Recipe) -> tuple[int, int]:
    ratio = recipe.ratio or Fraction(1)
    wide = round(recipe.width * max(ratio, 1)), round(recipe.height / min(ratio, 1))
    return wide[::-1] if recipe.quarter_turns % 2 else wide


@pytest.mark.parametrize("name", TOLD)
def test_frames_have_square_pixels_wherever_the_ratio_is_told(name: str, tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / name, TOLD[name]))
    assert clip.pixel_ratio == TOLD[name].ratio
    assert (clip.width, clip.height) == squared(TOLD[name])
    images = [frame.image for frame in frames(clip)]
    assert [number_of(image) for image in images] == list(range(40))
    assert {image.shape for image in images} == {(clip.height, clip.width, 3)}
    assert f"({clip.pixel_ratio.numerator}:{clip.pixel_ratio.denominator})" in clip.notes[0]


@pytest.mark.parametrize("said", ["1/1", "4/3"])
def test_the_containers_ratio_counts_before_the_streams(said: str, tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4", Recipe(ratio=Fraction(16, 11)))
    path = retold(whole, tmp_path / "retold.mp4", f"h264_metadata=sample_aspect_ratio={said}")
    clip = open_clip(path)
    assert clip.pixel_ratio == Fraction(16, 11)
    assert (clip.width, clip.height) == (186, 96)


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9", "libx264"])
def test_matroska_tells_the_width_to_show(codec: str, tmp_path: Path) -> None:
    path = shown_at(make_clip(tmp_path / "a.mkv", Recipe(codec, pts=range(3))), 171)
    clip = open_clip(path)
    assert (clip.width, clip.height, clip.pixel_ratio) == (171, 96, Fraction(171, 128))
    assert [number_of(frame.image) for frame in frames(clip)] == [0, 1, 2]


def test_the_streams_ratio_counts_where_the_container_only_says_square(tmp_path: Path) -> None:
    recipe = Recipe(ratio=Fraction(16, 11))
    path = shown_at(make_clip(tmp_path / "a.mkv", recipe), 128)
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == 1
    assert open_clip(path).pixel_ratio == Fraction(16, 11)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("ratio", [Fraction(16, 11), Fraction(8, 9)])
def test_the_ratio_of_a_turned_clip_turns_with_it(
    turns: int, ratio: Fraction, tmp_path: Path
) -> None:
    recipe = Recipe(quarter_turns=turns, rotation=-90 * turns, ratio=ratio, pts=range(3))
    clip = open_clip(make_clip(tmp_path / "a.mp4", recipe))
    assert clip.pixel_ratio == (1 / ratio if turns % 2 else ratio)
    assert (clip.width, clip.height) == squared(recipe)
    assert [number_of(frame.image) for frame in frames(clip)] == [0, 1, 2]


@pytest.mark.parametrize(
    "ratio", [Fraction(1215, 1216), Fraction(5), Fraction(1000), Fraction(1, 1000)]
)
def test_a_rounded_or_absurd_ratio_is_none(ratio: Fraction, tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "a.mp4", Recipe(ratio=ratio, pts=range(2))))
    assert (clip.width, clip.height, clip.pixel_ratio) == (128, 96, 1)
    assert clip.notes == ()


def test_no_pixels_are_given_away_unless_the_frame_grows_too_large() -> None:
    assert square_size((720, 576), Fraction(64, 45)) == (1024, 576)
    assert square_size((720, 480), Fraction(8, 9)) == (720, 540)
    assert square_size((4096, 2304), Fraction(2)) == (4096, 1152)
    assert square_size((4096, 2304), Fraction(1, 2)) == (2048, 2304)
    assert square_size((1, 1), Fraction(1, 4)) == (1, 4)


def test_poses_from_smaller_frames_come_back_in_square_pixels(tmp_path: Path) -> None:
    recipe = Recipe(ratio=Fraction(2), quarter_turns=1, rotation=-90, pts=range(2))
    clip = open_clip(make_clip(tmp_path / "a.mp4", recipe))
    assert (clip.width, clip.height) == (96, 256)
    assert processed_size(clip, 128) == (48, 128)
    poses = PoseSet(COCO_17, np.full((1, 17, 2), 12, np.float32), np.ones((1, 17), np.float32))
    assert np.all(in_clip_pixels(poses, clip, 128).xy == 24)


@pytest.mark.parametrize("kind", ["libvpx webm", "libvpx-vp9 webm", "libx264 mkv"])
def test_frames_of_another_size_keep_their_shape(kind: str, tmp_path: Path) -> None:
    codec, ending = kind.split()
    sizes = [(96, 128), (128, 96), (48, 64)]
    clip = open_clip(make_resized(tmp_path / f"a.{ending}", codec, sizes))
    assert (clip.width, clip.height) == (96, 128)
    assert "(96×128, 128×96, 48×64)" in clip.notes[0]
    images = [frame.image for frame in frames(clip)]
    assert [number_of(image) for image in images[:5]] == list(range(5))
    # Turned: 96 wide, 72 high, in the middle.
    assert [number_of(image[28:100]) for image in images[5:10]] == list(range(5, 10))
    assert max(int(image[:26].max()) for image in images[5:10]) < 40
    assert [number_of(image) for image in images[10:]] == list(range(10, 15))


def test_the_largest_of_all_sizes_is_kept(tmp_path: Path) -> None:
    clip = open_clip(make_resized(tmp_path / "a.webm", "libvpx", [(64, 48), (256, 192)]))
    assert (clip.width, clip.height) == (256, 192)
    assert [number_of(frame.image) for frame in frames(clip)] == list(range(10))


@pytest.mark.parametrize("kind", ["mpeg2video mpg", "mpeg2video ts", "libx264 ts", "mpeg4 avi"])
def test_another_size_is_seen_where_times_lead_near_their_packets_only(
    kind: str, tmp_path: Path
) -> None:
    codec, ending = kind.split()
    clip = open_clip(make_resized(tmp_path / f"a.{ending}", codec, [(96, 128), (192, 128)]))
    assert (clip.width, clip.height) == (192, 128)
    assert "(96×128, 192×128)" in clip.notes[0]
    shown = {frame.index: number_of(frame.image) for frame in frames(clip)}
    assert [shown[index] for index in range(5, 10)] == list(range(5, 10))


def changing_ratio(folder: Path, codec: str, ending: str) -> Path:
    """Three times 30 frames, those in the middle with pixels of 4:3, the others' are square."""
    path = folder / f"joined.{ending}"
    options = {"bf": "2", "g": "12"}
    for start, ratio in ((10, Fraction(1)), (40, Fraction(4, 3)), (70, Fraction(1))):
        recipe = Recipe(codec, ratio=ratio, options=options, pts=range(start, start + 30))
        part = make_clip(folder / f"{start}.{ending}", recipe)
        with path.open("ab") as file:
            file.write(part.read_bytes())
    return path


@pytest.mark.parametrize("kind", ["libx264 ts", "mpeg2video ts"])
def test_pixels_that_change_their_shape_in_mid_clip(kind: str, tmp_path: Path) -> None:
    """As broadcasts do between a film and what is shown before; frames come reordered."""
    clip = open_clip(changing_ratio(tmp_path, *kind.split()))
    assert (clip.width, clip.height, clip.steady) == (171, 96, False)
    assert [note for note in clip.notes if "change" in note or "square" in note] == [
        "The frames change their shape (128×96, 171×96): each is fitted into 171×96 in its own "
        "shape, and coordinates are those of the whole picture."
    ]
    images = [frame.image for frame in frames(clip)]
    # Each part tells its numbers anew; narrow frames lie in the middle.
    numbers = [n % 30 for n in range(90)]
    narrow = [*range(30), *range(60, 90)]
    assert [number_of(images[n][:, 21:149]) for n in narrow] == [numbers[n] for n in narrow]
    assert max(int(images[n][:, :19].max()) for n in narrow) < 40
    assert [number_of(image) for image in images[30:60]] == numbers[30:60]
    later = list(frames(clip, start_s=float(clip.timestamps_s[45])))
    assert np.array_equal(later[0].image, images[45])
    assert way_to_play(clip) == browser_copy(clip, tmp_path / "copy.mp4") == "encode"
    for ours, theirs in zip(frames(open_clip(tmp_path / "copy.mp4")), images, strict=True):
        assert np.abs(ours.image[:, :171].astype(int) - theirs).mean() < 4


def test_the_containers_ratio_holds_where_the_streams_changes(tmp_path: Path) -> None:
    ratios = [Fraction(1), Fraction(4, 3)]
    path = make_resized(tmp_path / "a.mkv", "libx264", [(128, 96)] * 2, ratios=ratios)
    assert open_clip(path).ratio_changes
    clip = open_clip(shown_at(path, 192))
    assert (clip.width, clip.height, clip.steady) == (192, 96, True)
    assert [number_of(frame.image) for frame in frames(clip)] == list(range(10))


@pytest.mark.parametrize("sizes", [[(96, 128), (128, 96)], [(64, 48), (128, 96)]])
def test_a_clip_of_several_sizes_is_encoded_for_browsers(
    sizes: list[tuple[int, int]], tmp_path: Path
) -> None:
    clip = open_clip(make_resized(tmp_path / "a.webm", "libvpx", sizes))
    assert way_to_play(clip) == browser_copy(clip, tmp_path / "copy.mp4") == "encode"
    copy = open_clip(tmp_path / "copy.mp4")
    assert (copy.width, copy.height, copy.notes) == (clip.width, clip.height, ())
    for ours, theirs in zip(frames(copy), frames(clip), strict=True):
        difference = np.abs(ours.image.astype(int) - theirs.image)
        assert difference.mean() < 4


@pytest.mark.parametrize("name", ["stream.mkv", "mpeg4.avi", "container.mp4"])
def test_copies_for_browsers_have_square_pixels_or_tell_their_shape(
    name: str, tmp_path: Path
) -> None:
    clip = open_clip(make_clip(tmp_path / name, TOLD[name]))
    browser_copy(clip, tmp_path / "copy.mp4")
    copy = open_clip(tmp_path / "copy.mp4")
    assert (copy.width, copy.height) == (clip.width + clip.width % 2, clip.height)
    assert [number_of(frame.image) for frame in frames(copy)] == list(range(40))


def test_a_large_copy_of_a_turned_clip_with_long_pixels_is_made_smaller(tmp_path: Path) -> None:
    recipe = Recipe("mpeg4", ratio=Fraction(2), quarter_turns=1, rotation=-90)
    clip = open_clip(make_clip(tmp_path / "a.mp4", recipe))
    assert browser_copy(clip, tmp_path / "copy.mp4", longest_side=128) == "encode"
    copy = open_clip(tmp_path / "copy.mp4")
    assert (copy.width, copy.height) == (48, 128)
    assert [number_of(frame.image) for frame in frames(copy)] == list(range(40))


def test_a_picture_is_fitted_whole_and_in_the_middle() -> None:
    assert fitted((320, 480), (640, 960)) == (640, 960)
    assert fitted((480, 320), (320, 480)) == (320, 213)
    assert fitted((639, 960), (320, 480)) == (320, 480)  # rounding is no other shape
    assert fitted((8000, 2), (1440, 120)) == (1440, 1)
    white = av.VideoFrame.from_ndarray(np.full((20, 40, 3), 255, np.uint8), format="rgb24")
    image = as_rgb(white, (40, 80), Fraction(1))
    assert image.shape == (80, 40, 3)
    assert (image.mean(axis=(1, 2)) > 127).nonzero()[0].tolist() == list(range(30, 50))


@pytest.mark.parametrize("size", [(1600, 2), (2, 1600), (16, 400), (2, 2)])
def test_the_strip_copes_with_threads_of_frames(size: tuple[int, int], tmp_path: Path) -> None:
    recipe = Recipe("png", "rgb24", width=size[0], height=size[1], pts=range(60))
    strip = film_strip(open_clip(make_clip(tmp_path / "a.mov", recipe)))
    assert strip.shape[0] == 120
    assert strip.shape[1] <= 1440
    assert strip.max() > 100


def test_the_shapes_of_the_known_faults(shared: Path) -> None:
    faults = shared / "data" / "faults"
    for name in ("c01_sar_pasp_only.mp4", "c01_sar.webm", "c03_rot90_sar.mp4"):
        clip = open_clip(faults / name)
        assert (clip.width, clip.height) == (320, 480), name
    assert open_clip(faults / "c03_rot90_sar.mp4").pixel_ratio == Fraction(11, 16)
    changing = open_clip(faults / "c16_size_change_vp8.webm")
    assert any("change their size" in note for note in changing.notes)
    assert film_strip(open_clip(faults / "hostile" / "flat.mp4")).shape == (120, 1440, 3)
