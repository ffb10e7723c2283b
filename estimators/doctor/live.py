"""The TURN server of the Live page: whether it is set up, and whether it answers."""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Iterator
from urllib.parse import urlsplit

from estimators.doctor.report import Finding
from estimators.settings import Settings
from estimators.workflows.live.ice_settings import SETTINGS, named_turn

_PATIENCE_S = 3.0
# STUN's binding request and what every server answers with (RFC 8489, section 5).
_REQUEST, _COOKIE = 0x0001, 0x2112A442


def turn(settings: Settings) -> Iterator[Finding]:
    """What the settings say, and whether the servers that they name answer."""
    given = settings.given(SETTINGS)
    problems: list[str] = []
    servers = named_turn(given, problems)
    if problems:
        yield Finding("TURN", "broken", " ".join(problems), "docs/live.md, Settings, tells how.")
    service = next((n for n in ("TWILIO_ACCOUNT_SID", "HF_TOKEN") if n in given), "")
    if not servers and not problems:
        words = f"by {service}" if service else "none: enough on this machine or in one network"
        advice = "" if service else "For others, elsewhere: POSE_TURN_URLS (docs/live.md)."
        yield Finding("TURN", "fine", words, advice)
    for url in (url for server in servers for url in server["urls"]):
        place = url.partition(":")[2].partition("?")[0]
        if answers(url):
            yield Finding("TURN", "fine", f"{place} answers")
        else:
            yield Finding(
                "TURN",
                "note",
                f"{place} does not answer from here within {_PATIENCE_S:g} s",
                "Correct the address, start the server, or open the way to it.",
            )


def answers(url: str) -> bool:
    """Whether the server of a `turn:` or `turns:` address can be reached."""
    scheme, _, rest = url.partition(":")
    place, _, query = rest.partition("?")
    try:
        found = urlsplit(f"//{place}")
        where = found.hostname or "", found.port or (5349 if scheme == "turns" else 3478)
        if scheme == "turns" or query == "transport=tcp":
            with socket.create_connection(where, _PATIENCE_S):
                return True
        return _answers_datagrams(where)
    except (OSError, ValueError):  # ValueError: there is no such port
        return False


def _answers_datagrams(where: tuple[str, int]) -> bool:
    family, kind, protocol, _, place = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0]
    transaction = secrets.token_bytes(12)
    request = struct.pack(">HHI", _REQUEST, 0, _COOKIE) + transaction
    with socket.socket(family, kind, protocol) as datagrams:
        datagrams.settimeout(_PATIENCE_S / 2)
        datagrams.connect(place)
        for _ in range(2):  # a datagram may be lost
            datagrams.send(request)
            try:
                return datagrams.recv(1500)[8:20] == transaction
            except TimeoutError:
                continue
    return False
