"""What the app and a decoder's process say to each other; pickled by `multiprocessing.connection`.

The app asks with `Call`; the child answers with `Given`, `Raised`, and after the last item of a
stream with `Ended`.  Before every further item of a stream the app says `Next`, or `Stop`.  Values
are not in here: a file whose descriptor follows `Given` holds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from estimators.errors import PoseError


@dataclass(frozen=True)
class Ready:
    """The child can be asked."""


@dataclass(frozen=True)
class Call:
    """Call `function` ("module:name") with `arguments`; a `stream` is an iterator of values."""

    function: str
    arguments: tuple[Any, ...]
    stream: bool = False


@dataclass(frozen=True)
class Next:
    """The next item, please."""


@dataclass(frozen=True)
class Stop:
    """No further item."""


@dataclass(frozen=True)
class Ended:
    """There is no further item, or it was stopped."""


@dataclass(frozen=True)
class Given:
    """A value; the descriptor of a file with its parts, one behind the other, follows.

    Attributes:
        sizes: bytes of the pickle, then of each of its out-of-band buffers (PEP 574).
        readonly: of each of these buffers.
    """

    sizes: tuple[int, ...]
    readonly: tuple[bool, ...]


@dataclass(frozen=True)
class Raised:
    """The call ended with an exception; `error` is our own kind, if it is one."""

    error: PoseError | None
    description: str
    memory: bool = False
