"""Models: what each variant is, and whether its weights are on this machine."""

import streamlit as st

from estimators.registry import FAMILIES
from pages.ui import engine
from pages.ui.cards import cards, reading_help
from pages.ui.frame import open_page

settings = open_page(
    "Models", "What each model is, what it can and cannot do, what it needs.", shows_poses=False
)
reading_help()
statuses = engine.runner().status()
for family, card in FAMILIES.items():
    st.header(family, anchor=False)
    cards(card.variants, settings.models, statuses)
