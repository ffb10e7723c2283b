"""Why a download failed, in words: no status codes, no names of exceptions."""

from __future__ import annotations

import re

_REFUSED = "the server, or a proxy on the way to it, does not give it to this machine"
_STATUS = {
    401: _REFUSED,
    403: _REFUSED,
    407: "the proxy on the way asks for a password",
    451: _REFUSED,
    404: "the server has no such file (any more)",
    410: "the server has no such file (any more)",
    429: "the server is asked too often right now",
}
SERVERS_FAULT = "the server has a fault of its own right now"
_OTHER = "the server gave something else"
UNREACHABLE = "the server cannot be reached from this machine"
# What libraries say of a connection, in the order in which it is looked for: one text may hold
# the words of several, as the outer errors quote the inner ones.
_CONNECTION = (
    (
        "name resolution|NameResolution|getaddrinfo|Name or service|nodename nor servname"
        "|No address",
        "the server's name cannot be looked up: this machine seems to have no Internet connection",
    ),
    (
        r"CERTIFICATE|\bSSL|certificate",
        "no safe connection to the server came about: a proxy may stand in between, or this "
        "machine's clock may be wrong",
    ),
    (r"[Pp]roxy", "the proxy that this machine is set to use does not let it through"),
    (r"timed? ?out|Timeout|nothing arrived", "the server did not answer in time"),
    (
        r"cut again|IncompleteRead|[Rr]eset|broken|aborted|RemoteDisconnected",
        "the connection broke off",
    ),
    (r"[Rr]efused|unreachable|[Nn]o route", UNREACHABLE),
)


def of_status(code: int) -> str:
    """What an HTTP status (RFC 9110, section 15) means for whoever wanted a file."""
    return _STATUS.get(code) or (SERVERS_FAULT if code >= 500 else _OTHER)


def of_connection(said: str) -> str:
    """What a library's error means; `said` is its text, or the last words of a program."""
    status = re.search(r"HTTP(?: Error|/\d\S*)? (\d{3})", said)
    if status is not None:
        return of_status(int(status[1]))
    for pattern, words in _CONNECTION:
        if re.search(pattern, said):
            return words
    return UNREACHABLE
