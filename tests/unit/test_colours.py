"""Models of one comparison are told apart, whoever looks: by colour, else by form."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.registry import MODELS, Theme, get
from estimators.render.style import family_colour, model_colours, model_variants, rgb
from pages.ui.settings import MOST_MODELS

# How somebody sees linear RGB who lacks the cones for red, green or blue (severity 1.0 in Machado,
# Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# IEEE TVCG 15 (6), 2009, table of matrices at inf.ufrgs.br/~oliveira/pubs_files/CVD_Simulation).
SEEN = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
# Of CIEDE2000's difference, of which 1 can just be noticed on large areas side by side.
APART = 10.0
_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
) / np.array([[0.9505], [1.0], [1.089]])


def cielab(colour: str, eyes: str) -> NDArray[np.float64]:
    c = np.array(rgb(colour)) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = _TO_XYZ @ np.clip(np.array(SEEN[eyes]) @ linear, 0, 1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula", 2005, and its names."""
    chroma = (np.hypot(*one[1:]) + np.hypot(*other[1:])) / 2
    g = 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))
    a, b = np.array([one[1], other[1]]) * (1 + g), np.array([one[2], other[2]])
    c, h = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    d_l, d_c = other[0] - one[0], c[1] - c[0]
    d_h = 2 * np.sqrt(c.prod()) * np.sin(np.radians((h[1] - h[0] + 180) % 360 - 180) / 2)
    far = abs(h[0] - h[1]) > 180
    mean_l, mean_c, mean_h = (one[0] + other[0]) / 2, c.mean(), (h.mean() + 180 * far) % 360
    waves = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.2, 4, -63))
    t = 1 + sum(share * np.cos(np.radians(n * mean_h + by)) for share, n, by in waves)
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    turn = np.sin(np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2))))
    r_t = -2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)) * turn
    parts = d_l / s_l, d_c / s_c, d_h / s_h
    return float(np.sqrt(sum(p * p for p in parts) + r_t * parts[1] * parts[2]))


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
        ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    ],
)
def test_the_difference_is_that_of_the_published_examples(
    one: tuple[float, ...], other: tuple[float, ...], apart: float
) -> None:
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(apart, abs=1e-4)


def colours_that_meet(theme: Theme) -> set[tuple[str, str]]:
    """All pairs of colours that two models of one comparison can have."""
    variants = Counter(spec.family for spec in MODELS.values())
    shades = [(f, n) for f, count in variants.items() for n in range(min(count, MOST_MODELS))]
    return {
        (family_colour(*one, theme), family_colour(*other, theme))
        for one, other in combinations(shades, 2)
        if one[0] == other[0] or one[1] + other[1] + 2 <= MOST_MODELS
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("eyes", SEEN)
def test_two_models_of_one_comparison_differ_in_colour_for_everybody(
    theme: Theme, eyes: str
) -> None:
    near = {
        pair: round(apart, 1)
        for pair in colours_that_meet(theme)
        if (apart := ciede2000(*(cielab(colour, eyes) for colour in pair))) < APART
    }
    assert near == {}


def test_the_pairs_are_those_of_every_comparison_there_can_be() -> None:
    """Of all choices of four in any order, tried on the variants of which there are most."""
    several = [m for m in MODELS if get(m).family in ("MoveNet", "PoseNet", "BlazePose")][:7]
    met = {
        frozenset(pair)
        for chosen in product(several, repeat=MOST_MODELS)
        if len(set(chosen)) == MOST_MODELS
        for pair in combinations(model_colours(chosen).values(), 2)
    }
    assert met <= {frozenset(pair) for pair in colours_that_meet("light")}


def test_variants_of_a_family_differ_in_form_whatever_their_order() -> None:
    chosen = ["movenet-lightning", "blazepose-full", "movenet-thunder", "movenet-multipose"]
    assert list(model_variants(chosen).values()) == [0, 0, 1, 2]
    assert list(model_variants(chosen[::-1]).values()) == [0, 1, 0, 2]
