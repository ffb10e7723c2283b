"""What a server takes: by its settings, by its size, and told where it is refused."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from estimators import settings
from estimators.datasets import archives
from estimators.datasets.health import Findings
from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError
from estimators.media import limits
from estimators.media.clip_info import ClipLimits
from estimators.media.pictures import open_picture
from tests import annotated_factory as factory

NAMES = {
    "POSE_MAX_PICTURE_MB": "picture_mb",
    "POSE_MAX_MEGAPIXELS": "megapixels",
    "POSE_MAX_CLIP_FRAMES": "clip_frames",
    "POSE_MAX_CLIP_S": "clip_s",
    "POSE_MAX_PEOPLE": "people",
    "POSE_MAX_FILES": "files",
    "POSE_MAX_UNPACKED_MB": "unpacked_mb",
    "POSE_DECODE_MB": "decode_mb",
    "POSE_WORK_MB": "work_mb",
}


@pytest.mark.parametrize("name", NAMES)
def test_each_limit_is_set_by_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = limits.allowed()
    monkeypatch.setenv(name, "7")
    assert limits.allowed() == before._replace(**{NAMES[name]: 7})


def test_every_limit_is_lower_on_a_small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = settings.Settings()
    assert set(NAMES) < {name for name, _, _ in settings.table()}
    monkeypatch.setattr(limits, "_small", lambda: False)
    large = limits.allowed()
    monkeypatch.setattr(limits, "_small", lambda: True)
    small = limits.allowed()
    assert all(s < m for s, m in zip(small, large, strict=True))
    assert usual.limit("max_megapixels", small=True) == small.megapixels == 32
    assert (large.megapixels, large.picture_pixels) == (64, 64_000_000)
    monkeypatch.setenv("POSE_MAX_MEGAPIXELS", "100")
    assert limits.allowed().megapixels == 100  # what is set counts on any machine


def test_a_wrong_setting_leaves_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    before = limits.allowed()
    monkeypatch.setenv("POSE_MEMORY_MB", "plenty")
    assert limits.allowed() == before


def test_clips_and_pictures_go_by_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_MAX_CLIP_FRAMES", "9")
    monkeypatch.setenv("POSE_MAX_CLIP_S", "11")
    assert (ClipLimits().max_frames, ClipLimits().max_s) == (9, 11)
    content = io.BytesIO()
    Image.new("RGB", (1500, 1001)).save(content, "PNG")
    assert open_picture(content.getvalue(), "it").frame.width == 1500
    monkeypatch.setenv("POSE_MAX_MEGAPIXELS", "1")
    with pytest.raises(InputError, match=r"1500×1001 pixels \(limit 1 megapixels"):
        open_picture(content.getvalue(), "it")


def test_people_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = factory.pictures(tmp_path / "images")
    annotations = factory.write_json(factory.coco(), tmp_path / "it.json")
    monkeypatch.setenv("POSE_MAX_PEOPLE", "3")
    read_annotated_set(pictures, annotations)
    monkeypatch.setenv("POSE_MAX_PEOPLE", "2")
    with pytest.raises(InputError, match="has 3 people; 2 is the most"):
        read_annotated_set(pictures, annotations)


def archive(path: Path, count: int, letters: int) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(count):
            file.writestr(f"{number:05d}" + "a" * letters, b"")
    return path


def test_a_zips_list_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read as a whole: of a file of 500 MB it would be gigabytes in memory."""
    path = archive(tmp_path / "a.zip", 30, 100)
    monkeypatch.setattr(archives, "zip_file", lambda *_: pytest.fail("it was read"))
    monkeypatch.setattr(archives, "MOST_LISTED_BYTES", 4000)
    with pytest.raises(InputError, match="a list of files of 0 MB"):
        list(archives.members(path, "a.zip", Findings()))
    monkeypatch.setenv("POSE_MAX_FILES", "29")
    with pytest.raises(InputError, match="holds 30 files"):
        list(archives.members(path, "a.zip", Findings()))


def test_a_zip_that_hides_how_many_files_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counts at its end are the archive's own words; what is read is counted again."""
    path = archive(tmp_path / "a.zip", 30, 3)
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\5\6")
    struct.pack_into("<HH", data, at + 8, 1, 1)
    path.write_bytes(data)
    monkeypatch.setenv("POSE_MAX_FILES", "29")
    with pytest.raises(InputError, match="holds 30 files"):
        list(archives.members(path, "a.zip", Findings()))
