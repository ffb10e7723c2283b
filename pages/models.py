"""Models: what each variant is, and whether its weights are on this machine."""

import streamlit as st

from estimators.registry import FAMILIES
from pages.ui.cards import cards, reading_help
from pages.ui.frame import open_page

open_page("Models", "What each model is, what it can and cannot do, what it needs.")
reading_help()
for family, card in FAMILIES.items():
    st.header(family, anchor=False)
    cards(card.variants)
