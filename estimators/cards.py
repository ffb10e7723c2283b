"""Model cards: one TOML file a family, which says all that is known about its variants.

What a card says at its top holds for every variant; a `[[variants]]` table adds what is the
variant's own, and `like` names an earlier one whose values hold where it is silent.  The fields are
those of `specs.ModelSpec`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from estimators.errors import InputError
from estimators.skeletons import SKELETONS, Skeleton
from estimators.specs import ModelSpec

FOLDER = Path(__file__).with_name("models") / "cards"
_LAST = 1_000
Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Card:
    """One family.

    Attributes:
        order: its place in lists; families of one order stand by the names of their files.
        colours: `#RRGGBB` a theme: the family's colour, then those of its second, third …  model of
            one comparison.
        variants: in the order of the file.
    """

    family: str
    order: int
    colours: Mapping[Theme, tuple[str, ...]]
    variants: tuple[ModelSpec, ...]


def read_cards(folder: Path = FOLDER) -> tuple[Card, ...]:
    """Every card in a folder, in the order of lists.

    Raises:
        InputError: a card is no card, or two have the same family or variant.
    """
    paths = sorted(folder.glob("*.toml"))
    cards = sorted(map(read_card, paths), key=lambda card: card.order)
    families = [card.family for card in cards]
    keys = [spec.key for card in cards for spec in card.variants]
    twice = [name for names in (families, keys) for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"Two model cards in {folder} name {twice[0]!r}.", "Rename one of them.")
    return tuple(cards)


def read_card(path: Path) -> Card:
    """The card in one file.

    Raises:
        InputError: it is no TOML file, a field is missing, unknown or of another kind, or a variant
            is like one that does not stand before it.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        order, colours = table.pop("order", _LAST), table.pop("colours")
        variants: dict[str, dict[str, Any]] = {}
        for given in table.pop("variants"):
            base = variants[given.pop("like")] if "like" in given else table
            variants[given["key"]] = {**base, **given}
        return Card(
            _value(str, table["family"]),
            _value(int, order),
            {theme: _colours(colours[theme]) for theme in get_args(Theme)},
            tuple(_record(ModelSpec, values) for values in variants.values()),
        )
    except KeyError as error:
        problem = f"{error} is missing"
    except (OSError, ValueError, TypeError) as error:
        problem = str(error)
    raise InputError(
        f"The model card {path} cannot be used: {problem}.",
        "Correct it; its fields are those of ModelSpec in estimators/specs.py.",
    )


def _colours(given: Any) -> tuple[str, ...]:
    colours: tuple[str, ...] = _value(tuple[str, ...], given)
    if not colours or not all(re.fullmatch("#[0-9A-Fa-f]{6}", colour) for colour in colours):
        raise ValueError(f"expected colours like #0072B2, got {given}")
    return colours


def _record(kind: type, values: Mapping[str, Any]) -> Any:
    """An instance of a dataclass from a table; raises ValueError or TypeError."""
    hints = get_type_hints(kind)
    needed = {f.name for f in fields(kind) if f.default is f.default_factory is MISSING}
    missing, unknown = sorted(needed - values.keys()), sorted(values.keys() - hints.keys())
    if missing or unknown:
        raise ValueError(f"missing fields {missing}, unknown fields {unknown}")
    made = {}
    for name, value in values.items():
        try:
            made[name] = _value(hints[name], value)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
    return kind(**made)


def _value(hint: Any, value: Any) -> Any:
    """`value`, as TOML gives it, as the kind that `hint` says; raises ValueError or TypeError."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return _value(next(kind for kind in args if kind is not NoneType), value)
    if origin is Literal and value in args:
        return value
    if origin is tuple and isinstance(value, list):
        if args[-1] is not ... and len(args) != len(value):
            raise TypeError(f"expected {len(args)} values, got {value}")
        return tuple(_value(args[0], each) for each in value)
    if isinstance(value, dict):
        if origin is not None and issubclass(origin, Mapping):
            return MappingProxyType(value)
        return _record(hint, value)
    if hint is Skeleton and value in SKELETONS:
        return SKELETONS[value]
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise TypeError(f"{value!r} is none of {hint}")
    return value
