"""Every variant by its key; the adapters behind them are imported only when a model is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from estimators.cards import Card, Theme, read_cards
from estimators.errors import InputError
from estimators.specs import ModelSpec, PublishedFigure
from estimators.types import PoseModel

__all__ = [
    "DEFAULT_MODELS",
    "FAMILIES",
    "MODELS",
    "Card",
    "ModelSpec",
    "PublishedFigure",
    "Theme",
    "default_models",
    "get",
    "load",
    "voice",
]

FAMILIES: Mapping[str, Card] = MappingProxyType({card.family: card for card in read_cards()})
# In the order of lists; reference runtimes come after all others.
MODELS: Mapping[str, ModelSpec] = MappingProxyType(
    {
        spec.key: spec
        for reference in (False, True)
        for card in FAMILIES.values()
        for spec in card.variants
        if (spec.reference_of is not None) == reference
    }
)
DEFAULT_MODELS = ("movenet-lightning", "blazepose-full", "keypointrcnn-fast")
# The third independent voice as long as the weights of a default model are not there.
STAND_IN = "posenet"


def default_models(has_weights: Callable[[str], bool]) -> tuple[str, ...]:
    """The variants compared unless others are chosen: one of each of the three families.

    While a model of them has no weights here, PoseNet stands in for it, and it stays in the list
    so that it is offered.

    Args:
        has_weights: whether the weights of the variant with this key are on this machine.
    """
    if all(has_weights(key) for key in DEFAULT_MODELS):
        return DEFAULT_MODELS
    return (*DEFAULT_MODELS, STAND_IN)


def get(key: str) -> ModelSpec:
    """The variant called `key`.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    try:
        return MODELS[key]
    except KeyError:
        raise InputError(
            f"There is no model {key!r}.", f"Choose from: {', '.join(MODELS)}."
        ) from None


def voice(key: str) -> str:
    """Whose opinion a variant gives: agreement between variants of one voice proves nothing.

    Variants of one family learned from the same pictures; one with another's weights, whatever its
    family, repeats that one.

    Raises:
        InputError: there is no such variant.
    """
    spec = get(key)
    return spec.family if spec.same_weights_as is None else voice(spec.same_weights_as)


def load(spec: ModelSpec, weights: Path, threads: int) -> PoseModel:
    """Loads `spec` in this process with its framework; call it in a process of its own.

    Args:
        spec: the variant.
        weights: the file (or, for a TF Hub reference, the SavedModel folder) with its weights.
        threads: CPU threads the runtime may use; 0 leaves the choice to it.

    Raises:
        ModelLoadError: the framework or the weights could not be loaded.
    """
    model: PoseModel = import_module(spec.adapter).load(spec, weights, threads)
    return model
