"""What a download button has made is there when the browser comes for it, however many work."""

from __future__ import annotations

import gc
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from pages.ui.server import asgi, downloads, on_disk
from pages.ui.server.asgi import FilesOnDisk
from tests.app.asked_server import Inner, ask


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FilesOnDisk:
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))
    live = SimpleNamespace(media_file_mgr=manager)
    monkeypatch.setattr(asgi.runtime, "get_instance", lambda: live)
    monkeypatch.setattr(downloads, "_made", {})
    monkeypatch.setattr(on_disk, "_served", False)  # put back afterwards: other tests read files
    return FilesOnDisk(Inner(), 2000)


def pressed(content: bytes, name: str = "jöints 1.csv") -> str:
    """The address of what the button makes, after two other pages' scripts have run."""
    manager = asgi.runtime.get_instance().media_file_mgr
    button = manager.add_deferred(lambda: content, "text/csv", "here", name)
    address = manager.execute_deferred(button)
    for _ in range(2):
        manager.remove_orphaned_files()
    assert manager.read_file(address.rsplit("/", 1)[1]) is None, "Streamlit itself keeps it now"
    return address


def test_a_download_is_there_however_many_scripts_have_run_meanwhile(server: FilesOnDisk) -> None:
    first, second = pressed(b"numbers"), pressed(b"others")
    assert first != second
    for address, content in ((second, b"others"), (first, b"numbers"), (first, b"numbers")):
        status, headers, body = ask(server, "GET", address)
        assert (status, body) == (200, content)
        assert headers[b"content-type"].startswith(b"text/csv")
        told = headers[b"content-disposition"]
        assert told == b"attachment; filename*=utf-8''j%C3%B6ints%201.csv"
    assert ask(server, "GET", "/media/never.csv")[0] == 204, "Streamlit's own answer"


def test_a_file_on_the_disk_stays_as_long(
    server: FilesOnDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = pressed(on_disk.made(lambda sink: sink.write(b"large"), tmp_path))
    assert ask(server, "GET", address)[::2] == (200, b"large")
    now = downloads.time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: now + downloads.KEPT_S + 1)
    monkeypatch.setattr(downloads, "time", clock)
    assert ask(server, "GET", address)[0] == 204
    asgi.runtime.get_instance().media_file_mgr = None  # which holds the button
    gc.collect()
    assert not any(tmp_path.iterdir())


def test_nothing_stays_when_nobody_is_there(server: FilesOnDisk) -> None:
    address = pressed(b"numbers")
    downloads._forget()
    assert ask(server, "GET", address)[0] == 204
