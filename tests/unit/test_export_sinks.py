"""No file under its final name before it is whole, and others are written where one cannot be."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from estimators.errors import InputError
from estimators.export.sinks import opened, require_writable, to_bytes, write_all, write_zip
from estimators.parts import new_part
from tests.unit.small_disk import small_disk


def filled(size: int) -> object:
    return lambda sink: sink.write(bytes(size))


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "joints.csv"
    path.write_bytes(b"of an earlier run")
    with opened(path) as sink:
        sink.write(b"half")
        sink.flush()
        assert path.read_bytes() == b"of an earlier run"
    assert path.read_bytes() == b"half"
    assert os.listdir(tmp_path) == ["joints.csv"]


def test_a_file_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with opened(tmp_path / "joints.csv") as sink:
            sink.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert os.listdir(tmp_path) == []


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "file")
    with opened(tmp_path / "link") as sink:
        sink.write(b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "file").read_bytes() == b"x"


def test_a_pipe_stays_one(tmp_path: Path) -> None:
    """Or a device: `--json /dev/null` must not make it a file."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        _, told = write_all([(tmp_path / name, lambda sink: None)])
        assert told is not None
        assert "a device or a pipe" in told.message
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]


def test_what_fits_is_written_and_what_does_not_is_named(tmp_path: Path) -> None:
    sizes = {"small.csv": 100, "large.json": 9000, "other.parquet": 9000, "last.csv": 200}
    with small_disk(5000):
        written, error = write_all((tmp_path / n, filled(size)) for n, size in sizes.items())
    assert [path.name for path in written] == ["small.csv", "last.csv"]
    assert sorted(os.listdir(tmp_path)) == ["last.csv", "small.csv"]
    assert isinstance(error, InputError)
    assert "large.json cannot be written" in str(error)
    assert "nor can 1 other" in str(error)


def test_a_zip_is_whole_or_not_there(tmp_path: Path) -> None:
    def write(sink: BinaryIO) -> None:
        with zipfile.ZipFile(sink, "w") as archive:
            archive.writestr("a", os.urandom(9000))

    with small_disk(5000):
        assert write_all([(tmp_path / "all.zip", write)])[1] is not None
    assert os.listdir(tmp_path) == []


def test_a_folder_is_tried_before_it_is_needed(tmp_path: Path) -> None:
    require_writable(tmp_path / "new" / "folder")
    assert os.listdir(tmp_path / "new" / "folder") == []
    with small_disk(0), pytest.raises(InputError, match="cannot be written to"):
        require_writable(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be made a folder"):
        require_writable(tmp_path / "file")


def test_files_in_a_private_folder_are_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert new_part(tmp_path / "clip.mp4").stat().st_mode & 0o777 == 0o600
    old = os.umask(0o022)
    try:
        tmp_path.chmod(0o755)
        assert new_part(tmp_path / "clip.mp4").stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(old)


def test_a_zip_packs_what_is_not_packed_and_dates_it(tmp_path: Path) -> None:
    """Members may grow over 4 GB, which their headers have to foresee."""
    (tmp_path / "clip.bin").write_bytes(b"video" * 99)
    files = [(name, filled(500)) for name in ("a.csv", "b.parquet", "c.mp4")]
    data = to_bytes(lambda sink: write_zip(files, sink, {"clip.mp4": tmp_path / "clip.bin"}))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert [archive.read(name) for name in ("a.csv", "b.parquet")] == [bytes(500)] * 2
        assert archive.read("clip.mp4") == b"video" * 99
        infos = archive.infolist()
    assert [info.filename for info in infos] == ["a.csv", "b.parquet", "c.mp4", "clip.mp4"]
    packed = [info.compress_type == zipfile.ZIP_DEFLATED for info in infos]
    assert packed == [True, False, False, False]
    assert [info.extract_version >= 45 for info in infos[:3]] == [True] * 3
    now = datetime.now(UTC)
    made = datetime(*infos[0].date_time, tzinfo=UTC)
    assert timedelta(seconds=-3) < now - made < timedelta(seconds=9)


def failing(error: OSError) -> object:
    def write(sink: BinaryIO) -> None:
        raise error

    return write


def test_how_many_files_cannot_be_written_and_why(tmp_path: Path) -> None:
    full, odd = OSError(28, "No space left on device"), OSError("odd")
    paths = [tmp_path / name for name in "abc"]
    _, one = write_all([(paths[0], failing(full))])
    assert one is not None
    assert one.message == f"{paths[0]} cannot be written: No space left on device."
    written, three = write_all((p, failing(odd)) for p in paths)
    assert three is not None
    assert three.message == f"{paths[0]} cannot be written: odd, nor can 2 other files."
    assert (written, os.listdir(tmp_path)) == ([], [])


def test_why_a_folder_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, mode: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(InputError, match="cannot be written to: No space left on device"):
        require_writable(tmp_path)
