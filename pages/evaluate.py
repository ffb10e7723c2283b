"""Evaluate: the models held against pictures in which people are marked."""

import streamlit as st

from pages.ui.evaluate.cases import cases
from pages.ui.evaluate.exports import exports
from pages.ui.evaluate.found import found
from pages.ui.evaluate.results import headline, results
from pages.ui.evaluate.sources import choose_set
from pages.ui.evaluate.verdict import verdict_box
from pages.ui.evaluate.work import choose_plan, work
from pages.ui.frame import open_page
from pages.ui.missing import missing

settings = open_page("Evaluate", "How accurate each model is on annotated pictures.")
if not settings.models:
    st.info("Choose at least one model in the sidebar.", icon=":material/checklist:")
    st.stop()

brought = choose_set()
if brought is None:
    st.stop()
missing(settings)
plan = choose_plan(settings)
outcome = work(brought, plan)
if outcome is None:
    st.stop()

evaluation = found(outcome, settings)
headline(evaluation)
exports(evaluation, brought.health)
verdict_box(evaluation)
results(evaluation)
cases(evaluation, settings)
