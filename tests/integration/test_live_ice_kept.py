"""How long the answers of TURN services are kept, good ones and bad ones."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from streamlit_webrtc import get_hf_ice_servers

from pages.ui.live import ice
from pages.ui.live.ice import (
    KEEP_S,
    RETRY_S,
    IceServers,
    KeptServers,
    hugging_face_servers,
    ice_servers,
    twilio_servers,
)
from tests.unit.turn_service import Service

ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "secret"}
TOKEN = {"HF_TOKEN": "hf"}
RELAY = {"urls": "turn:relay.example:3478", "username": "u", "credential": "c"}


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def twilio() -> Iterator[Service]:
    with Service({"ice_servers": [RELAY]}, 201) as service:
        yield service


@pytest.fixture
def hugging_face(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Its address is fixed in streamlit-webrtc, so the request is led here on its way."""
    get_hf_ice_servers.clear()
    with Service({"username": "u", "credential": "c"}) as service:
        urlopen = urllib.request.urlopen
        monkeypatch.setattr(
            urllib.request, "urlopen", lambda request, timeout: urlopen(service.url, None, timeout)
        )
        yield service
    get_hf_ice_servers.clear()


def kept(clock: Clock, **providers: Any) -> KeptServers:
    return KeptServers(partial(ice_servers, **providers), clock)


def test_a_passing_failure_of_twilio_is_forgotten_soon(clock: Clock, twilio: Service) -> None:
    servers = kept(clock, twilio=partial(twilio_servers, api=twilio.url))
    twilio.status = 503
    for _ in range(2):
        assert servers.get(ACCOUNT, False).problem == "Twilio: it gave no credentials (HTTPError)."
        clock.now_s += RETRY_S - 1
        assert not servers.get(ACCOUNT, False).turn
        clock.now_s += 1
    assert len(twilio.asked) == 2
    twilio.status = 201
    assert servers.get(ACCOUNT, False).servers[-1] == RELAY
    assert len(twilio.asked) == 3


def test_a_timeout_is_forgotten_soon(
    clock: Clock, twilio: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ice, "_PATIENCE_S", 0.1)
    servers = kept(clock, twilio=partial(twilio_servers, api=twilio.url))
    twilio.gate.clear()
    assert servers.get(ACCOUNT, False).problem == "Twilio: it gave no credentials (ReadTimeout)."
    twilio.gate.set()
    clock.now_s += RETRY_S
    assert servers.get(ACCOUNT, False).turn


def test_a_passing_failure_of_hugging_face_is_forgotten_soon(
    clock: Clock, hugging_face: Service
) -> None:
    servers = kept(clock, hugging_face=hugging_face_servers)
    hugging_face.status = 500
    assert servers.get(TOKEN, False).problem == "Hugging Face: it gave no credentials (ValueError)."
    hugging_face.status = 200
    clock.now_s += RETRY_S
    given = servers.get(TOKEN, False)
    assert (given.turn, given.servers[-1]["username"], given.problem) == (True, "u", "")
    assert len(hugging_face.asked) == 2


def test_good_credentials_are_kept_half_their_life(clock: Clock, twilio: Service) -> None:
    servers = kept(clock, twilio=partial(twilio_servers, api=twilio.url))
    first = servers.get(ACCOUNT, False)
    clock.now_s += KEEP_S - 1
    assert servers.get(ACCOUNT, False) is first
    clock.now_s += 1
    assert servers.get(ACCOUNT, False) is not first
    assert len(twilio.asked) == 2
    assert KEEP_S == 1800


def test_good_credentials_outlast_a_mistake_beside_them(clock: Clock, twilio: Service) -> None:
    servers = kept(clock, twilio=partial(twilio_servers, api=twilio.url))
    settings = {**ACCOUNT, "POSE_TURN_URLS": "turn:half.example"}
    first = servers.get(settings, False)
    assert first.turn
    assert first.problem
    clock.now_s += KEEP_S - 1
    assert servers.get(settings, False) is first


def test_other_settings_have_answers_of_their_own(clock: Clock) -> None:
    servers = KeptServers(lambda settings, own: IceServers(({"urls": own}, settings), False), clock)
    for settings in ({}, TOKEN):
        for own in (False, True):
            assert servers.get(settings, own).servers == ({"urls": own}, settings)


def test_viewers_who_come_together_ask_once(clock: Clock, twilio: Service) -> None:
    servers = kept(clock, twilio=partial(twilio_servers, api=twilio.url))
    twilio.gate.clear()
    threads = [threading.Thread(target=servers.get, args=(ACCOUNT, False)) for _ in range(4)]
    for thread in threads:
        thread.start()
    twilio.gate.set()
    for thread in threads:
        thread.join(60)
    assert len(twilio.asked) == 1
