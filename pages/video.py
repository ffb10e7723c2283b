"""Video: the models compared over a clip, in step."""

import streamlit as st

from pages.ui.frame import open_page
from pages.ui.missing import missing
from pages.ui.verdict_box import chosen_needs
from pages.ui.video.clips import choose_clip, choose_source
from pages.ui.video.comparison import ClipComparison
from pages.ui.video.exports import exports
from pages.ui.video.facts import facts
from pages.ui.video.plan import choose_plan, fold, planning
from pages.ui.video.results import results
from pages.ui.video.stage import choose_layout, stage
from pages.ui.video.verdict import clip_box, verdict_of
from pages.ui.video.work import work

settings = open_page("Video", "A clip through every model, watched in step.")
if not settings.models:
    st.info("Choose at least one model in the sidebar.", icon=":material/checklist:")
    st.stop()

with st.container(horizontal=True, horizontal_alignment="distribute"):
    source = choose_source()
    layout = choose_layout()
clip = choose_clip(source)
if clip is None:
    st.stop()
with planning(clip):
    facts(clip)
    plan = choose_plan(clip, settings)
missing(settings)
job = work(clip, plan)
if job is None:
    st.stop()

fold(clip)
comparison = ClipComparison.of(clip, settings, job)
stage(comparison, layout)
verdict = verdict_of(comparison, chosen_needs())
exports(comparison, verdict, layout)
clip_box(comparison, verdict)
results(comparison)
