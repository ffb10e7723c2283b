"""Which STUN and TURN servers are used, and where the page warns."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from streamlit_webrtc.config import compile_rtc_configuration

from pages.ui.live.ice import DEFAULT_STUN, ice_servers, on_own_machine, twilio_servers

ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "secret"}
RELAY = {"urls": "turn:relay.example:3478", "username": "u", "credential": "c"}


def given(settings: Mapping[str, str]) -> list[dict[str, Any]]:
    return [RELAY]


def refused(settings: Mapping[str, str]) -> list[dict[str, Any]]:
    raise ValueError("it does not accept the account or the token.")


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:8501/live", True),
        ("http://127.0.0.1:8501", True),
        ("http://127.1.2.3/", True),
        ("http://[::1]:8501/", True),
        ("http://app.localhost:8501/", True),
        ("http://LOCALHOST.:8501/", True),
        ("https://pose.streamlit.app/live", False),
        ("http://192.168.1.20:8501/", False),
        ("http://localhost.example.org/", False),
        ("", False),
    ],
)
def test_own_machine(url: str, own: bool) -> None:
    assert on_own_machine(url) is own


def test_stun_by_default() -> None:
    ice = ice_servers({}, own_machine=False)
    assert ice.servers == ({"urls": DEFAULT_STUN},)
    assert not ice.turn
    assert not ice.problem


def test_nobody_is_asked_on_the_own_machine() -> None:
    ice = ice_servers({**ACCOUNT, "HF_TOKEN": "hf"}, True, refused, refused)
    assert ice.servers == ()
    assert not ice.problem


def test_plain_credentials_count_everywhere() -> None:
    settings = {
        "POSE_TURN_URLS": "turn:a.example:3478, turns:a.example:5349",
        "POSE_TURN_USERNAME": "u",
        "POSE_TURN_CREDENTIAL": "c",
    }
    for own in (False, True):
        ice = ice_servers(settings, own)
        assert ice.turn
        assert ice.servers[-1] == {
            "urls": ["turn:a.example:3478", "turns:a.example:5349"],
            "username": "u",
            "credential": "c",
        }


def test_own_stun_servers_or_none() -> None:
    ice = ice_servers({"POSE_STUN_URLS": "stun:a.example,stun:b.example"}, False)
    assert [server["urls"] for server in ice.servers] == ["stun:a.example", "stun:b.example"]
    assert ice_servers({"POSE_STUN_URLS": ""}, False).servers == ()
    assert ice_servers({"POSE_STUN_URLS": "stun:a.example"}, True).servers != ()


def test_twilio_before_hugging_face() -> None:
    ice = ice_servers({**ACCOUNT, "HF_TOKEN": "hf"}, False, given, refused)
    assert ice.servers == ({"urls": DEFAULT_STUN}, RELAY)
    assert ice.turn


def test_a_service_that_refuses_is_told_and_the_next_one_is_asked() -> None:
    ice = ice_servers(ACCOUNT, False, refused, given)
    assert not ice.turn
    assert ice.problem == "Twilio: it does not accept the account or the token."
    assert ice.servers == ({"urls": DEFAULT_STUN},)
    assert ice_servers({**ACCOUNT, "HF_TOKEN": "hf"}, False, refused, given).turn


def test_half_an_account_is_told() -> None:
    ice = ice_servers({"TWILIO_ACCOUNT_SID": "AC1"}, False, given, given)
    assert ice.problem == "Twilio: TWILIO_AUTH_TOKEN is not set."


def test_streamlit_webrtc_understands_every_form() -> None:
    plain = {"POSE_TURN_URLS": "turn:a.example", "POSE_TURN_USERNAME": "u"}
    for ice in (ice_servers(plain, False), ice_servers(ACCOUNT, False, given)):
        compiled = compile_rtc_configuration({"iceServers": list(ice.servers)})
        assert len(compiled.iceServers or []) == 2


@contextmanager
def twilio(status: int, body: object) -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """A server of our own that answers as Twilio does; what was asked is kept."""
    asked: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is http.server's
            data = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, self.headers["Authorization"], data))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_twilios_answer() -> None:
    offered = [
        {"url": "stun:global.example", "urls": "stun:global.example"},
        {
            "url": "turn:global.example",
            "urls": "turn:global.example",
            "username": "u",
            "credential": "c",
        },
    ]
    with twilio(201, {"ice_servers": offered}) as (api, asked):
        servers = twilio_servers(ACCOUNT, api)
    assert servers == [
        {"urls": "stun:global.example"},
        {"urls": "turn:global.example", "username": "u", "credential": "c"},
    ]
    ((path, authorization, data),) = asked
    assert path == "/2010-04-01/Accounts/AC1/Tokens.json"
    assert base64.b64decode(authorization.split()[1]) == b"AC1:secret"
    assert data == b"Ttl=3600"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {}, "does not accept"),
        (500, {}, "gave no credentials"),
        (201, {"nothing": 1}, "gave no credentials"),
        (201, {"ice_servers": [{"urls": "stun:only.example"}]}, "no TURN server"),
    ],
)
def test_twilio_without_credentials(status: int, body: object, words: str) -> None:
    with twilio(status, body) as (api, _), pytest.raises(ValueError, match=words):
        twilio_servers(ACCOUNT, api)


def test_twilio_out_of_reach() -> None:
    with pytest.raises(ValueError, match="ConnectionError"):
        twilio_servers(ACCOUNT, "http://127.0.0.1:9")
