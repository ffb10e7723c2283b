"""Several viewers and processes want the same weights: one download, seen and shared by all."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from estimators import weights
from estimators.errors import WeightsError
from tests.unit.weights_server import Server

ROOT = Path(__file__).parents[2]
BODY = random.Random(2).randbytes(2_000_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
FETCH = "import sys; from estimators import weights; print(weights.fetch(sys.argv[1]))"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("POSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("POSE_WEIGHTS_DIR", raising=False)
    with Server(BODY) as running:
        (tmp_path / "manifest.toml").write_text(
            f'[local]\nkind = "download"\nfile_name = "local.bin"\nurl = "{running.url}"\n'
            f'sha256 = "{SHA256}"\nsize_bytes = {len(BODY)}\nlicence = "none"\nsource = "test"\n'
        )
        monkeypatch.setenv("POSE_WEIGHTS_MANIFEST", str(tmp_path / "manifest.toml"))
        yield running


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(1200):
        if true():
            return
        threading.Event().wait(0.05)
    raise AssertionError("waited a minute in vain")


def in_process(key: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, key], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_threads_share_one_download_and_its_progress(server: Server) -> None:
    server.behaviour.gate = threading.Event()
    waiting: list[tuple[int, int]] = []
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(weights.fetch, "local")
        wait_until(lambda: weights.state("local").done_bytes > 0)
        others = [
            pool.submit(weights.fetch, "local", lambda d, t: waiting.append((d, t)))
            for _ in range(3)
        ]
        wait_until(lambda: len(waiting) > 3)
        state = weights.state("local")
        server.behaviour.gate.set()
        files = {f.result() for f in [first, *others]}
    assert state.state == "downloading"
    assert 0 < state.done_bytes < state.size_bytes == len(BODY)
    assert (state.done_bytes, len(BODY)) in waiting
    assert files == {weights.path("local")}
    assert len(server.behaviour.seen) == 1


def test_processes_share_one_download(server: Server) -> None:
    server.behaviour.gate = threading.Event()
    children = [in_process("local"), in_process("local")]
    try:
        wait_until(lambda: weights.state("local").state == "downloading")
        wait_until(lambda: weights.state("local").done_bytes > 0)
        mine = ThreadPoolExecutor(1).submit(weights.fetch, "local")
        server.behaviour.gate.set()
        outputs = [child.communicate(timeout=60)[0].strip() for child in children]
    finally:
        for child in children:
            child.kill()
    assert {*outputs, str(mine.result())} == {str(weights.path("local"))}
    assert len(server.behaviour.seen) == 1


def test_those_who_wait_share_a_failure(server: Server) -> None:
    server.behaviour.gate = threading.Event()
    server.behaviour.body = bytes(len(BODY))
    waiting: list[int] = []
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(weights.fetch, "local")
        wait_until(lambda: weights.state("local").state == "downloading")
        other = pool.submit(weights.fetch, "local", lambda d, _t: waiting.append(d))
        wait_until(lambda: bool(waiting))
        server.behaviour.gate.set()
        for future in (first, other):
            with pytest.raises(WeightsError, match="what came is not the expected file"):
                future.result()
    assert len(server.behaviour.seen) == 1


def test_when_the_first_cancels_the_next_goes_on(server: Server) -> None:
    server.behaviour.gate = threading.Event()
    stop, waiting = threading.Event(), []
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(weights.fetch, "local", None, stop.is_set)
        wait_until(lambda: weights.state("local").done_bytes > 0)
        other = pool.submit(weights.fetch, "local", lambda d, _t: waiting.append(d))
        wait_until(lambda: bool(waiting))
        stop.set()
        server.behaviour.gate.set()
        with pytest.raises(weights.FetchCancelledError):
            first.result()
        assert other.result().read_bytes() == BODY
    assert "Range" in server.behaviour.seen[1]


def test_one_who_waits_can_cancel(server: Server) -> None:
    server.behaviour.gate = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(weights.fetch, "local")
        wait_until(lambda: weights.state("local").state == "downloading")
        with pytest.raises(weights.FetchCancelledError):
            weights.fetch("local", None, lambda: True)
        server.behaviour.gate.set()
        assert first.result().read_bytes() == BODY


def test_a_killed_download_leaves_nothing_locked(server: Server) -> None:
    server.behaviour.gate = threading.Event()
    child = in_process("local")
    wait_until(lambda: weights.state("local").done_bytes > 0)
    child.kill()
    child.communicate()
    assert weights.state("local").state == "to_download"
    server.behaviour.gate.set()
    assert weights.fetch("local").read_bytes() == BODY
    assert "Range" in server.behaviour.seen[1]
