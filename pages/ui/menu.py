"""The pages that exist, in the order of the menu."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Page:
    """One entry of the menu.

    Attributes:
        script: path of the page's file from the repository's root.
        purpose: what a person comes here for, shown on hover.
    """

    title: str
    script: str
    icon: str
    purpose: str


PAGES = (
    Page("Image", "streamlit_app.py", ":material/image:", "Compare the models on a picture"),
    Page(
        "Models",
        "pages/models.py",
        ":material/menu_book:",
        "What each model is, its limits and its weights on this machine",
    ),
)


def menu() -> None:
    """Links to all pages; the settings travel along in the session, not in the links."""
    for page in PAGES:
        st.page_link(page.script, label=page.title, icon=page.icon, help=page.purpose)
