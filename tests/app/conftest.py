"""Servers of the tests' own: no downloaded weights, nothing cached, no model's process left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import streamlit as st

from pages.ui import engine


@contextmanager
def emptied(cache: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSE_CACHE_DIR", str(cache))
        for name in ("POSE_WEIGHTS_DIR", "POSE_WEIGHTS_MANIFEST"):
            patch.delenv(name, raising=False)
        yield
    engine.runner().close()
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One for all tests of a module."""
    with emptied(tmp_path_factory.mktemp("cache")):
        yield


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[None]:
    """One for each test."""
    with emptied(tmp_path / "cache"):
        yield
