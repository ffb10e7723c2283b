"""All checks, in the order in which faults follow from each other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from estimators import settings
from estimators.doctor import live, machine, media, models, packages
from estimators.doctor.report import Check, Finding, guarded
from estimators.errors import InputError
from estimators.settings import Settings


def settings_read() -> Iterator[Finding]:
    """The environment variables.

    Raises:
        InputError: one of them cannot be used.
    """
    settings.current()
    yield Finding("settings", "fine", "can be used")


def checks(given: Settings) -> dict[str, Check]:
    """Every check by its name, of a product that is set like this."""
    return {
        "Python": packages.python,
        "settings": settings_read,
        "packages": packages.installed,
        "imports": packages.imports,
        "graphics libraries": machine.graphics,
        "codecs and fonts": media.media,
        "weights": models.weights_here,
        "models": partial(models.models_answer, given),
        "processor": machine.processor,
        "memory": partial(machine.memory, given.memory_mb),
        "folders": machine.folders,
        "port": machine.port,
        "TURN": partial(live.turn, given),
    }


def examine() -> Iterator[Finding]:
    """What every check found, one after another; takes some ten seconds."""
    try:
        given = settings.current()
    except InputError:  # one of the findings; what it does not concern is checked by the defaults
        given = Settings()
    for name, check in checks(given).items():
        yield from guarded(name, check)
