"""The pages' CSS, which has to hold before anything is to be seen."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pages.ui.viewer.room import rooms_css

_PAGE = Path(__file__).with_name("page.css")


@cache
def page_style() -> str:
    """A <style> element with all of it.

    Nested, it counts more than Streamlit's own rules, which come later in the head.
    """
    return f"<style>\nhtml {{\n{_PAGE.read_text(encoding='utf-8')}{rooms_css()}}}\n</style>"
