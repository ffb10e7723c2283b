"""One colour a model everywhere, and how thick its lines are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from estimators.registry import FAMILIES, Theme, get

RGB = tuple[int, int, int]

# One picture with the poses of all models: so on pages, in pictures and in videos.
ALL_IN_ONE = "All in one"

# What tells variants of one family apart beside the shade: the form of their joints, and what runs
# along the middle of their limbs.  The browser draws the same (pages/ui/viewer/forms.js).
JOINT_FORMS = ("circle", "square", "diamond", "triangle")
CORES = ("", "light", "dark", "light dots")


# The cards' colours: blue, vermilion and green of Okabe and Ito's palette ("Color Universal
# Design", 2008), which keep apart under the common colour blindnesses; their reddish purple lies
# too near to blue for those who see no red, so plum is darker than it in the light theme and
# brighter in the dark one.  Shades were searched for so that any two models that can stand in one
# comparison keep apart, under the colour blindnesses, too.  All have a contrast of at least 3:1
# with the theme's page (WCAG 2.2, 1.4.11).  Tests compute both.


def family_colour(family: str, shade: int = 0, theme: Theme = "light") -> str:
    """`#RRGGBB` of a family; `shade` counts its models in one comparison, and begins anew."""
    shades = FAMILIES[family].colours[theme]
    return shades[shade % len(shades)]


def model_colours(models: Sequence[str], theme: Theme = "light") -> dict[str, str]:
    """`#RRGGBB` of each model of one comparison: its family's colour, further variants in shades.

    Raises:
        InputError: a model is not in the registry.
    """
    return {
        model: family_colour(get(model).family, variant, theme)
        for model, variant in model_variants(models).items()
    }


def model_variants(models: Sequence[str]) -> dict[str, int]:
    """Which of its family each model of one comparison is, from 0: position in `JOINT_FORMS`.

    Raises:
        InputError: a model is not in the registry.
    """
    families = [get(model).family for model in models]
    return {
        model: families[:n].count(family) % len(JOINT_FORMS)
        for n, (model, family) in enumerate(zip(models, families, strict=True))
    }


def rgb(colour: str) -> RGB:
    """`#RRGGBB` as (red, green, blue), 0 to 255; raises ValueError for anything else."""
    if len(colour) != 7 or not colour.startswith("#"):
        raise ValueError(f"expected a colour like #0072B2, got {colour!r}")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@dataclass(frozen=True)
class PoseStyle:
    """How one model's poses are drawn.

    Attributes:
        colour: (red, green, blue), 0 to 255.
        variant: which of its family it is in the comparison, see `model_variants`.
        joints: names of the joints drawn, None for all; a bone needs both its ends.
        points, bones, boxes: what is drawn; boxes only where the model gives them.
        halo: a light rim, so that a line shows on any background.
        scale: multiplies the widths that follow from the size of the frame and the person.
    """

    colour: RGB
    joints: frozenset[str] | None = None
    points: bool = True
    bones: bool = True
    boxes: bool = False
    halo: bool = True
    scale: float = 1.0
    variant: int = 0


def model_styles(models: Sequence[str], theme: Theme = "light") -> dict[str, PoseStyle]:
    """The usual style of each model of one comparison."""
    variants = model_variants(models)
    return {
        model: PoseStyle(rgb(colour), variant=variants[model])
        for model, colour in model_colours(models, theme).items()
    }


def line_width(frame_width: int, frame_height: int, person_side: float = float("inf")) -> int:
    """Width of a bone in whole pixels, at least 1.

    1/200 of the frame's geometric mean side (3 at 640×480, 7 at 1080p), but no more than 1/30 of
    `person_side`, the longer side of the person's joints, so that far people stay recognisable.
    """
    frame_side = math.sqrt(frame_width * frame_height)
    return max(1, round(min(frame_side / 200, person_side / 30)))
