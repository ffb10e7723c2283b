"""The pages that exist, in the order of the menu."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Page:
    """One entry of the menu; `script` is the page's file from the repository's root."""

    title: str
    script: str
    icon: str


PAGES = (
    Page("Image", "streamlit_app.py", ":material/image:"),
    Page("Video", "pages/video.py", ":material/movie:"),
    Page("Live", "pages/live.py", ":material/videocam:"),
    Page("Evaluate", "pages/evaluate.py", ":material/fact_check:"),
    Page("Benchmark", "pages/benchmark.py", ":material/speed:"),
    Page("Models", "pages/models.py", ":material/menu_book:"),
)


def menu(here: str) -> None:
    """Links to all pages; the settings travel along in the session, not in the links.

    Without tooltips: one would cover the next link.

    Args:
        here: the title of the page one is on.
    """
    for page in PAGES:
        with st.container(key="menu_here" if page.title == here else None):
            st.page_link(page.script, label=page.title, icon=page.icon)
