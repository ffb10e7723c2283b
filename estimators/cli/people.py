"""`--people`: how many people each model is asked for, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from estimators.analysis.clip import ClipEstimates
from estimators.errors import InputError
from estimators.registry import ModelSpec, get

_ADVICE = "Give a whole number, or MODEL=NUMBER for one of the models that are compared."


def asked_people(texts: Sequence[str], specs: Sequence[ModelSpec]) -> Mapping[str, int]:
    """Most people by model, as `--people 3` or `--people blazepose-full=3,…` ask for them.

    A number alone is for every model and no more than each can find; the last one given counts.

    Raises:
        InputError: no number of 1 or more, a model that is not compared, or more than it can find.
    """
    chosen = {spec.key: spec for spec in specs}
    asked: dict[str, int] = {}
    for item in (item.strip() for text in texts for item in text.split(",")):
        key, equals, number = item.rpartition("=")
        # Longer numbers are no people; Python refuses to read very long ones.
        if not (number.isascii() and number.isdecimal() and len(number) < 10 and int(number) >= 1):
            raise InputError(f"--people {item!r} is no number of people.", _ADVICE)
        if not equals:
            asked |= {spec.key: min(int(number), spec.max_people) for spec in specs}
            continue
        if key not in chosen:
            raise InputError(f"--people {item!r}: {key!r} is not compared.", _ADVICE)
        most = chosen[key].max_people
        if int(number) > most:
            who = "one person" if most == 1 else f"{most} people"
            raise InputError(
                f"--people {item!r}: {chosen[key].title} finds {who} at most.", "Ask for fewer."
            )
        asked[key] = int(number)
    return asked


def held_back(estimates: Iterable[ClipEstimates]) -> list[str]:
    """A paragraph on the models that were not asked for everybody they can find; or none."""
    said = []
    for e in estimates:
        if e.held_to is not None:
            people = "1 person" if e.held_to == 1 else f"{e.held_to} people"
            most = get(e.model).max_people
            said.append(
                f"{e.model} was asked for {people} at most and can find {most}: "
                f"--people {e.model}={most}"
            )
    return ["\n".join(said)] if said else []
