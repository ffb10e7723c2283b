"""Through which servers browser and app find each other: STUN by default, TURN where it is set.

A STUN server tells each side its public address; a TURN server carries the video where no direct
way exists, as on most hosting services.  `docs/live.md` says which settings there are.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

DEFAULT_STUN = "stun:stun.l.google.com:19302"
TWILIO = "https://api.twilio.com"
# Longer than a visit, shorter than anybody would want to find credentials in a log.
_LIFETIME_S = 3600
_PATIENCE_S = 8
SETTINGS = (
    "POSE_STUN_URLS",
    "POSE_TURN_URLS",
    "POSE_TURN_USERNAME",
    "POSE_TURN_CREDENTIAL",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "HF_TOKEN",
)

Server = dict[str, Any]
Provider = Callable[[Mapping[str, str]], list[Server]]


@dataclass(frozen=True)
class IceServers:
    """What both ends are told.

    Attributes:
        servers: as `RTCPeerConnection` takes them.
        turn: whether one of them carries video.
        problem: why a TURN service that is set up cannot be used, "" otherwise.
    """

    servers: tuple[Server, ...]
    turn: bool
    problem: str = ""


def on_own_machine(url: str) -> bool:
    """Whether `url` is an address that leads back to the machine that the browser runs on."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def ice_servers(
    settings: Mapping[str, str],
    own_machine: bool,
    twilio: Provider | None = None,
    hugging_face: Provider | None = None,
) -> IceServers:
    """The servers that `settings` (names in `SETTINGS`) ask for.

    On the browser's own machine nothing lies in between: only what was set by name
    (`POSE_STUN_URLS`, `POSE_TURN_URLS`) is used and nobody outside is asked.

    Args:
        twilio, hugging_face: fetch short-lived credentials; raise ValueError when they get none.
    """
    stun = _stun(settings, own_machine)
    if _listed(settings, "POSE_TURN_URLS"):
        return IceServers((*stun, _plain(settings)), True)
    if own_machine:
        return IceServers(tuple(stun), False)
    problems = []
    for name, needed, provider in (
        ("Twilio", ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"), twilio or twilio_servers),
        ("Hugging Face", ("HF_TOKEN",), hugging_face or hugging_face_servers),
    ):
        missing = [key for key in needed if not settings.get(key)]
        if len(missing) == len(needed):
            continue
        if missing:
            problems.append(f"{name}: {missing[0]} is not set.")
            continue
        try:
            return IceServers((*stun, *provider(settings)), True)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    return IceServers(tuple(stun), False, " ".join(problems))


def twilio_servers(settings: Mapping[str, str], api: str = TWILIO) -> list[Server]:
    """Twilio's Network Traversal Service.  Raises ValueError when it gives no credentials."""
    account = settings["TWILIO_ACCOUNT_SID"]
    try:
        response = requests.post(
            f"{api}/2010-04-01/Accounts/{account}/Tokens.json",
            data={"Ttl": _LIFETIME_S},
            auth=(account, settings["TWILIO_AUTH_TOKEN"]),
            timeout=_PATIENCE_S,
        )
        if response.status_code in (401, 403):
            raise ValueError("it does not accept the account or the token.")
        response.raise_for_status()
        servers = [
            {key: server[key] for key in ("urls", "username", "credential") if server.get(key)}
            for server in response.json()["ice_servers"]
        ]
    except (requests.RequestException, KeyError, TypeError) as error:
        raise ValueError(f"it gave no credentials ({type(error).__name__}).") from error
    if not any(str(server.get("urls", "")).startswith("turn") for server in servers):
        raise ValueError("it gave no TURN server.")
    return servers


def hugging_face_servers(settings: Mapping[str, str]) -> list[Server]:
    """Hugging Face's shared TURN servers.  Raises ValueError when they give no credentials."""
    from streamlit_webrtc import get_hf_ice_servers

    try:
        return [dict(server) for server in get_hf_ice_servers(settings["HF_TOKEN"])]
    except Exception as error:  # whatever its helper meets must not stop the page
        raise ValueError(f"it gave no credentials ({type(error).__name__}).") from error


def _stun(settings: Mapping[str, str], own_machine: bool) -> list[Server]:
    default = "" if own_machine else DEFAULT_STUN
    urls = _listed({"POSE_STUN_URLS": default, **settings}, "POSE_STUN_URLS")
    return [{"urls": url} for url in urls]


def _plain(settings: Mapping[str, str]) -> Server:
    server: Server = {"urls": _listed(settings, "POSE_TURN_URLS")}
    for key, name in (("username", "POSE_TURN_USERNAME"), ("credential", "POSE_TURN_CREDENTIAL")):
        if settings.get(name):
            server[key] = settings[name]
    return server


def _listed(settings: Mapping[str, str], name: str) -> list[str]:
    return [url.strip() for url in settings.get(name, "").split(",") if url.strip()]
