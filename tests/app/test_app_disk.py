"""A server whose disk is nearly full says so in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st

from estimators.workflows.viewer_folders import ViewerFolders
from pages.ui.server.files import LEFT_FREE, Uploads
from tests.app.visits import visit
from tests.clip_factory import make_clip


def full() -> Path:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_an_upload_leaves_room_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(free=LEFT_FREE + 100)
    monkeypatch.setattr("pages.ui.server.files.shutil.disk_usage", lambda path: usage)
    uploads = Uploads(ViewerFolders(lambda viewer: True))
    assert uploads.admit("ann", 100) == ""
    assert "disk is nearly full" in uploads.admit("ben", 1)  # the first one has not come yet
    uploads.settle("ben", 1)
    uploads.settle("ann", 100)
    assert uploads.admit("ben", 100) == ""
    usage.free = 0
    assert "(0 MB free)" in uploads.admit("ann", 1)


def test_without_room_for_a_folder_an_upload_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("estimators.workflows.viewer_folders.own_folder", full)
    uploads = Uploads(ViewerFolders(lambda viewer: True))
    assert "No space left on device" in uploads.admit("ann", 1)
    uploads.settle("ann", 1)


def test_a_clip_without_a_folder_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    st.cache_resource.clear()  # the folders of earlier tests
    monkeypatch.setattr("estimators.workflows.viewer_folders.own_folder", full)
    at = visit("video", models="movenet-lightning").run()
    at.button_group(key="clip_source").set_value("upload").run()
    content = make_clip(tmp_path / "walk.mp4").read_bytes()
    at.get("file_uploader")[0].upload("walk.mp4", content, "video/mp4")
    at.run()
    assert not at.exception
    assert "no room for your files" in at.error[0].value
    assert "No space left on device" in at.error[0].value
