"""How the text of a setting becomes its value: name, text and advice in, or InputError."""

from __future__ import annotations

from pathlib import Path

from estimators.errors import InputError

# Python itself refuses to read thousands of digits, and nobody has so many megabytes.
_MOST_DIGITS = 12
LONGEST_SHOWN = 40


def whole(name: str, text: str, advice: str) -> int:
    if not text.isdecimal() or len(text) > _MOST_DIGITS or int(text) == 0:
        raise InputError(f"{name} is {text[:LONGEST_SHOWN]!r}.", advice)
    return int(text)


def seconds(name: str, text: str, advice: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 600:  # "nan" is not, either
        raise InputError(f"{name} is {text[:LONGEST_SHOWN]!r}.", advice)
    return seconds


def path(name: str, text: str, advice: str) -> Path:
    return Path(text)


def text(name: str, text: str, advice: str) -> str:
    return text
