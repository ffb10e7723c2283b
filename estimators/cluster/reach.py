"""The way to a Ray cluster elsewhere: its token, what answers there, and why nothing does."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from estimators.errors import InputError, first_line

CLIENT = "ray://"
JOBS = ("http://", "https://")
# The server of a client may die while it is started, about one in 14 (ray#63202).
_TRIES = 3
_PATIENCE_S = 10.0
_TOKEN = (
    "The cluster asks for a token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN (or "
    "RAY_AUTH_TOKEN_PATH, a file) to what `ray get-auth-token` says on its head."
)
_ADVICE = {
    CLIENT: "Check the address: the port is that of "
    "`ray start --head --ray-client-server-port=10001`. `--on auto` starts a cluster here.",
    "http": "Check the address; it is the dashboard's, such as http://head:8265.",
    "": "Check the address, or give `--on auto` for one on this machine.",
}


def show_token() -> None:
    """Has Ray show the token that is here, if any, to whoever asks; before `ray` is imported.

    Ray does so by itself when it starts a cluster or joins one on this machine, and then makes
    `~/.ray/auth_token`, so that every cluster started here later asks for it; but it shows none to
    `ray://` and `http://`, and calls that a timeout.
    """
    told = os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH")
    if told or _token_of_ray():
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _token_of_ray() -> bool:
    """Whether Ray has made one here; no user without a home has."""
    try:
        return Path.home().joinpath(".ray", "auth_token").is_file()
    except (RuntimeError, OSError):  # a container's user that no list knows, or another's home
        return False


def join(ray: Any, address: str, told: dict[str, Any]) -> None:
    """Connects to a cluster that is there.

    Raises:
        Exception: what Ray raises, or InputError; see `not_reached`.
    """
    if not address.startswith(CLIENT):
        ray.init(address=address, **told)
        return
    _require_listening(address)
    with _listening_to_client() as heard:
        for left in reversed(range(_TRIES)):
            try:
                ray.init(address=address, **told)
                return
            except ConnectionAbortedError:
                ray.shutdown()
                if not left:
                    raise
            except ConnectionError as error:  # no more than "timeout", whatever it was
                raise ConnectionError(heard[-1] if heard else first_line(error)) from error


def not_reached(address: str, error: Exception) -> InputError:
    """What to say of a cluster that could not be joined."""
    if isinstance(error, InputError):
        return error
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    why = first_line(error, 200)
    if why.endswith(":") and len(lines) > 1:  # the cause is the last line of a traceback
        why = f"{why} {lines[-1][:200]}"
    why = why.rstrip(".")
    return InputError(f"There is no Ray cluster at {address}: {why}.", advice(address, why))


def advice(address: str, why: str) -> str:
    """What to do about it."""
    if "uthenticat" in why or "uthorization" in why:
        return _TOKEN
    return next(text for start, text in _ADVICE.items() if address.startswith(start))


def _require_listening(address: str) -> None:
    """Else Ray waits half a minute and says nothing of the cause."""
    try:
        parts = urlsplit(address)
        if parts.hostname is None or parts.port is None:
            raise ValueError("the address has no port")
        socket.create_connection((parts.hostname, parts.port), _PATIENCE_S).close()
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or first_line(error)
        raise InputError(f"Nothing answers at {address}: {why}.", _ADVICE[CLIENT]) from error


@contextmanager
def _listening_to_client() -> Iterator[list[str]]:
    """What the server said to a client that it did not take, which Ray only notes for itself."""
    logger = logging.getLogger("ray.util.client.worker")
    handler, before = _Refusals(), (logger.level, logger.propagate)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield handler.heard
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])  # as an attribute it would be remembered for debug messages
        logger.propagate = before[1]


class _Refusals(logging.Handler):
    _BEGIN = "Received when checking init: "

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if said.startswith(self._BEGIN):
            self.heard.append(first_line(said.removeprefix(self._BEGIN), 200))
