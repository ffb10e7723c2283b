"""Models: what each variant is, and whether its weights are on this machine."""

import streamlit as st

from estimators.registry import MODELS
from pages.ui.cards import card, reading_help
from pages.ui.frame import open_page

settings = open_page("Models", "What each model is, what it can and cannot do, what it needs.")
reading_help()
families = dict.fromkeys(spec.family for spec in MODELS.values())
for family in families:
    st.subheader(family, anchor=False)
    with st.container(horizontal=True, key=f"family_{family}"):
        for spec in (s for s in MODELS.values() if s.family == family):
            card(spec)
