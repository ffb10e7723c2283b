"""The pages' CSS, which has to hold before anything is to be seen."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pages.ui.viewer.room import rooms_css

_PAGE = Path(__file__).with_name("page.css")


@cache
def page_style() -> str:
    """A <style> element with what every page needs.

    Nested, it counts more than Streamlit's own rules, which come later in the head.
    """
    return _element(_PAGE.read_text(encoding="utf-8"))


@cache
def room_style() -> str:
    """A <style> element that keeps room for the panels; of use only where it is there first."""
    return _element(rooms_css())


def _element(css: str) -> str:
    return f"<style>\nhtml {{\n{css}}}\n</style>\n"
