"""Tabs are drawn anew alone, unless what they are given is out of date."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def test_in_another_theme_the_page_gives_the_tabs_its_colours() -> None:
    def page() -> None:
        import streamlit as st

        from pages.ui import tabs

        tabs.begin()
        st.session_state.runs = st.session_state.get("runs", 0) + 1
        if st.session_state.runs == 1:  # as it is in a tab after the theme was switched
            st.session_state[tabs._THEME] = "another"
        tabs.tabs({"One": st.write, "Two": st.write}, "what is shown", "view")

    at = AppTest.from_function(page).run()
    assert not at.exception
    assert at.session_state.runs == 2
    assert [words.value for words in at.markdown] == ["what is shown"]
    assert at.run().session_state.runs == 3
