"""Good pixels come out whatever is wrong around them: metadata, and a JPEG's end marker."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from estimators.errors import InputError
from estimators.media.picture_repair import without_metadata
from estimators.media.pictures import NO_END, NO_METADATA, open_picture, read_picture

KINDS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "TIFF, compressed")
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="1"/></x:xmpmeta>'
# The tags of a TIFF that describe it: texts, date, resolution, XMP, IPTC, profile, EXIF, GPS.
DESCRIBING = {270, 271, 282, 283, 305, 306, 315, 700, 33723, 34665, 34675, 34853}
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8))

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's words on odd metadata


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@cache
def described(kind: str) -> bytes:
    """A picture with every sort of metadata that its kind of file can hold."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112], exif[271], exif[306] = 1, "Maker", "2020:01:01 00:00:00"
    exif[0x8769] = {0x9003: "2020:01:01 00:00:00", 33434: (1, 200)}
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Title", "words " * 5)
        texts.add_text("Comment", "words " * 50, zip=True)
        texts.add_itxt("Author", "né " * 20, "fr", "Auteur", zip=True)
        return saved(NOISE, kind, exif=exif, icc_profile=profile, pnginfo=texts)
    if kind.startswith("TIFF"):
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[270], tags[305], tags[315] = "words " * 5, "program " * 4, "somebody " * 5
        tags[700], tags.tagtype[700] = XMP, 1
        tags[33723], tags.tagtype[33723] = b"iptc" * 5, 7
        tags[282] = tags[283] = 72.0
        compression = "tiff_lzw" if "compressed" in kind else "raw"
        return saved(NOISE, "TIFF", tiffinfo=tags, icc_profile=profile, compression=compression)
    options = {
        "JPEG": {"comment": b"words " * 4, "xmp": XMP},
        "MPO": {"save_all": True, "append_images": [NOISE]},
        "WEBP": {"lossless": True, "xmp": XMP},
    }
    return saved(NOISE, kind, exif=exif, icc_profile=profile, **options[kind])


def metadata_of(kind: str, data: bytes) -> Iterator[tuple[int, int]]:
    """Where metadata lies: from the first byte behind a length to the last."""
    if kind in ("JPEG", "MPO"):
        at = 2
        while data[at + 1] != 0xDA:
            end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            if data[at + 1] >= 0xE0:
                yield at + 4, end
            at = end
    elif kind == "PNG":
        at = 8
        while at < len(data):
            end = at + 12 + int.from_bytes(data[at : at + 4], "big")
            if data[at + 4] & 0x20:
                yield at + 8, end
            at = end
    elif kind == "WEBP":
        at = 12
        while at < len(data):
            size = int.from_bytes(data[at + 4 : at + 8], "little")
            if data[at : at + 4] in (b"EXIF", b"ICCP", b"XMP "):
                yield at + 8, at + 8 + size
            at += 8 + size + size % 2
    else:
        (first,) = struct.unpack_from("<I", data, 4)
        (count,) = struct.unpack_from("<H", data, first)
        for at in range(first + 2, first + 2 + 12 * count, 12):
            tag, of, n, value = struct.unpack_from("<HHII", data, at)
            if tag in DESCRIBING:
                yield at + 2, at + 12
                size = n * {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}[of]
                if size > 4:
                    yield value, value + size


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_alone_never_fails_a_picture(kind: str) -> None:
    data, dice = described(kind), random.Random(5)
    places = list(metadata_of(kind, data))
    assert len(places) >= 3
    for number in range(80):
        spoiled = bytearray(data)
        first, end = dice.choice(places)
        for _ in range(dice.choice((1, 2, 8, 40))):
            spoiled[dice.randrange(first, end)] = dice.choice((dice.randrange(256), 0, 255))
        # Which of the eight ways it is turned may be among what was changed.
        shape = read_picture(bytes(spoiled), f"{kind} {number}").image.shape
        assert sorted(shape[:2]) == [16, 24]


@pytest.mark.parametrize("kind", ["TIFF", "TIFF, compressed"])
@pytest.mark.parametrize("of", [0, 1, 2, 5, 12, 99])
def test_an_entry_of_a_tiff_may_lie_about_its_length(kind: str, of: int) -> None:
    """Of whatever type it says to be: Pillow would give up all entries behind it."""
    data = described(kind)
    entries = [first for first, end in metadata_of(kind, data) if end - first == 10]
    assert len(entries) >= 5
    for first in entries:
        for count, at in ((2**31 - 1, 8), (2**32 - 1, 2**32 - 1), (300, len(data) - 2)):
            spoiled = bytearray(data)
            struct.pack_into("<HII", spoiled, first, of, count, at)
            assert (read_picture(bytes(spoiled)).image == np.asarray(NOISE)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_the_metadata_may_be_noise(kind: str) -> None:
    data, dice = described(kind), random.Random(6)
    for _ in range(20):
        spoiled = bytearray(data)
        for first, end in metadata_of(kind, data):
            if kind.startswith("TIFF") and end - first == 10:
                continue  # one such entry points to the other's bytes
            spoiled[first:end] = dice.randbytes(end - first)
        image = read_picture(bytes(spoiled), kind).image.astype(int)
        assert sorted(image.shape[:2]) == [16, 24]
        if image.shape[0] == 16 and "JP" not in kind and kind != "MPO":
            assert (np.sort(image.ravel()) == np.sort(np.asarray(NOISE).ravel())).all()


def test_what_describes_a_picture_survives_what_is_broken_beside_it() -> None:
    """A text's checksum is wrong; the picture is still turned, in its colours, and it is said."""
    exif = Image.Exif()
    exif[0x0112] = 6
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "words")
    data = saved(NOISE, "PNG", exif=exif, pnginfo=texts)
    broken = open_picture(data.replace(b"words", b"Words"), "it")
    assert (broken.frame.image == np.rot90(np.asarray(NOISE), -1)).all()
    assert broken.orientation == 6
    assert broken.notes == (NO_METADATA,)
    whole = open_picture(data, "it")
    assert (whole.frame.image == broken.frame.image).all()
    assert whole.notes == ()


def test_transparency_is_no_metadata() -> None:
    red = saved(Image.new("RGB", (2, 2), (255, 0, 0)), "PNG", transparency=(255, 0, 0))
    chunk = b"tEXta\0b"
    text = struct.pack(">I", 3) + chunk + struct.pack(">I", zlib.crc32(chunk) ^ 1)
    assert (read_picture(red[:33] + text + red[33:]).image == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_orientation_is_told(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert open_picture(saved(NOISE, kind, exif=exif), "it").orientation == orientation


def test_a_profile_whose_name_is_no_text(shared: Path) -> None:
    hostile = shared / "data" / "faults" / "hostile" / "icc_description.jpg"
    assert read_picture(hostile).image.shape == (24, 24, 3)


def photo(mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[:240, :160]
    waves = [128 + 60 * np.sin(x / (5 + c)) + 60 * np.cos(y / (9 - c)) for c in range(3)]
    return Image.fromarray(np.stack(waves, -1).astype(np.uint8)).convert(mode)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {}),
        ("RGB", {"progressive": True}),
        ("RGB", {"restart_marker_rows": 1}),
        ("L", {}),
        ("CMYK", {}),
    ],
)
def test_a_jpeg_that_lacks_only_its_end_marker(mode: str, options: dict[str, object]) -> None:
    data = saved(photo(mode), "JPEG", **options)
    whole = open_picture(data, "it")
    assert whole.notes == ()
    for cut in (1, 2):
        shorter = open_picture(data[:-cut], "it")
        assert (shorter.frame.image == whole.frame.image).all()
        assert shorter.notes == (NO_END,)
    for cut in (8, 40, len(data) // 3):
        with pytest.raises(InputError, match="damaged or incomplete"):
            read_picture(data[:-cut], "it")


def test_how_a_jpegs_colours_are_stored_is_no_metadata() -> None:
    data = saved(photo("CMYK"), "JPEG", comment=b"about it")
    (bare, *_) = without_metadata(data)
    assert b"about it" not in bare
    assert (read_picture(bare).image == read_picture(data).image).all()


def test_a_found_jpeg_without_end(shared: Path) -> None:
    picture = open_picture(shared / "data" / "faults" / "p11_no_eoi.jpg")
    assert picture.frame.image.shape == (480, 320, 3)
    assert picture.notes == (NO_END,)
