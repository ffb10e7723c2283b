"""The legend under pictures and videos: everybody named, in their own look, covering nobody."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import pages.ui.viewer
from estimators.render import marks
from estimators.render.legend import LEFT, RIGHT, Entry, legend, plan_legend
from estimators.render.style import PoseStyle

COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (128, 42, 120))
TITLES = ("MoveNet Lightning", "BlazePose full", "Keypoint R-CNN reference", "PoseNet")


def drawn(width: int, styles: list[PoseStyle]) -> NDArray[np.uint8]:
    entries = [Entry(title, style) for title, style in zip(TITLES, styles, strict=False)]
    return legend(entries, plan_legend([entry.text for entry in entries], width))


@pytest.mark.parametrize("width", [120, 358, 710, 1920])
def test_every_model_is_in_it_at_every_width(width: int) -> None:
    strip = drawn(width, [PoseStyle(colour) for colour in COLOURS])
    assert strip.shape[1:] == (width, 3)
    assert strip.shape[0] % 2 == 0
    for colour in COLOURS:
        assert (strip == colour).all(axis=2).sum() > 20
    assert strip.shape[0] < 160 or width < 300


def test_variants_look_as_they_do_on_the_picture() -> None:
    strips = [drawn(900, [PoseStyle(COLOURS[0], variant=n)]) for n in range(4)]
    assert len({strip.tobytes() for strip in strips}) == 4


def test_what_solid_and_dashed_mean_is_there_without_any_model() -> None:
    strip = drawn(900, [])
    assert (strip > 240).all(axis=2).sum() > 200  # letters


def test_a_legend_keeps_its_size_while_its_words_change() -> None:
    planned = plan_legend(["PoseNet: 0000 ms old"], 320, 12)
    sizes = {
        legend([Entry(f"PoseNet: {age} ms old", PoseStyle((0, 0, 0)))], planned).shape
        for age in (5, 50, 5000)
    }
    assert sizes == {(planned.height, 320, 3)}


def test_the_browser_says_and_draws_the_same() -> None:
    """Words of the sides, and corners of the joints' forms, are those of the files to keep."""
    code = (Path(pages.ui.viewer.__file__).parent / "forms.js").read_text("utf-8")
    for words in (LEFT, RIGHT):
        assert f'"{words}"' in code
    for corners in marks.CORNERS.values():
        written = ", ".join(f"[{x:g}, {y:g}]" for x, y in corners)
        assert f"[{written}]" in code
