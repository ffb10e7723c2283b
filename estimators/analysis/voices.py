"""Whose opinions count apart: models of one family are one voice, and who two voices agree on.

A copy of a model and a second variant of its family change neither who is agreed on nor where
the others see a joint, beyond the one opinion that the family has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import product

from estimators.analysis.matching import PersonGroup
from estimators.registry import voice

# COCO's lowest threshold of a correct pose: two families that lie further apart may mean the same
# person (`matching.DEFAULT_MIN_OKS` puts them into one group), but do not agree on the pose.
AGREED_OKS = 0.5


def voices_of(models: Iterable[str]) -> tuple[str, ...]:
    """The voice of each of the models compared.

    Where all are of one family its variants are compared with each other: each is its own.
    """
    models = tuple(models)
    voices = tuple(voice(model) for model in models)
    return voices if len(set(voices)) > 1 else models


def agreed_members(group: PersonGroup) -> frozenset[str]:
    """The models that see a person as a model of another family does, at an OKS of 0.5 or more.

    Empty for a person on whom no two families agree.
    """
    return frozenset(
        model
        for pair, oks in group.oks.items()
        if oks >= AGREED_OKS and voice(pair[0]) != voice(pair[1])
        for model in pair
    )


def people_agreed_on(groups: Sequence[PersonGroup]) -> int:
    """On how many people families agree, each heard by one variant: at most, over `line_ups`.

    Two variants that see one person each are not two who see two.
    """
    pairs = [
        {frozenset(pair) for pair, oks in group.oks.items() if oks >= AGREED_OKS}
        for group in groups
    ]
    models = dict.fromkeys(model for group in groups for model in group.members)
    return max(
        (
            sum(any(pair <= set(up) for pair in each) for each in pairs)
            for up in line_ups(tuple(models), tuple(models))
            if len({voice(m) for m in up}) > 1
        ),
        default=0,
    )


def line_ups(models: Sequence[str], usable: Collection[str]) -> list[tuple[str, ...]]:
    """Every choice of one variant of each family.

    A family speaks by its usable variants; where it has none, the others are witnesses still.
    Where all are of one family they are held against each other: one line-up of all.
    """
    families: dict[str, list[str]] = {}
    for model in models:
        families.setdefault(voice(model), []).append(model)
    if len(families) == 1:
        return [tuple(models)]
    speakers = ([m for m in every if m in usable] or every for every in families.values())
    return list(product(*speakers))
