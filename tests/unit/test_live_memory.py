"""Memory of ended streams."""

from __future__ import annotations

import gc
import sys
import threading
import weakref

import pytest

from estimators.memory import trim
from estimators.workflows.live.memory import pictures_apart, tidy_soon
from tests.unit.runtime_support import wait_until


class Circle:
    """Refers to itself, as a connection's objects do."""

    def __init__(self) -> None:
        self.itself = self


def tidying() -> int:
    return sum(thread.name == "live-tidy" for thread in threading.enumerate())


def test_circles_are_collected_once_for_many_calls() -> None:
    gc.disable()
    try:
        circle = Circle()
        gone = weakref.ref(circle)
        del circle
        assert gone() is not None
        for _ in range(20):
            tidy_soon(0.2)
        assert tidying() == 1
        wait_until(lambda: gone() is None and not tidying())
    finally:
        gc.enable()
    tidy_soon(0.0)
    assert tidying() <= 1
    wait_until(lambda: not tidying())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's own functions")
def test_free_memory_is_given_back() -> None:
    assert trim()
    assert pictures_apart()
