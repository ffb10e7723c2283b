"""Pixels of rare kinds keep their sign: white is white, in whatever way a file stores it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from estimators.errors import InputError
from estimators.media.pictures import read_picture

SHORT, LONG = 3, 4
WHITE_IS_ZERO, BLACK_IS_ZERO, CIE_LAB = 0, 1, 8
GREYS = np.array([0, 0x2000, 0x8000, 0xFFFF], np.uint16)
SEEN = [0, 32, 128, 255]


def tiff(order: str, photometric: int, bits: Sequence[int], rows: bytes, **more: int) -> bytes:
    """A TIFF of 4×1 pixels in one strip, written by hand: Pillow writes few of these kinds."""
    o = {"II": "<", "MM": ">"}[order]
    compression = more.get("compression", 1)
    strip = zlib.compress(rows) if compression == 8 else rows
    strip += b"\0" * (len(strip) % 2)
    tags = {
        256: (LONG, 4),
        257: (LONG, 1),
        258: (SHORT, *bits),
        259: (SHORT, compression),
        262: (SHORT, photometric),
        266: (SHORT, more.get("fill_order", 1)),
        273: (LONG, 8),
        277: (SHORT, len(bits)),
        278: (LONG, 1),
        279: (LONG, len(strip)),
        338: (SHORT, *([more["extra"]] if "extra" in more else [])),
        339: (SHORT, *[more.get("sample_format", 1)] * len(bits)),
    }
    tags = {tag: entry for tag, entry in tags.items() if len(entry) > 1}
    first = 8 + len(strip)
    table, beyond = struct.pack(o + "H", len(tags)), b""
    for tag, (kind, *values) in tags.items():
        packed = struct.pack(o + {SHORT: "H", LONG: "I"}[kind] * len(values), *values)
        if len(packed) > 4:
            at = first + 2 + 12 * len(tags) + 4 + len(beyond)
            packed, beyond = struct.pack(o + "I", at), beyond + packed
        table += struct.pack(o + "HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return order.encode() + struct.pack(o + "HI", 42, first) + strip + table + b"\0" * 4 + beyond


def row(data: bytes) -> list[int]:
    """The greys of the only row."""
    image = read_picture(data, "it").image
    assert (image == image[..., :1]).all()
    return image[0, :, 0].tolist()


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("order", ["II", "MM"])
@pytest.mark.parametrize("photometric", [WHITE_IS_ZERO, BLACK_IS_ZERO])
def test_16_bit_grey_of_either_sign(order: str, photometric: int, compression: int) -> None:
    stored = GREYS if photometric == BLACK_IS_ZERO else 65535 - GREYS
    rows = stored.astype({"II": "<u2", "MM": ">u2"}[order]).tobytes()
    assert row(tiff(order, photometric, [16], rows, compression=compression)) == pytest.approx(
        SEEN, abs=1
    )


@pytest.mark.parametrize("order", ["II", "MM"])
@pytest.mark.parametrize(
    ("bits", "rows", "expected"),
    [
        (8, [0, 32, 128, 255], SEEN),
        (4, [0x02, 0x8F], [0, 34, 136, 255]),
        (2, [0b00011011], [0, 85, 170, 255]),
        (1, [0b01010000], [0, 255, 0, 255]),
    ],
)
def test_fewer_bits_of_either_sign(
    order: str, bits: int, rows: list[int], expected: list[int]
) -> None:
    assert row(tiff(order, BLACK_IS_ZERO, [bits], bytes(rows))) == expected
    negative = bytes(255 - byte for byte in rows)
    assert row(tiff(order, WHITE_IS_ZERO, [bits], negative)) == expected


def test_12_bits_reach_white() -> None:
    rows = bytes([0x00, 0x02, 0x00, 0x80, 0x0F, 0xFF])  # 0, 0x200, 0x800, 0xFFF
    assert row(tiff("II", BLACK_IS_ZERO, [12], rows)) == SEEN
    assert row(tiff("II", WHITE_IS_ZERO, [12], rows)) == [255 - grey for grey in SEEN]


def test_16_bits_with_the_last_bit_first() -> None:
    rows = bytes(int(f"{byte:08b}"[::-1], 2) for byte in (65535 - GREYS).astype("<u2").tobytes())
    assert row(tiff("II", WHITE_IS_ZERO, [16], rows, fill_order=2)) == pytest.approx(SEEN, abs=1)


def test_grey_whose_alpha_is_multiplied_in() -> None:
    half_black, clear = (0, 128), (0, 0)
    rows = bytes([255, 255, 0, 255, *half_black, *clear])
    result = row(tiff("II", BLACK_IS_ZERO, [8, 8], rows, extra=1))
    assert result == [255, 0, 127, 255]


def test_lab_is_converted_by_its_lightness() -> None:
    rows = bytes([0, 0, 0, 137, 0, 0, 255, 0, 0, 255, 0, 0])  # L* 0, 53.6 (half of sRGB), 100
    image = read_picture(tiff("II", CIE_LAB, [8, 8, 8], rows), "it").image[0].astype(int)
    expected = [[0] * 3, [128] * 3, [255] * 3, [255] * 3]
    assert np.abs(image - expected).max() <= 3


@pytest.mark.parametrize("sample_format", [1, 2, 3])
def test_numbers_without_a_white_are_refused_in_words(sample_format: int) -> None:
    for order in ("II", "MM"):
        for photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO):
            data = tiff(order, photometric, [32], b"\0" * 16, sample_format=sample_format)
            with pytest.raises(InputError, match="8 or 16 bits") as caught:
                read_picture(data, "depth.tif")
            assert "depth.tif" in caught.value.message


def test_a_transparent_value_of_16_bit_grey() -> None:
    buffer = io.BytesIO()
    Image.fromarray(GREYS[None]).save(buffer, "PNG")
    header, rest = buffer.getvalue()[:33], buffer.getvalue()[33:]
    chunk = b"tRNS" + struct.pack(">H", 0x2000)
    clear = header + struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk)) + rest
    assert row(clear) == [0, 255, 128, 255]


def test_ycck_as_photoshop_writes_it() -> None:
    """Adobe's marker with transform 2: inks are stored inverted, then as luma and chroma."""
    stored = {"Y": 55, "Cb": 128, "Cr": 128, "K": 100}
    # Pillow inverts what it stores.
    parts = [Image.new("L", (16, 16), 255 - value) for value in stored.values()]
    buffer = io.BytesIO()
    Image.merge("CMYK", parts).save(buffer, "JPEG", quality=100)
    data = bytearray(buffer.getvalue())
    data[data.index(b"Adobe") + 11] = 2
    # libjpeg: C = M = Y = 255 - luma, still inverted; so the paper keeps 200/255 of its white under
    # the colours and 100/255 under black.
    seen = read_picture(bytes(data)).image.astype(int)
    assert np.abs(seen - 255 * (200 / 255) * (100 / 255)).max() <= 3


def test_a_scan_stored_as_a_negative(shared: Path) -> None:
    """A grey copy of a picture that lies beside it in colours."""
    faults = shared / "data" / "faults"
    negative = read_picture(faults / "p04_grey16_whiteiszero_le.tif").image.astype(int)
    plain = Image.fromarray(read_picture(faults / "annotations" / "plain.jpg").image).convert("L")
    assert np.abs(negative[..., 0] - np.asarray(plain)).mean() < 3
