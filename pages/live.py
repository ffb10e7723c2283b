"""Live: the models follow the person in front of the camera."""

import streamlit as st

from pages.ui.frame import open_page
from pages.ui.live.page import live_page

settings = open_page("Live", "Your camera through every model at once, honest about delay.")
if not settings.models:
    st.info("Choose at least one model in the sidebar.", icon=":material/checklist:")
    st.stop()
live_page(settings)
