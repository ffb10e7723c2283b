"""A SavedModel comes through `tensorflow_hub`, in a process of its own, from a local server."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from estimators import weights
from estimators.errors import WeightsError
from estimators.weights import store
from tests.unit.weights_server import Server


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("POSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    with Server(saved_model()) as running:
        (tmp_path / "manifest.toml").write_text(
            f'[hub]\nkind = "tfhub"\nurl = "{running.url}"\nlicence = "none"\nsource = "test"\n'
        )
        monkeypatch.setenv("POSE_WEIGHTS_MANIFEST", str(tmp_path / "manifest.toml"))
        yield running


def saved_model() -> bytes:
    """A module as TF Hub serves it: a compressed tar of a SavedModel folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        folder = tarfile.TarInfo("variables")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, data in {"saved_model.pb": b"graph", "variables/variables.index": b"i"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def test_fetches_in_a_process_of_its_own(server: Server, tmp_path: Path) -> None:
    imported = "tensorflow" in sys.modules
    folder = weights.fetch("hub")
    assert folder == tmp_path / "cache" / "tfhub" / hashlib.sha1(server.url.encode()).hexdigest()
    assert (folder / "saved_model.pb").read_bytes() == b"graph"
    assert weights.path("hub") == folder
    (folder / "variables" / "variables.index").write_bytes(b"x")
    with pytest.raises(WeightsError, match="not the expected folder"):
        weights.path("hub")  # also where the manifest knows none: that of what came counts
    assert (weights.fetch("hub") / "variables" / "variables.index").read_bytes() == b"i"
    assert weights.path("hub") == folder
    assert ("tensorflow" in sys.modules) == imported


def test_what_is_not_expected_is_refused_and_removed(server: Server, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(f'{manifest.read_text()}sha256 = "{"0" * 64}"\n')
    with pytest.raises(WeightsError, match="not the expected file") as caught:
        weights.fetch("hub")
    assert "SHA-256 expected 0000" in str(caught.value.__cause__)
    assert not store.target(weights.entry("hub")).exists()
    assert weights.state("hub").state == "failed"


def test_refusal_is_told(server: Server, tmp_path: Path) -> None:
    server.behaviour.status = 403
    with pytest.raises(WeightsError) as caught:
        weights.fetch("hub")
    refused = "does not give it to this machine"
    for word in (refused, server.url, str(tmp_path / "cache" / "tfhub"), "LiteRT"):
        assert word in str(caught.value)
    assert "403" not in str(caught.value).replace(server.url, "")
    assert "403" in str(caught.value.__cause__)
    assert len(caught.value.steps) == 2
    assert weights.state("hub").state == "failed"


def test_cancelled_leaves_no_lock_behind(server: Server, tmp_path: Path) -> None:
    server.behaviour.gate = threading.Event()
    with pytest.raises(weights.FetchCancelledError):
        weights.fetch("hub", None, lambda: bool(server.behaviour.seen))
    left = {p.name for p in (tmp_path / "cache" / "tfhub").iterdir()}
    assert all(name.startswith(".") for name in left), left
    server.behaviour.gate.set()
    assert weights.fetch("hub").is_dir()
