"""What the settings of the Live page's STUN and TURN servers say, without asking anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Server = dict[str, Any]
SETTINGS = (
    "POSE_STUN_URLS",
    "POSE_TURN_URLS",
    "POSE_TURN_USERNAME",
    "POSE_TURN_CREDENTIAL",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "HF_TOKEN",
)
_TURN = ("POSE_TURN_URLS", "POSE_TURN_USERNAME", "POSE_TURN_CREDENTIAL")
# What browser and aiortc both understand; either of them gives up at anything else.
_FORMS = {
    "POSE_STUN_URLS": (re.compile(r"stuns?:[A-Za-z0-9.-]+(:\d{1,5})?"), "`stun:host:port`"),
    "POSE_TURN_URLS": (
        re.compile(r"turns?:[A-Za-z0-9.-]+(:\d{1,5})?(\?transport=(udp|tcp))?"),
        "`turn:host:port` or `turns:host:port`",
    ),
}


def named_turn(given: Mapping[str, str], problems: list[str]) -> list[Server]:
    """The TURN server that is set by name, if it is complete."""
    urls = addresses(given, "POSE_TURN_URLS", problems)
    if not complete(given, _TURN, "The TURN server", problems) or not urls:
        return []
    _, username, credential = _TURN
    return [{"urls": urls, "username": given[username], "credential": given[credential]}]


def complete(
    given: Mapping[str, str], needed: Sequence[str], who: str, problems: list[str]
) -> bool:
    """Whether all that `who` needs is set; told in `problems` where it is set by halves."""
    missing = [name for name in needed if not given.get(name)]
    if missing and len(missing) < len(needed):
        problems.append(f"{who} is left out: set {' and '.join(missing)}, too.")
    return not missing


def addresses(given: Mapping[str, str], name: str, problems: list[str]) -> list[str]:
    """The well-formed ones of a list; the others are told by their place: one may hold a secret."""
    form, example = _FORMS[name]
    listed = [url.strip() for url in given.get(name, "").split(",") if url.strip()]
    wrong = [str(place) for place, url in enumerate(listed, 1) if not form.fullmatch(url)]
    if wrong:
        places = f"{' and '.join(wrong)} of {len(listed)}"
        problems.append(f"{name} has to read {example}; left out: number {places}.")
    return [url for url in listed if form.fullmatch(url)]
