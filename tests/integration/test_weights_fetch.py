"""Downloads against a local server: whole, cut, refused, damaged, shared."""

from __future__ import annotations

import hashlib
import os
import random
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from estimators import weights
from estimators.errors import WeightsError
from tests.unit.weights_server import Server

ROOT = Path(__file__).parents[2]
BODY = random.Random(1).randbytes(3_000_000)
KEY = "local"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("POSE_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("POSE_WEIGHTS_DIR", "TFHUB_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    with Server(BODY) as running:
        manifest(tmp_path, running.url)
        monkeypatch.setenv("POSE_WEIGHTS_MANIFEST", str(tmp_path / "manifest.toml"))
        yield running


def manifest(folder: Path, url: str, size: int = len(BODY)) -> None:
    (folder / "manifest.toml").write_text(
        f'[{KEY}]\nkind = "download"\nfile_name = "local.bin"\nurl = "{url}"\n'
        f'sha256 = "{hashlib.sha256(BODY).hexdigest()}"\nsize_bytes = {size}\n'
        'licence = "none"\nsource = "test"\n'
    )


def leftovers(tmp_path: Path) -> set[str]:
    return {p.name for p in (tmp_path / "cache").iterdir()} - {".local.bin.lock"}


def test_whole_file_with_progress(server: Server, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    file = weights.fetch(KEY, lambda done, total: calls.append((done, total)))
    assert file.read_bytes() == BODY
    assert file == weights.path(KEY)
    assert weights.state(KEY).state == "cached"
    assert calls == sorted(calls)
    assert len(calls) > 5
    assert calls[-1] == (len(BODY), len(BODY))
    assert leftovers(tmp_path) == {"local.bin"}


def test_a_second_fetch_asks_nobody(server: Server) -> None:
    weights.fetch(KEY)
    weights.fetch(KEY)
    assert len(server.behaviour.seen) == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_cut_connection_is_resumed_where_it_was_cut(server: Server, chunked: bool) -> None:
    server.behaviour.chunked = chunked
    server.behaviour.cut_after = [1_000_000, 900_000]
    assert weights.fetch(KEY).read_bytes() == BODY
    ranges = [r.get("Range") for r in server.behaviour.seen]
    assert ranges[0] is None
    starts = [int(r.removeprefix("bytes=")[:-1]) for r in ranges[1:]]
    assert len(starts) == 2
    assert 0 < starts[0] <= 1_000_000 < starts[1] <= 1_900_000
    assert server.behaviour.seen[1]["If-Range"] == server.behaviour.etag


def test_a_cancelled_download_is_kept_and_resumed(server: Server) -> None:
    done: list[int] = []
    with pytest.raises(weights.FetchCancelledError):
        weights.fetch(KEY, lambda d, _t: done.append(d), lambda: bool(done and done[-1] > 1e6))
    state = weights.state(KEY)
    assert state.state == "to_download"
    assert 1e6 < state.done_bytes < len(BODY)
    assert weights.fetch(KEY).read_bytes() == BODY
    assert server.behaviour.seen[1]["Range"] == f"bytes={state.done_bytes}-"


def cut_short(server: Server) -> None:
    """Leaves an unfinished download behind."""
    done: list[int] = []
    with pytest.raises(weights.FetchCancelledError):
        weights.fetch(KEY, lambda d, _t: done.append(d), lambda: bool(done and done[-1] > 1e6))
    server.behaviour.seen.clear()


def test_a_server_without_ranges_starts_anew(server: Server) -> None:
    cut_short(server)
    server.behaviour.ranges = False
    assert weights.fetch(KEY).read_bytes() == BODY
    assert len(server.behaviour.seen) == 1


def test_a_file_that_changed_between_the_halves_is_not_joined(
    server: Server, tmp_path: Path
) -> None:
    server.behaviour.body = bytes(len(BODY))
    cut_short(server)
    server.behaviour.body = BODY
    assert weights.fetch(KEY).read_bytes() == BODY
    assert len(server.behaviour.seen) == 1


def test_a_spoiled_part_without_etag_is_started_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "local.bin.part").write_bytes(bytes(500_000))
    assert weights.fetch(KEY).read_bytes() == BODY
    assert [r.get("Range") for r in server.behaviour.seen] == ["bytes=500000-", None]


def test_a_part_longer_than_the_file_is_started_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "local.bin.part").write_bytes(bytes(len(BODY) + 1))
    assert weights.fetch(KEY).read_bytes() == BODY


def test_a_server_that_cannot_resume_there(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "local.bin.part").write_bytes(BODY[:2_000_000])
    server.behaviour.body = BODY[:1_000_000]  # answers 416, then a file that is too short
    with pytest.raises(WeightsError, match="not the expected file"):
        weights.fetch(KEY)
    assert [r.get("Range") for r in server.behaviour.seen][:2] == ["bytes=2000000-", None]


def told(error: WeightsError, *words: str) -> None:
    for word in words:
        assert word in str(error)


def in_two_steps(error: WeightsError) -> None:
    """Said once, without codes and names of exceptions, and what to do one after the other."""
    said = str(error)
    assert said.count("http://") == 1
    assert len(error.steps) == 2
    assert error.advice == " ".join(error.steps)
    assert not re.search(r"Errno|Error|Exception|HTTP|Traceback|[0-9a-f]{32}", said)


@pytest.mark.parametrize("body", [b"<html>log in</html>", bytes(len(BODY)), BODY + b"x"])
def test_wrong_content_is_refused(server: Server, tmp_path: Path, body: bytes) -> None:
    server.behaviour.body = body
    with pytest.raises(WeightsError) as caught:
        weights.fetch(KEY)
    told(caught.value, "not the expected file", server.url, str(tmp_path / "cache"))
    assert hashlib.sha256(BODY).hexdigest() in str(caught.value.__cause__)
    in_two_steps(caught.value)
    assert leftovers(tmp_path) == set()
    state = weights.state(KEY)
    assert state.state == "failed"
    assert state.detail == str(caught.value)
    assert (state.error, state.tried) == (caught.value, True)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not give it to this machine"),
        (403, "does not give it to this machine"),
        (404, "has no such file"),
        (410, "has no such file"),
        (418, "gave something else"),
        (429, "asked too often"),
        (500, "a fault of its own"),
        (503, "a fault of its own"),
    ],
)
def test_a_refusal_is_told_and_forgotten_at_the_next_try(
    server: Server, tmp_path: Path, status: int, words: str
) -> None:
    server.behaviour.status = status
    with pytest.raises(WeightsError) as caught:
        weights.fetch(KEY)
    told(caught.value, words, server.url, str(tmp_path / "cache"), "local.bin")
    assert str(status) not in str(caught.value).replace(server.url, "")
    assert str(status) in str(caught.value.__cause__)
    in_two_steps(caught.value)
    assert weights.state(KEY).state == "failed"
    server.behaviour.status = 200
    assert weights.fetch(KEY).read_bytes() == BODY
    assert weights.state(KEY).state == "cached"


def test_no_connection_is_told(server: Server, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/x"
        manifest(tmp_path, url)
        with pytest.raises(WeightsError) as caught:
            weights.fetch(KEY)
    told(caught.value, url, "cannot be reached from this machine", str(tmp_path / "cache"))
    in_two_steps(caught.value)


def test_a_full_disk_is_told(server: Server, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "local.bin.part").symlink_to("/dev/full")
    with pytest.raises(WeightsError) as caught:
        weights.fetch(KEY)
    told(caught.value, "disk is full", "3 MB", str(tmp_path / "cache"), server.url)
    in_two_steps(caught.value)
    assert weights.state(KEY).state == "failed"


def test_a_disk_too_small_is_told_before_anything_is_fetched(
    server: Server, tmp_path: Path
) -> None:
    manifest(tmp_path, server.url, size=10**18)
    with pytest.raises(WeightsError, match="disk is full"):
        weights.fetch(KEY)
    assert server.behaviour.seen == []


def test_a_folder_that_cannot_be_written_to_is_told(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("POSE_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert weights.state(KEY).state == "to_download"
    with pytest.raises(WeightsError) as caught:
        weights.fetch(KEY)
    told(caught.value, "cannot be written", "POSE_CACHE_DIR", "POSE_WEIGHTS_DIR", server.url)
    in_two_steps(caught.value)


def test_a_damaged_file_in_the_cache_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    file = weights.fetch(KEY)
    file.write_bytes(b"damaged")
    os.utime(file, ns=(1, 1))
    with pytest.raises(WeightsError, match="not the expected file"):
        weights.path(KEY)
    assert (weights.state(KEY).state, weights.state(KEY).tried) == ("failed", False)
    assert weights.fetch(KEY).read_bytes() == BODY


def test_a_brought_file_needs_no_server(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "local.bin").write_bytes(BODY)
    monkeypatch.setenv("POSE_WEIGHTS_DIR", str(tmp_path))
    assert weights.fetch(KEY) == tmp_path / "local.bin"
    assert server.behaviour.seen == []
