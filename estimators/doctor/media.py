"""Codecs, fonts and the device, found out where the packages are loaded: in a child process."""

from __future__ import annotations

from collections.abc import Iterator

from estimators import libraries
from estimators.doctor.packages import child
from estimators.doctor.report import INSTALL, Finding

_CHILD = "estimators.doctor.media_child"
_MEANING = {
    "clips": "reading and writing clips",
    "pictures": "reading pictures",
    "fonts": "text on pictures",
    "device": "device",
}
_REPAIRS = {"device": "Set POSE_DEVICE=auto, or see docs/gpu.md for what a GPU needs."}


def media() -> Iterator[Finding]:
    """What `media_child` finds: for each name what is there, or "-" and what is wrong."""
    found = child(_CHILD)
    if isinstance(found, str):
        yield Finding("codecs and fonts", "broken", found, libraries.cure(found) or INSTALL)
        return
    for name, words in found.items():
        wrong = words.startswith("-")
        words = words.removeprefix("-")
        repair = (libraries.cure(words) or _REPAIRS.get(name, INSTALL)) if wrong else ""
        yield Finding(_MEANING[name], "broken" if wrong else "fine", words, repair)
