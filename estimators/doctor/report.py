"""What one check found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from estimators import libraries
from estimators.errors import PoseError

State = Literal["fine", "note", "broken"]
INSTALL = "Run `make run`, or `python -m pip install -r requirements.txt` in the environment."


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        name: what was looked at, in a few words.
        state: "broken" where something does not work; "note" where it works with less than usual.
        found: what is there, or what is wrong.
        repair: what to do; "" where nothing is to be done.
    """

    name: str
    state: State
    found: str
    repair: str = ""


Check = Callable[[], Iterable[Finding]]


def guarded(name: str, check: Check) -> Iterator[Finding]:
    """The findings of `check`; one that says why where it cannot be made.

    A package that is absent or broken stops the checks that need it, not the others.
    """
    try:
        yield from check()
    except PoseError as error:
        yield Finding(name, "broken", error.message, error.advice)
    except ImportError as error:
        yield Finding(
            name, "broken", f"cannot be checked: {error}", libraries.cure(error) or INSTALL
        )
    except Exception as error:  # noqa: BLE001 - one check's fault must not hide the others
        yield Finding(name, "broken", f"cannot be checked: {type(error).__name__}: {error}")
