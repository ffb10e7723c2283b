"""Which STUN and TURN servers are used, and where the page warns."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from streamlit_webrtc.config import compile_rtc_configuration

from pages.ui.live.ice import (
    DEFAULT_STUN,
    IceServers,
    ice_servers,
    on_own_machine,
    twilio_servers,
)
from tests.unit.turn_service import Service

ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "secret"}
PLAIN = {
    "POSE_TURN_URLS": "turn:a.example:3478, turns:a.example:5349",
    "POSE_TURN_USERNAME": "u",
    "POSE_TURN_CREDENTIAL": "c",
}
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
    for own in (False, True):
        ice = ice_servers(PLAIN, own)
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


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"TWILIO_ACCOUNT_SID": "AC1"}, "Twilio is left out: set TWILIO_AUTH_TOKEN, too."),
        (
            {**ACCOUNT, "TWILIO_ACCOUNT_SID": " "},
            "Twilio is left out: set TWILIO_ACCOUNT_SID, too.",
        ),
        (
            {name: PLAIN[name] for name in ("POSE_TURN_URLS", "POSE_TURN_USERNAME")},
            "The TURN server is left out: set POSE_TURN_CREDENTIAL, too.",
        ),
        (
            {"POSE_TURN_URLS": "turn:a.example:3478"},
            "The TURN server is left out: set POSE_TURN_USERNAME and POSE_TURN_CREDENTIAL, too.",
        ),
        (
            {"POSE_TURN_USERNAME": "u", "POSE_TURN_CREDENTIAL": "c"},
            "The TURN server is left out: set POSE_TURN_URLS, too.",
        ),
    ],
)
def test_what_is_set_by_halves_is_told_and_left_out(
    settings: Mapping[str, str], problem: str
) -> None:
    ice = ice_servers(settings, False, refused, refused)
    assert ice == IceServers(ice_servers({}, False).servers, False, problem)
    # As if it were not set: the next service is asked.
    assert ice_servers({**settings, "HF_TOKEN": "hf"}, False, given, given) == IceServers(
        ({"urls": DEFAULT_STUN}, RELAY), True, problem
    )


@pytest.mark.parametrize(
    "url",
    [
        "relay.example:3478",
        "turn://relay.example:3478",
        "https://relay.example",
        "stun:relay.example",
        "turn:hidden:word@relay.example",
        "turn:relay.example:port",
        "turn:relay.example?transport=sctp",
        "turn:[::1]:3478",
        "turn:",
    ],
)
@pytest.mark.parametrize("own", [False, True])
def test_a_malformed_address_is_told_and_left_out(url: str, own: bool) -> None:
    ice = ice_servers({**PLAIN, "POSE_TURN_URLS": url}, own)
    assert (ice.servers, ice.turn) == (ice_servers({}, own).servers, False)
    assert ice.problem == (
        "POSE_TURN_URLS has to read `turn:host:port` or `turns:host:port`; left out: number 1 of 1."
    )


def test_the_good_addresses_beside_malformed_ones_are_used() -> None:
    urls = "nothing, turn:a.example:3478?transport=tcp, turns:, turns:b.example"
    stun = "stun.a.example,stuns:b.example:443"
    ice = ice_servers({**PLAIN, "POSE_TURN_URLS": urls, "POSE_STUN_URLS": stun}, False)
    assert ice.turn
    assert [server["urls"] for server in ice.servers] == [
        "stuns:b.example:443",
        ["turn:a.example:3478?transport=tcp", "turns:b.example"],
    ]
    assert ice.problem == (
        "POSE_STUN_URLS has to read `stun:host:port`; left out: number 1 of 2. "
        "POSE_TURN_URLS has to read `turn:host:port` or `turns:host:port`; "
        "left out: number 1 and 3 of 4."
    )


def test_spaces_around_what_was_pasted_do_not_count() -> None:
    pasted = {name: f" {value}\n" for name, value in PLAIN.items()}
    assert ice_servers(pasted, False) == ice_servers(PLAIN, False)


def test_streamlit_webrtc_understands_every_form() -> None:
    for ice in (ice_servers(PLAIN, False), ice_servers(ACCOUNT, False, given)):
        compiled = compile_rtc_configuration({"iceServers": list(ice.servers)})
        assert len(compiled.iceServers or []) == 2


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
    with Service({"ice_servers": offered}, 201) as service:
        servers = twilio_servers(ACCOUNT, service.url)
    assert servers == [
        {"urls": "stun:global.example"},
        {"urls": "turn:global.example", "username": "u", "credential": "c"},
    ]
    ((path, authorization, data),) = service.asked
    assert path == "/2010-04-01/Accounts/AC1/Tokens.json"
    assert base64.b64decode(authorization.split()[1]) == b"AC1:secret"
    assert data == b"Ttl=3600"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {}, "does not accept"),
        (500, {}, "gave no credentials"),
        (201, {"nothing": 1}, "gave no credentials"),
        (201, {"ice_servers": None}, "gave no credentials"),
        (201, {"ice_servers": ["turn:only.example"]}, "gave no credentials"),
        (201, {"ice_servers": [{"urls": "stun:only.example"}]}, "no TURN server"),
        (201, {"ice_servers": [{"urls": "turn:no.name.example"}]}, "no TURN server"),
    ],
)
def test_twilio_without_credentials(status: int, body: object, words: str) -> None:
    with Service(body, status) as service, pytest.raises(ValueError, match=words):
        twilio_servers(ACCOUNT, service.url)


def test_letters_that_no_account_has() -> None:
    with pytest.raises(ValueError, match="UnicodeEncodeError"):
        twilio_servers({**ACCOUNT, "TWILIO_AUTH_TOKEN": "…"}, "http://127.0.0.1:9")


def test_twilio_out_of_reach() -> None:
    with pytest.raises(ValueError, match="ConnectionError"):
        twilio_servers(ACCOUNT, "http://127.0.0.1:9")
