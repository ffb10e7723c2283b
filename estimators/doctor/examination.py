"""All checks, in the order in which faults follow from each other."""

from __future__ import annotations

from collections.abc import Iterator

from estimators import settings
from estimators.doctor import live, machine, media, models, packages
from estimators.doctor.report import Check, Finding, guarded


def settings_read() -> Iterator[Finding]:
    """The environment variables.

    Raises:
        InputError: one of them cannot be used.
    """
    settings.current()
    yield Finding("settings", "fine", "can be used")


CHECKS: dict[str, Check] = {
    "Python": packages.python,
    "settings": settings_read,
    "packages": packages.installed,
    "imports": packages.imports,
    "graphics libraries": machine.graphics,
    "codecs and fonts": media.media,
    "weights": models.weights_here,
    "models": models.models_answer,
    "processor": machine.processor,
    "memory": machine.memory,
    "folders": machine.folders,
    "port": machine.port,
    "TURN": live.turn,
}


def examine() -> Iterator[Finding]:
    """What every check found, one after another; takes some ten seconds."""
    for name, check in CHECKS.items():
        yield from guarded(name, check)
