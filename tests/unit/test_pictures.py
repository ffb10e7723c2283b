"""Pictures of every kind come out upright, in true colours, or with a word on what is wrong."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from estimators.errors import InputError
from estimators.media import limits
from estimators.media.pictures import read_picture

ROOT = Path(__file__).parents[2]

RED, WHITE = (255, 0, 0), (255, 255, 255)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(data: bytes) -> np.ndarray:
    image = read_picture(data, "it").image
    assert image.dtype == np.uint8
    return image


def quarters() -> Image.Image:
    """Red, green / blue, yellow quarters, 32×16."""
    array = np.zeros((16, 32, 3), np.uint8)
    array[:8, :16], array[:8, 16:] = RED, (0, 255, 0)
    array[8:, :16], array[8:, 16:] = (0, 0, 255), (255, 255, 0)
    return Image.fromarray(array)


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("GIF", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 100}, 12),
        ("JPEG", {"quality": 100, "subsampling": 0}, 4),
    ],
)
def test_formats_give_rgb_in_order(kind: str, options: dict[str, object], tolerance: int) -> None:
    result = pixels(encoded(quarters(), kind, **options))
    assert result.shape == (16, 32, 3)
    expected = np.asarray(quarters()).astype(int)
    # Away from the borders between the quarters, where lossy kinds ring.
    inner = np.s_[2:6, 2:14], np.s_[2:6, 18:30], np.s_[10:14, 2:14], np.s_[10:14, 18:30]
    for part in inner:
        assert np.abs(result[part].astype(int) - expected[part]).max() <= tolerance


# Where the stored pixel (column 1, row 2) of a 5×4 picture must be seen, by EXIF orientation
# (CIPA DC-008, tag 0x0112: which side of the scene the 0th row and column are).
UPRIGHT = {
    1: (1, 2, 5, 4),
    2: (3, 2, 5, 4),
    3: (3, 1, 5, 4),
    4: (1, 1, 5, 4),
    5: (2, 1, 4, 5),
    6: (1, 1, 4, 5),
    7: (1, 3, 4, 5),
    8: (2, 3, 4, 5),
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_by_a_bright_pixel(orientation: int, kind: str) -> None:
    side = 16  # a "pixel" of 16×16 survives JPEG
    stored = np.zeros((4, 5), np.uint8)
    stored[2, 1] = 255
    picture = Image.fromarray(np.kron(stored, np.ones((side, side), np.uint8))).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    result = pixels(encoded(picture, kind, exif=exif, **options))
    column, row, width, height = UPRIGHT[orientation]
    assert result.shape == (height * side, width * side, 3)
    cells = result[side // 2 :: side, side // 2 :: side, 0]
    assert np.argwhere(cells > 128).tolist() == [[row, column]]


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's words on the EXIF
def test_damaged_exif_does_not_spoil_the_picture() -> None:
    data = encoded(quarters(), "PNG", exif=b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff")
    assert pixels(data).shape == (16, 32, 3)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    values = np.array([[0, 257, 25700, 32896, 65535]], np.uint16)
    result = pixels(encoded(Image.fromarray(values), kind))
    assert result[0].tolist() == [[v] * 3 for v in (0, 1, 100, 128, 255)]


def test_16_bit_rgb_png() -> None:
    row = b"\x00" + struct.pack(">6H", 65535, 0, 0x8000, 0, 65535, 0x1000)
    assert pixels(_png(2, 1, 16, 2, row))[0].tolist() == [[255, 0, 128], [0, 255, 16]]


def test_16_bit_grey_alpha_png() -> None:
    row = b"\x00" + struct.pack(">4H", 0, 65535, 0, 0)  # opaque black, clear black
    assert pixels(_png(2, 1, 16, 4, row))[0].tolist() == [[0, 0, 0], [255, 255, 255]]


def _png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG written by hand: Pillow writes no 16-bit colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_grey_and_one_bit() -> None:
    grey = Image.fromarray(np.array([[0, 77, 255]], np.uint8))
    assert pixels(encoded(grey, "PNG"))[0].tolist() == [[0] * 3, [77] * 3, [255] * 3]
    bits = Image.fromarray(np.array([[False, True]]))
    assert pixels(encoded(bits, "PNG"))[0].tolist() == [[0] * 3, [255] * 3]


def test_transparency_lies_over_white() -> None:
    rgba = Image.new("RGBA", (3, 1), (255, 0, 0, 255))
    rgba.putpixel((1, 0), (255, 0, 0, 0))
    rgba.putpixel((2, 0), (0, 0, 0, 51))  # a fifth of black
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})):
        assert pixels(encoded(rgba, kind, **options))[0].tolist() == [
            list(RED),
            list(WHITE),
            [204] * 3,
        ]
    grey = Image.new("LA", (2, 1), (0, 255))
    grey.putpixel((1, 0), (0, 0))
    assert pixels(encoded(grey, "PNG"))[0].tolist() == [[0] * 3, [255] * 3]


def test_palette_with_and_without_transparency() -> None:
    palette = Image.new("P", (2, 1), 0)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    assert pixels(encoded(palette, "PNG"))[0].tolist() == [list(RED), [0, 0, 255]]
    for kind in ("PNG", "GIF"):
        clear = pixels(encoded(palette, kind, transparency=1))
        assert clear[0].tolist() == [list(RED), list(WHITE)]


def test_rgb_with_a_transparent_colour() -> None:
    assert pixels(encoded(quarters(), "PNG", transparency=RED))[0, 0].tolist() == list(WHITE)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert (pixels(data) == RED).all()


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_without_profile(kind: str) -> None:
    """Cyan, magenta, yellow, black and no ink; the JPEG carries Adobe's inverted form."""
    inks = [(255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (0, 0, 0, 0)]
    picture = Image.fromarray(
        np.repeat(np.repeat(np.array([inks], np.uint8), 16, 0), 16, 1), mode="CMYK"
    )
    options = {"quality": 100} if kind == "JPEG" else {}
    result = pixels(encoded(picture, kind, **options))[8, 8::16].astype(int)
    expected = [(0, 255, 255), (255, 0, 255), (255, 255, 0), (0, 0, 0), (255, 255, 255)]
    assert np.abs(result - expected).max() <= 6


def wide_gamut_profile() -> bytes:
    """An RGB profile whose red and green are swapped in the sRGB sense: easy to tell if applied."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # The tag table names each colourant: exchange the names of red's and green's.
    data = data.replace(b"rXYZ", b"tmpZ").replace(b"gXYZ", b"rXYZ").replace(b"tmpZ", b"gXYZ")
    return bytes(data.replace(b"sRGB", b"test").replace(b"s\0R\0G\0B", b"t\0e\0s\0t"))


def test_colour_profile_is_converted_to_srgb() -> None:
    picture = Image.new("RGB", (4, 4), RED)
    swapped = pixels(encoded(picture, "PNG", icc_profile=wide_gamut_profile()))[0, 0].astype(int)
    assert np.abs(swapped - (0, 255, 0)).max() <= 3


def test_srgb_profile_changes_nothing() -> None:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(quarters(), "PNG", icc_profile=own)
    assert (pixels(data) == np.asarray(quarters())).all()


def test_unusable_profile_is_passed_over() -> None:
    for profile in (b"nonsense", b"\0" * 200):
        data = encoded(quarters(), "PNG", icc_profile=profile)
        assert (pixels(data) == np.asarray(quarters())).all()


@pytest.mark.parametrize("profile", [5, "words", b"bytes"])
def test_a_tiff_whose_profile_is_of_another_type_is_read(profile: int | str | bytes) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[34675] = {int: 3, str: 2, bytes: 7}[type(profile)]
    tags[34675] = profile
    data = encoded(quarters(), "TIFF", tiffinfo=tags)
    assert (pixels(data) == np.asarray(quarters())).all()


def test_cmyk_picture_with_a_profile_that_is_not_cmyk() -> None:
    picture = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    result = pixels(encoded(picture, "JPEG", quality=100, icc_profile=wide_gamut_profile()))
    assert np.abs(result.astype(int) - RED).max() <= 6


def refused(source: bytes | Path, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_picture(source, "holiday")
    for word in words:
        assert word in str(caught.value)
    assert caught.value.advice


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's words on the TIFF
def test_what_is_not_a_picture() -> None:
    refused(b"", "holiday", "empty")
    refused(b"%PDF-1.7 and so on", "holiday", "JPEG, PNG")
    refused(b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "holiday", "a clip")
    refused(b"II*\0" + b"words", "holiday", "TIFF", "8 or 16 bits")


@pytest.mark.parametrize(
    ("major", "others", "kind"),
    [
        (b"heic", (b"mif1", b"heic"), "HEIC"),
        (b"heix", (b"mif1", b"heix"), "HEIC"),  # 10 bits, Canon's HIF
        (b"mif1", (b"mif1", b"heic"), "HEIC"),
        (b"msf1", (b"hevc",), "HEIC"),
        (b"avif", (b"mif1", b"miaf", b"MA1B"), "AVIF"),
        (b"avis", (b"avif", b"msf1"), "AVIF"),
        (b"mif1", (b"avif", b"miaf"), "AVIF"),
    ],
)
def test_heic_and_avif_are_told_apart(major: bytes, others: tuple[bytes, ...], kind: str) -> None:
    box = b"ftyp" + major + b"\0" * 4 + b"".join(others)
    data = struct.pack(">I", 4 + len(box)) + box + b"\0\0\0\x08meta"
    refused(data, f"holiday is a{'n' * (kind == 'AVIF')} {kind} picture", "JPEG")


def test_a_saved_avif_is_told() -> None:
    refused(encoded(quarters(), "AVIF"), "AVIF")


def test_32_bit_pictures_are_refused_in_words() -> None:
    for array in (np.ones((2, 2), np.float32), np.ones((2, 2), np.int32)):
        refused(encoded(Image.fromarray(array), "TIFF"), "32-bit", "8 or 16 bits")


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's words on each odd TIFF tag
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_truncated_and_damaged_files(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    refused(data[: len(data) // 2], "holiday")
    dice = random.Random(2)
    for _ in range(200):  # damaged anywhere: read or refused, never anything else
        spoiled = bytearray(data)
        for _ in range(8):
            spoiled[dice.randrange(min(400, len(data)))] = dice.randrange(256)
        with contextlib.suppress(InputError):
            read_picture(bytes(spoiled), "holiday")


def test_too_many_pixels_are_refused_before_decoding() -> None:
    width = 20_000
    assert width * width > limits.allowed().picture_pixels
    refused(_png(width, width, 8, 2, b""), "too large", "over 179 megapixels", "limit 64")
    refused(_png(width, 4_000, 8, 2, b""), "too large", "20000×4000")  # under Pillow's, over ours


def test_too_large_a_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "MAX_PICTURE_BYTES", 1000)
    refused(b"x" * 1001, "too large")
    (tmp_path / "f.png").write_bytes(b"x" * 1001)
    refused(tmp_path / "f.png", "too large")


def test_a_file_is_named_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "beach.png"
    file.write_bytes(encoded(quarters(), "PNG"))
    assert (read_picture(file).image == np.asarray(quarters())).all()
    with pytest.raises(InputError, match=r"absent\.png"):
        read_picture(tmp_path / "absent.png")
    with pytest.raises(InputError, match="is a folder"):
        read_picture(tmp_path)
    file.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"beach\.png"):
        read_picture(file)
