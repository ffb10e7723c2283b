"""Whose opinions count apart: models of one family are one voice, and who two voices agree on.

A copy of a model and a second variant of its family change neither who is agreed on nor where
the others see a joint, beyond the one opinion that the family has.
"""

from __future__ import annotations

from collections.abc import Iterable

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
