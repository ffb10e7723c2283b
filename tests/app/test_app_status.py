"""What the server tells whoever watches over it: figures, and nothing of a visitor."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from estimators.runtime.api import ModelStatus
from estimators.workflows import room as rooms
from estimators.workflows.room import Need, Room
from pages.ui.server import status
from pages.ui.server.asgi import FilesOnDisk
from tests.app.asked_server import Inner, ask


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_asked", {})


@pytest.mark.parametrize("path", ["/_pose/status", "/folder/_pose/status/"])
def test_the_status_is_json_and_fresh(path: str) -> None:
    code, headers, body = ask(FilesOnDisk(Inner(), 2000), "GET", path)
    told = json.loads(body)
    assert (code, headers[b"cache-control"]) == (200, b"no-store")
    assert (told["status"], told["models"]) == ("ok", [])
    assert told["memory"]["app_mb"] > 10
    assert told["memory"]["models_budget_mb"] == 2000
    assert told["files"]["most_bytes"] == 4_000_000_000
    assert told["decoding"] == {"processes": 0, "waiting": 0}
    assert told["work"] == {}


def test_the_budget_of_all_work_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(700)
    room.holds("pictures", lambda: 20.4)
    room.enter(Need(100), lambda: False)
    monkeypatch.setattr(rooms, "_room", room)
    told = {"budget_mb": 700, "taken_mb": 120, "running": 1, "waiting": 0}
    assert status.report(2000)["work"] == told


def test_the_status_is_only_read() -> None:
    inner = Inner(404)
    assert ask(FilesOnDisk(inner, 2000), "POST", "/_pose/status")[0] == 404
    assert ask(FilesOnDisk(inner, 2000), "GET", "/_pose/statuses")[0] == 404


def test_models_are_told_without_their_errors() -> None:
    failed = ModelStatus("posenet", "failed", error="holiday.jpg of Ann: killed", restarts=2)
    ready = ModelStatus("movenet-lightning", "ready", pss_mb=101.26, rss_mb=150.0, calls=4)
    runner = SimpleNamespace(status=lambda: (ready, failed))
    status.tells("models", lambda: status.models_of(runner))
    first, second = status.report(2000)["models"]
    assert (first["memory_mb"], first["calls"], first["state"]) == (101.3, 4, "ready")
    assert (second["state"], second["restarts"], second["memory_mb"]) == ("failed", 2, None)
    assert "Ann" not in json.dumps(status.report(2000))
