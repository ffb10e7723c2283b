"""What options take: numbers within limits, folders, seconds."""

from __future__ import annotations

import argparse
import math
from contextlib import suppress
from pathlib import Path

from estimators.remote import Remote, place


class Whole:
    """Takes a whole number from `low` to `high`."""

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high

    def __call__(self, text: str) -> int:
        try:
            number = int(text)  # Python itself refuses to read thousands of digits
        except ValueError:
            number, why = 0, "is not possible"
        else:
            why = "is too small" if number < self._low else "is too large"
            if self._low <= number <= self._high:
                return number
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise argparse.ArgumentTypeError(
            f"{shown!r} {why}: give a whole number from {self._low} to {self._high}"
        )


def folder(text: str) -> Path | Remote:
    """A folder here or at an address."""
    if not text:  # `Path` would take it for the present folder
        raise argparse.ArgumentTypeError("an empty name is no folder")
    return place(text)


def share(text: str) -> float:
    """A number of devices: a fraction of one, or whole ones."""
    with suppress(ValueError):
        given = float(text)
        if 0 <= given <= 1 or (given <= 64 and given.is_integer()):
            return given
    raise argparse.ArgumentTypeError(f"{text!r} is no share: give 0 to 1, or a whole number")


def seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (given := float(text)) < math.inf:
            return given
    raise argparse.ArgumentTypeError(f"{text!r} is not a time: give seconds, 0 or more")
