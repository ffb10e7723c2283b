"""Folders of viewers go some time after their viewers, and not before."""

from __future__ import annotations

from pathlib import Path

from estimators.workflows.viewer_folders import ViewerFolders
from tests.unit.runtime_support import wait_until


def test_a_folder_goes_after_its_viewer_and_no_other() -> None:
    here = {"ann", "ben"}
    folders = ViewerFolders(here.__contains__, patience_s=0.1, look_every_s=0.02)
    of_ann, of_ben = folders.of("ann"), folders.of("ben")
    assert of_ann != of_ben
    (of_ann / "clip.mp4").write_bytes(b"content")
    assert folders.of("ann") == of_ann
    here.remove("ann")
    wait_until(lambda: not of_ann.exists())
    assert of_ben.is_dir()
    here.remove("ben")
    wait_until(lambda: not of_ben.exists())
    here.add("ann")
    assert folders.of("ann").is_dir(), "who comes back gets a new one"
    here.clear()


def test_a_folder_that_something_else_removed_is_made_again() -> None:
    """Systems clean their folder of temporary files."""
    folders = ViewerFolders(lambda viewer: True)
    before = folders.of("ann")
    before.rmdir()
    after = folders.of("ann")
    assert after.is_dir()
    assert folders.of("ann") == after


def test_a_connection_that_comes_back_loses_nothing() -> None:
    looks: list[bool] = []

    def present(viewer: str) -> bool:
        looks.append(len(looks) % 3 == 0)
        return looks[-1]

    folders = ViewerFolders(present, patience_s=5, look_every_s=0.001)
    folder: Path = folders.of("ann")
    wait_until(lambda: len(looks) > 20)
    assert folder.is_dir()
