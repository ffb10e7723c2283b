"""Model cards: one TOML file a family, which says all that is known about its variants.

What a card says at its top holds for every variant; a `[[variants]]` table adds what is the
variant's own, and `like` names an earlier one whose values hold where it is silent.  The fields are
those of `specs.ModelSpec`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from estimators.errors import InputError
from estimators.specs import ModelSpec
from estimators.typed import record, value_of

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
            value_of(str, table["family"]),
            value_of(int, order),
            {theme: _colours(colours[theme]) for theme in get_args(Theme)},
            tuple(record(ModelSpec, values) for values in variants.values()),
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
    colours: tuple[str, ...] = value_of(tuple[str, ...], given)
    if not colours or not all(re.fullmatch("#[0-9A-Fa-f]{6}", colour) for colour in colours):
        raise ValueError(f"expected colours like #0072B2, got {given}")
    return colours
