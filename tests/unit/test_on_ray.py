"""What a cluster does to this process, and says when it cannot be had; no Ray is started."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from estimators.cluster import on_ray
from estimators.errors import InputError, first_line


def ray_whose(init: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = SimpleNamespace(init=init, shutdown=lambda: None)
    monkeypatch.setattr(on_ray, "imported", lambda: stand_in)


def test_sigterm_is_ours_again_once_there_is_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def ours(*_: Any) -> None: ...

    ray_whose(init, monkeypatch)
    before = signal.signal(signal.SIGTERM, ours)
    try:
        with on_ray.connected("auto"):
            assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("text", "said"), [("", "RuntimeError"), ("\n", "RuntimeError"), ("one\ntwo", "one")]
)
def test_an_error_without_words_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    def init(**_: Any) -> None:
        raise RuntimeError(text)

    ray_whose(init, monkeypatch)
    with (
        pytest.raises(InputError, match=f"head:6379: {said}"),
        on_ray.connected("head:6379"),
    ):
        pass
    assert first_line(RuntimeError(text)) == said


def test_a_cause_that_cannot_travel_is_the_error_itself() -> None:
    error = ValueError("no cause")
    assert on_ray.cause_of(SimpleNamespace(cause=error)) is error
    lost: Any = SimpleNamespace(cause=None)
    assert on_ray.cause_of(lost) is lost
