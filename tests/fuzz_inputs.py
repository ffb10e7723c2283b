"""Small honest files of every kind that is read, and seeded ways to damage them."""

from __future__ import annotations

import copy
import functools
import io
import json
import random
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests import annotated_factory
from tests.clip_factory import Recipe, make_clip

_SIZE = (40, 30)
# Lengths and counts are what decoders trust.
_ODD = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**63, -(2**70), 1e308, float("nan"), float("inf"), 0.5, "", "x" * 300),
    *("../../etc/passwd", "\0", "\ud800", [], {}, [[]], {"id": {}}, [None], "1", "1e5", -0.0),
)
_ODD_WORDS = ("nan", "inf", "-1", "1e400", "", "\0", "é", "17", "0x10", "9" * 400, "- -", "{}", ":")


def _picture(kind: str, **options: Any) -> bytes:
    rng = np.random.default_rng(5)
    mode = "P" if kind == "GIF" else "RGB"
    picture = Image.fromarray(rng.integers(0, 255, (*_SIZE[::-1], 3), np.uint8)).convert(mode)
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "words"
    return exif


def _pages(kind: str) -> bytes:
    first, second = (Image.new("RGB", _SIZE, colour) for colour in ("red", "blue"))
    content = io.BytesIO()
    first.save(content, kind, save_all=True, append_images=[second], duration=40)
    return content.getvalue()


def _clip(name: str, codec: str, **more: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe(codec, pts=tuple(range(8)), **{"width": 48, "height": 32, **more})
        return make_clip(Path(folder) / name, recipe).read_bytes()


def _zip(method: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        root = annotated_factory.pictures(Path(folder))
        annotated_factory.write_json(annotated_factory.coco(), root / "annotations.json")
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", method) as archive:
            for file in sorted(root.rglob("*.*")):
                if file.is_file():
                    archive.write(file, file.relative_to(root).as_posix())
        return content.getvalue()


def _text(make: Callable[[Path], Path]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return make(Path(folder)).read_bytes()


def _labels(folder: Path) -> Path:
    annotated_factory.yolo(folder)
    return next(iter(sorted((folder / "labels").rglob("*.txt"))))


@functools.cache
def honest() -> dict[str, tuple[bytes, ...]]:
    """By kind of file; several where a kind is stored in several ways."""
    return {
        "jpeg": (
            _picture("JPEG", exif=_exif()),
            _picture("JPEG", progressive=True),
            _picture("JPEG", icc_profile=b"\0" * 200),
        ),
        "png": (_picture("PNG"), _pages("PNG")),
        "webp": (_picture("WEBP"), _picture("WEBP", lossless=True), _pages("WEBP")),
        "gif": (_picture("GIF"), _pages("GIF")),
        "tiff": (
            *(_picture("TIFF"), _picture("TIFF", compression="tiff_lzw"), _pages("TIFF")),
            _picture("TIFF", compression="jpeg"),
        ),
        "bmp": (_picture("BMP"),),
        "mp4": (
            _clip("a.mp4", "libx264"),
            _clip("b.mp4", "libx264", audio="aac", rotation=90),
            _clip("c.mp4", "mpeg4"),
            _clip("d.mp4", "libx265", width=128, height=96),
        ),
        "webm": (_clip("a.webm", "libvpx", time_base=Fraction(1, 1000)),),
        "avi": (_clip("a.avi", "mpeg4"), _clip("b.avi", "mjpeg", pixel_format="yuvj420p")),
        "mkv": (_clip("a.mkv", "libx264"), _clip("b.mkv", "libvpx-vp9")),
        "zip": tuple(map(_zip, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))),
        "coco": (json.dumps(annotated_factory.coco()).encode(),),
        "mpii": (_text(lambda folder: annotated_factory.mpii_json(folder / "mpii.json")),),
        "yolo": (_text(_labels),),
        "yaml": (_text(annotated_factory.yolo),),
    }


def damaged(kind: str, random_: random.Random) -> bytes:
    """One of the honest files of `kind`, changed in one to four places."""
    sources = honest()[kind]
    data = random_.choice(sources)
    if kind in ("coco", "mpii") and random_.random() < 0.7:
        return _damaged_json(data, random_)
    if kind in ("yolo", "yaml") and random_.random() < 0.7:
        return _damaged_words(data, random_)
    for _ in range(random_.choice((1, 1, 1, 2, 2, 4))):
        data = random_.choice(_CHANGES)(data, random_)
    # Else nearly every change of a PNG would end at its checksums.
    return _with_checksums(data) if kind == "png" and random_.random() < 0.7 else data


def _flipped(data: bytes, random_: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random_.randint(1, 8)):
        if changed:
            changed[_place(changed, random_)] ^= 1 << random_.randrange(8)
    return bytes(changed)


def _odd_number(data: bytes, random_: random.Random) -> bytes:
    form = random_.choice((">B", "<H", ">H", "<I", ">I"))
    size = struct.calcsize(form)
    number = random_.choice(_ODD) & (256**size - 1)
    at = _place(data, random_)
    return data[:at] + struct.pack(form, number) + data[at + size :]


def _cut(data: bytes, random_: random.Random) -> bytes:
    return data[: _place(data, random_)]


def _without(data: bytes, random_: random.Random) -> bytes:
    at = _place(data, random_)
    return data[:at] + data[at + random_.randint(1, 64) :]


def _twice(data: bytes, random_: random.Random) -> bytes:
    at, size = _place(data, random_), random_.randint(1, 256)
    return data[: at + size] + data[at:]


def _noise(data: bytes, random_: random.Random) -> bytes:
    at = _place(data, random_)
    return data[:at] + random_.randbytes(random_.randint(1, 64)) + data[at:]


_CHANGES = (*[_flipped] * 4, *[_odd_number] * 4, _cut, _without, _twice, _noise)


def _with_checksums(png: bytes) -> bytes:
    """The chunks as they are, each with its own checksum (PNG, 5.3)."""
    fixed, at = png[:8], 8
    while at + 8 <= len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        chunk = png[at + 4 : at + 8 + size]
        if len(chunk) < 4 + size:
            break
        fixed += png[at : at + 4] + chunk + zlib.crc32(chunk).to_bytes(4, "big")
        at += 12 + size
    return fixed + png[at:]


def _place(data: bytes | bytearray, random_: random.Random) -> int:
    """Somewhere in it; in its head more often, where the structure is."""
    if not data:
        return 0
    return random_.randrange(
        min(len(data), random_.choice((100, 1000, len(data), len(data), len(data))))
    )


def _damaged_json(data: bytes, random_: random.Random) -> bytes:
    content = json.loads(data)
    for _ in range(random_.randint(1, 3)):
        content = _replaced(content, random_)
    return json.dumps(content).encode("utf-8", "surrogatepass")


def _replaced(node: Any, random_: random.Random) -> Any:
    """`node` with one value in it replaced, dropped or doubled."""
    if not isinstance(node, list | dict) or not node or random_.random() < 0.12:
        return copy.deepcopy(random_.choice(_ODD_VALUES))
    keys = list(range(len(node))) if isinstance(node, list) else list(node)
    key = random_.choice(keys)
    if random_.random() < 0.1:
        del node[key]
    elif random_.random() < 0.05 and isinstance(node, list):
        node.append(node[key])
    else:
        node[key] = _replaced(node[key], random_)
    return node


def _damaged_words(data: bytes, random_: random.Random) -> bytes:
    words = data.decode().split(" ")
    for _ in range(random_.randint(1, 3)):
        at = random_.randrange(len(words))
        if random_.random() < 0.2:
            del words[at]
        else:
            words[at] = random_.choice(_ODD_WORDS)
        words = words or [""]
    return " ".join(words).encode("utf-8", "surrogatepass")
