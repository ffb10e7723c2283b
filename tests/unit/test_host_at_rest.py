"""What a model's process does of itself while nobody asks."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from estimators.runtime import host
from estimators.runtime.frame_slot import FrameSlot
from estimators.runtime.messages import Answer, Ask, Load
from estimators.runtime.sessions import SessionKey
from estimators.types import EstimatorOptions
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import wait_until


@contextmanager
def hosted(idle_s: float) -> Iterator[Callable[[], None]]:
    """What asks a host in a thread of this process for one picture."""
    ours, theirs = (Connection(end.detach()) for end in socket.socketpair())
    slot, frame = FrameSlot.create(), fake.picture(5, 9)

    def serve() -> None:
        with contextlib.suppress(EOFError):
            host.serve(theirs, slot)

    thread = threading.Thread(target=serve)
    thread.start()
    ours.send(Load(fake.spec(), Path(), 1, 4, idle_s))
    ours.recv()

    def ask() -> None:
        slot.write(frame.image)
        ours.send(Ask.about(SessionKey("", EstimatorOptions()), frame))
        assert isinstance(ours.recv(), Answer)

    yield ask
    ours.close()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("idle_s", [60.0, 0.02])
def test_each_step_comes_once_after_the_last_question(
    idle_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    steps = ((0.1, lambda: done.append("trim")), (0.1, lambda: done.append("release")))
    monkeypatch.setattr(host, "_AT_REST", steps)
    monkeypatch.setattr(host.memory, "trim", lambda: True)
    monkeypatch.setattr(host, "release_memory", lambda: None)
    with hosted(idle_s) as ask:
        time.sleep(0.3)
        assert done == []  # nobody has asked yet
        for _ in range(2):
            done.clear()
            ask()
            wait_until(lambda: len(done) == 2)
            time.sleep(0.3)
            assert done == ["trim", "release"]


def test_its_size_is_told_without_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app looks at it with the first answer; later ones are not held up."""
    trims: list[int] = []
    monkeypatch.setattr(host, "_AT_REST", ())
    monkeypatch.setattr(host, "release_memory", lambda: None)
    monkeypatch.setattr(host.memory, "trim", lambda: trims.append(1) or True)
    with hosted(60.0) as ask:
        for _ in range(3):
            ask()
            assert len(trims) == 1
