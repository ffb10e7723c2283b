"""Colours that a new family may take: far from those of all models it can meet, for all eyes.

    python -m tests.free_colours

`tests/unit/test_colours.py` and `tests/unit/test_render_draw.py` say what is far, and what can be
seen on the page; of a family's own colours they are asked once these are on its card.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product

from estimators.registry import MODELS, Theme
from estimators.render.style import family_colour
from pages.ui.settings import MOST_MODELS
from tests.unit.test_colours import APART, SEEN, ciede2000, cielab
from tests.unit.test_render_draw import PAGES, contrast

STEPS = range(0, 256, 51)
SHOWN = 8


def others(theme: Theme, shade: int) -> Iterator[str]:
    """Colours of the models that the variant with this shade, from 0, can meet."""
    for family, count in Counter(spec.family for spec in MODELS.values()).items():
        for n in range(min(count, MOST_MODELS)):
            if shade + n + 2 <= MOST_MODELS:
                yield family_colour(family, n, theme)


def free(theme: Theme, shade: int) -> list[str]:
    """Colours of a coarse grid that are far enough from all of these, the furthest first."""
    taken = [(eyes, cielab(colour, eyes)) for colour in others(theme, shade) for eyes in SEEN]
    found = []
    for colour in ("#{:02X}{:02X}{:02X}".format(*rgb) for rgb in product(STEPS, repeat=3)):
        if contrast(colour, PAGES[theme]) >= 3:
            own = {eyes: cielab(colour, eyes) for eyes in SEEN}
            found.append((min(ciede2000(own[eyes], other) for eyes, other in taken), colour))
    return [colour for apart, colour in sorted(found, reverse=True) if apart >= APART][:SHOWN]


if __name__ == "__main__":
    themes: tuple[Theme, ...] = ("light", "dark")
    for theme, shade in product(themes, range(2)):
        print(f"{theme}, of variant {shade + 1}: {' '.join(free(theme, shade))}")
