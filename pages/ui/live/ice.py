"""Through which servers browser and app find each other: STUN by default, TURN where it is set.

A STUN server tells each side its public address; a TURN server carries the video where no direct
way exists, as on most hosting services.  `docs/live.md` says which settings there are.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from estimators.workflows.live.ice_settings import Server, addresses, complete, named_turn

DEFAULT_STUN = "stun:stun.l.google.com:19302"
TWILIO = "https://api.twilio.com"
# Longer than a visit, shorter than anybody would want to find credentials in a log.
_LIFETIME_S = 3600
_PATIENCE_S = 8
KEEP_S = _LIFETIME_S / 2
RETRY_S = 30.0
Provider = Callable[[Mapping[str, str]], list[Server]]


@dataclass(frozen=True)
class IceServers:
    """What both ends are told.

    Attributes:
        servers: as `RTCPeerConnection` takes them.
        turn: whether one of them carries video.
        problem: what is set up and cannot be used, why, and what to do, in sentences that name
            no value of a setting; "" otherwise.
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
    """The servers that `settings` (names in `ice_settings.SETTINGS`) ask for.

    On the browser's own machine nothing lies in between: only what was set by name
    (`POSE_STUN_URLS`, `POSE_TURN_URLS`) is used and nobody outside is asked.  What is set by halves
    or malformed is left out as if it were not set, and told in `problem`.

    Args:
        twilio, hugging_face: fetch short-lived credentials; raise ValueError when they get none.
    """
    given = {name: text.strip() for name, text in settings.items()}
    given.setdefault("POSE_STUN_URLS", "" if own_machine else DEFAULT_STUN)
    problems: list[str] = []
    stun = [{"urls": url} for url in addresses(given, "POSE_STUN_URLS", problems)]
    named = named_turn(given, problems)
    if named or own_machine:
        return IceServers((*stun, *named), bool(named), " ".join(problems))
    failures = []
    for who, needed, provider in (
        ("Twilio", ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"), twilio or twilio_servers),
        ("Hugging Face", ("HF_TOKEN",), hugging_face or hugging_face_servers),
    ):
        if not complete(given, needed, who, problems):
            continue
        try:
            return IceServers((*stun, *provider(given)), True, " ".join(problems))
        except ValueError as error:
            failures.append(f"{who}: {error}")
    return IceServers(tuple(stun), False, " ".join(problems + failures))


class KeptServers:
    """`ice_servers`, asked anew before credentials run out and soon after there were none.

    Args:
        ask: takes the settings and whether the browser is on this machine.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        ask: Callable[[Mapping[str, str], bool], IceServers] = ice_servers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._clock = ask, clock
        self._kept: dict[tuple[object, ...], tuple[float, IceServers]] = {}
        self._lock = threading.Lock()

    def get(self, settings: Mapping[str, str], own_machine: bool) -> IceServers:
        """As `ice_servers`.  Whoever comes while a service is asked waits for its answer."""
        key = (own_machine, *sorted(settings.items()))
        with self._lock:
            until_s, ice = self._kept.get(key, (0.0, None))
            if ice is None or self._clock() >= until_s:
                ice = self._ask(settings, own_machine)
                lasts_s = KEEP_S if ice.turn or not ice.problem else RETRY_S
                self._kept[key] = (self._clock() + lasts_s, ice)
            return ice


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
        return _with_turn(response.json()["ice_servers"])
    # UnicodeError: an account or a token with letters that no request can carry.
    except (
        requests.RequestException,
        UnicodeError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise ValueError(f"it gave no credentials ({type(error).__name__}).") from error


def hugging_face_servers(settings: Mapping[str, str]) -> list[Server]:
    """Hugging Face's shared TURN servers.  Raises ValueError when they give no credentials."""
    from streamlit_webrtc import get_hf_ice_servers

    try:
        servers = get_hf_ice_servers(settings["HF_TOKEN"])
    except Exception as error:  # whatever its helper meets must not stop the page
        raise ValueError(f"it gave no credentials ({type(error).__name__}).") from error
    return _with_turn(servers)


def _with_turn(offered: Iterable[Mapping[str, Any]]) -> list[Server]:
    """The servers that a browser takes.  Raises ValueError when none of them carries video."""
    keys = ("urls", "username", "credential")
    servers = [{key: server[key] for key in keys if server.get(key)} for server in offered]
    if not any(len(server) == len(keys) for server in servers):
        raise ValueError("it gave no TURN server.")
    # A browser refuses a TURN server without credentials, and all the others with it.
    return [
        server
        for server in servers
        if len(server) == len(keys) or str(server.get("urls", "")).startswith("stun")
    ]
