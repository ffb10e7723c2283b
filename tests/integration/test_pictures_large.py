"""Large pictures: little memory, bounded time, and coordinates of the picture as it is."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from estimators.errors import InputError
from estimators.media import limits
from estimators.media.decode_cost import scans_of
from estimators.media.picture_size import kept_size, resized
from estimators.media.pictures import read_picture, read_whole
from estimators.types import Frame
from tests.in_process import InProcessRunner
from tests.unit import fake_adapters as fake

ROOT = Path(__file__).parents[2]
SIZE = (4701, 3403)  # odd, so that decoders round
MARK = (4100, 2600)  # the corner of a square of 64 pixels


def marked(mode: str = "RGB") -> Image.Image:
    picture = Image.new(mode, SIZE)
    picture.paste((255,) * len(mode), (*MARK, MARK[0] + 64, MARK[1] + 64))
    if mode == "RGBA":
        picture.putalpha(Image.new("L", SIZE, 255))
    return picture


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def centre(image: np.ndarray) -> np.ndarray:
    """Of the mark, in continuous pixels of `image`."""
    bright = image[..., 0].astype(float)
    rows, columns = bright.sum(axis=1), bright.sum(axis=0)
    ys, xs = (np.arange(n) + 0.5 for n in bright.shape)
    return np.array([(columns * xs).sum(), (rows * ys).sum()]) / bright.sum()


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_KEPT_SIDE", 1000)


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "L", {}),
        ("PNG", "RGBA", {"compress_level": 1}),
        ("BMP", "RGB", {}),
    ],
)
@pytest.mark.usefixtures("small_limits")
def test_what_is_found_in_the_smaller_copy_is_told_in_the_pictures_own_pixels(
    kind: str, mode: str, options: dict[str, object]
) -> None:
    frame = read_picture(encoded(marked(mode), kind, **options))
    assert (frame.width, frame.height) == kept_size(SIZE) == (1000, 723)
    assert frame.full_size == SIZE
    scale = np.array(frame.full_size) / (frame.width, frame.height)
    assert centre(frame.image) * scale == pytest.approx(np.array(MARK) + 32, abs=0.5)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.usefixtures("small_limits")
def test_a_turned_one_comes_upright_small_and_whole(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(marked("L"), "JPEG", exif=exif)
    frame, whole = read_picture(data), read_whole(data)
    assert whole.shape[1::-1] == frame.full_size == (SIZE if orientation < 5 else SIZE[::-1])
    scale = np.array(frame.full_size) / (frame.width, frame.height)
    assert centre(frame.image) * scale == pytest.approx(centre(whole), abs=0.5)


def test_poses_are_told_in_pixels_of_the_whole_picture() -> None:
    small = fake.picture(30, 20)
    runner = InProcessRunner(models={"a": fake.spec("a")})
    poses = runner.estimate("a", Frame(small.image, full_size=(720, 320))).estimate.poses
    runner.close()
    assert poses.xy[0, 0] == pytest.approx([305, 102.5])  # the centre of its pixel
    assert poses.scaled(2, 3).box_xyxy == pytest.approx(np.array([[20, 0, 0, 0]]))


def test_no_smaller_picture_changes() -> None:
    assert kept_size((4032, 3024)) == (4032, 3024) == kept_size((8064, 6048))
    assert kept_size((4097, 2000))[0] == 4096
    width, height = kept_size((8000, 8000))
    assert width == height
    assert width * height <= limits.MAX_KEPT_PIXELS


def scanned(scans: int, size: tuple[int, int]) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encoded(Image.new("RGB", size), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (scans - scans_of(data).scans + 1) + data[-2:]


def test_scans_are_counted_and_too_many_are_refused_before_any_is_decoded() -> None:
    honest = encoded(Image.new("RGB", (64, 64)), "JPEG", progressive=True)
    assert scans_of(honest).scans == honest.count(b"\xff\xda") > 5
    assert scans_of(encoded(Image.new("RGB", (64, 64)), "JPEG")).scans == 1
    assert scans_of(b"\xff\xd8\xff\xda").scans == 1
    assert read_picture(scanned(400, (64, 64))).width == 64  # small: quick all the same
    bomb = scanned(400, (3000, 2000))
    assert scans_of(bomb) == (400, 1.5, True)
    with pytest.raises(InputError, match="3000×2000 pixels in 400 scans"):
        read_picture(bomb)


@pytest.mark.parametrize(
    ("kind", "options", "taken"),
    [
        ("JPEG", {}, True),
        ("JPEG", {"progressive": True, "subsampling": 0}, False),
        ("PNG", {}, True),
        ("PNG", {"save_all": True, "append_images": [Image.new("RGB", (1000, 1000), 9)]}, False),
        ("WEBP", {}, False),
    ],
)
def test_each_kind_has_its_own_bound(
    kind: str, options: dict[str, object], taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At one size, bytes of memory a pixel decide; see `decode_cost`."""
    monkeypatch.setattr(limits, "MAX_KEPT_PIXELS", 1_000_000)
    data = encoded(Image.new("RGB", (1000, 1000)), kind, **options)
    monkeypatch.setattr(limits, "MAX_DECODE_BYTES", 8_000_000)
    if taken:
        assert read_picture(data).width == 1000
    else:
        with pytest.raises(InputError, match="at most 0 megapixels"):
            read_picture(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_whole_picture_is_had_within_the_bound(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A JPEG that does not fit is decoded smaller and enlarged again."""
    monkeypatch.setattr(limits, "MAX_DECODE_BYTES", 6 * SIZE[0] * SIZE[1])
    data = encoded(marked(), kind, **({"quality": 95} if kind == "JPEG" else {}))
    if kind == "PNG":
        with pytest.raises(InputError, match="too large"):
            read_whole(data)
        return
    whole = read_whole(data)
    assert whole.shape == (SIZE[1], SIZE[0], 3)
    assert centre(whole) == pytest.approx(np.array(MARK) + 32, abs=0.5)


@pytest.mark.parametrize("size", [(100, 333), (300, 999), (250, 700)])
def test_rows_made_some_at_a_time_show_no_seams(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (1000, 300, 3), np.uint8)
    picture = Image.fromarray(noise)
    made = resized(picture, picture.size, size, 1, lambda part: part)
    at_once = np.asarray(picture.resize(size, Image.Resampling.HAMMING))
    assert np.abs(made.astype(int) - at_once).max() <= 1


PEAK = """
import re, sys
from estimators.media.pictures import read_picture
from pathlib import Path
def peak(): return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) * 1024
read_picture(Path(sys.argv[1]))
before = peak()
read_picture(Path(sys.argv[2]))
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_transparency_takes_no_copies_of_the_whole(tmp_path: Path) -> None:
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    Image.new("RGBA", (64, 64), (9, 9, 9, 99)).save(small)
    Image.new("RGBA", (5000, 4000), (9, 9, 9, 99)).save(large, compress_level=1)
    command = [sys.executable, "-c", PEAK, str(small), str(large)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert 4 * 5000 * 4000 < int(said) < 8 * 5000 * 4000


def test_a_large_picture_is_refused_in_one_message() -> None:
    """Pillow warns on stderr before our limit is looked at."""
    code = (
        "import io; from PIL import Image; from estimators.media.pictures import read_picture\n"
        "data = io.BytesIO(); Image.new('L', (11_000, 10_000)).save(data, 'PNG')\n"
        "try: read_picture(data.getvalue(), 'wide.png')\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "wide.png is too large: 11000×10000 pixels" in done.stdout
    assert done.stderr == ""
