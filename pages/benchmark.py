"""Benchmark: how fast each model is on this machine, and what it takes."""

import streamlit as st

from pages.ui.benchmark.others import bring
from pages.ui.benchmark.results import results
from pages.ui.benchmark.sources import choose_media
from pages.ui.benchmark.work import choose_plan, work
from pages.ui.frame import open_page
from pages.ui.missing import missing

settings = open_page(
    "Benchmark", "How fast each model is on this machine, and what it takes.", shows_poses=False
)
if not settings.models:
    st.info("Choose at least one model in the sidebar.", icon=":material/checklist:")
    st.stop()

missing(settings)
source = choose_media()
own = work(source, choose_plan(settings))
shown = st.container()
others = bring()
with shown:
    results(own, others)
