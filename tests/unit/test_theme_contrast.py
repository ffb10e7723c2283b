"""What is written can be read: WCAG 2.2's contrast of 4.5 to 1, on every ground of both themes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

THEME = tomllib.loads((Path(__file__).resolve().parents[2] / ".streamlit/config.toml").read_text())
CAPTION, LEAST = 0.6, 4.5  # Streamlit writes captions in this share of the text's colour


def rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def luminance(colour: tuple[float, ...]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast(rgb("#777777"), (1, 1, 1)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_text_stands_out_from_its_ground(name: str) -> None:
    theme = THEME["theme"][name]
    grounds = [theme["backgroundColor"], theme["secondaryBackgroundColor"]]
    grounds += [theme["sidebar"][k] for k in ("backgroundColor", "secondaryBackgroundColor")]
    for ground in map(rgb, grounds):
        caption = tuple(
            CAPTION * t + (1 - CAPTION) * g
            for t, g in zip(rgb(theme["textColor"]), ground, strict=True)
        )
        assert contrast(caption, ground) >= LEAST
        for key in ("textColor", "linkColor", "codeTextColor", "primaryColor"):
            assert contrast(rgb(theme[key]), ground) >= LEAST, key


@pytest.mark.parametrize("name", ["light", "dark"])
def test_numbers_that_count_less_can_be_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.ui import colours

    monkeypatch.setattr(colours, "_theme", lambda: name)
    for grey in (colours.faint(), colours.ink()):
        assert contrast(rgb(grey), rgb(THEME["theme"][name]["backgroundColor"])) >= LEAST
