"""Pictures given to `compare`: what is odd about a file is said once, in our words."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from estimators.cli.inputs import Pictures, given_files
from estimators.errors import InputError
from estimators.export.annotated_ids import SourcePicture
from estimators.media.pictures import NO_END

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))


def encoded(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    NOISE.save(buffer, kind, **options)
    return buffer.getvalue()


def test_libraries_do_not_speak_about_a_damaged_picture(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(encoded("TIFF", compression="tiff_lzw"))
    data[8:60] = b"\xff" * 52
    (tmp_path / "bad.tif").write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        Pictures(given_files([tmp_path / "bad.tif"]))
    assert capfd.readouterr().err == ""
    os.write(2, b"afterwards")
    assert capfd.readouterr().err == "afterwards"


def test_what_is_known_of_each_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "turned.jfif").write_bytes(encoded("JPEG", exif=exif))
    (tmp_path / "cut").write_bytes(encoded("JPEG")[:-2])
    pictures = Pictures(given_files([tmp_path / "turned.jfif", tmp_path / "cut"]))
    assert pictures.notes == [f"cut: {NO_END}"]
    assert pictures.sources() == {
        "turned.jfif": SourcePicture(tmp_path / "turned.jfif", (40, 60), 6),
        "cut": SourcePicture(tmp_path / "cut", (60, 40), 1),
    }
