"""Clusters elsewhere: what is said of one that cannot be joined, and what is tried again."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from estimators.cluster import on_ray, reach
from estimators.errors import InputError

LOGGER = "ray.util.client.worker"


@pytest.fixture
def address() -> Iterator[str]:
    """Where something listens that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"ray://127.0.0.1:{server.getsockname()[1]}"


def ray_that(monkeypatch: pytest.MonkeyPatch, *errors: Exception | None) -> list[str]:
    """A stand-in for Ray whose each `init` raises the next error, if any; what was called."""
    monkeypatch.setattr(on_ray, "show_token", lambda: called.append("token"))
    called: list[str] = []
    left = list(errors)

    def init(address: str, **_: Any) -> None:
        called.append("init")
        if error := left.pop(0):
            raise error

    stand_in = SimpleNamespace(init=init, shutdown=lambda: called.append("shutdown"))
    monkeypatch.setattr(on_ray, "imported", lambda: stand_in)
    return called


def died() -> Exception:
    text = "Initialization failure from server:\nTraceback …\nRuntimeError: Starting it failed."
    return ConnectionAbortedError(text)


def test_a_client_server_that_died_while_it_started_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    called = ray_that(monkeypatch, died(), died(), None)
    with on_ray.connected(address):
        pass
    assert called == ["token", *["init", "shutdown"] * 3]


def test_one_that_always_dies_is_told_with_its_cause(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    ray_that(monkeypatch, died(), died(), died())
    with (
        pytest.raises(InputError, match=r"from server: RuntimeError: Starting it failed\. Check"),
        on_ray.connected(address),
    ):
        pass


def test_a_cluster_that_wants_a_token_is_no_timeout(
    monkeypatch: pytest.MonkeyPatch, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    def init(**_: Any) -> None:
        said = "Received when checking init: Invalid or missing authentication token"
        logging.getLogger(LOGGER).debug(said)
        raise ConnectionError("ray client connection timeout")

    ray_that(monkeypatch)
    monkeypatch.setattr(on_ray, "imported", lambda: SimpleNamespace(init=init))
    before = logging.getLogger(LOGGER).level
    assert not logging.getLogger(LOGGER).isEnabledFor(logging.DEBUG)
    with (
        pytest.raises(InputError, match=r"missing authentication token\. .*RAY_AUTH_TOKEN"),
        on_ray.connected(address),
    ):
        pass
    logger = logging.getLogger(LOGGER)
    assert (logger.level, logger.propagate, logger.handlers) == (before, True, [])
    assert not logger.isEnabledFor(logging.DEBUG)
    assert not caplog.records


def test_something_else_that_listens_there_is_told(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    ray_that(monkeypatch, ConnectionError("ray client connection timeout"))
    with (
        pytest.raises(InputError, match=r"timeout\. Check .*--ray-client-server-port"),
        on_ray.connected(address),
    ):
        pass


@pytest.mark.parametrize("address", ["ray://127.0.0.1:1", "ray://127.0.0.1", "ray://[::1:1"])
def test_where_nothing_listens_ray_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    called = ray_that(monkeypatch)
    with pytest.raises(InputError, match="Nothing answers at ray://"), on_ray.connected(address):
        pass
    assert called == ["token"]


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({}, None),
        ({"RAY_AUTH_TOKEN": "0" * 64}, "token"),
        ({"RAY_AUTH_TOKEN_PATH": "/token"}, "token"),
        ({"RAY_AUTH_TOKEN": "0" * 64, "RAY_AUTH_MODE": "disabled"}, "disabled"),
    ],
)
def test_a_token_that_is_here_is_shown_unless_it_is_not_wanted(
    given: dict[str, str], mode: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "environ", {"HOME": str(tmp_path), **given})
    reach.show_token()
    assert os.environ.get("RAY_AUTH_MODE") == mode


def test_the_token_that_ray_made_here_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("0" * 64)
    monkeypatch.setattr(os, "environ", {"HOME": str(tmp_path)})
    reach.show_token()
    assert os.environ["RAY_AUTH_MODE"] == "token"


def test_who_has_no_home_has_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(Path, "home", homeless)
    reach.show_token()
    assert os.environ == {}
    os.environ["RAY_AUTH_TOKEN"] = "0" * 64
    reach.show_token()
    assert os.environ["RAY_AUTH_MODE"] == "token"
