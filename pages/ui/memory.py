"""What widgets were set to, kept for the session.

Streamlit forgets a widget that is not on the page.  Its own `persist_state="session"` gave back
empty selections on the first change of page (Streamlit 1.67, values set through the session state),
so the values are kept beside the widgets and put back.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

_PAGE, _RECALLED, _KEPT = "memory_page", "memory_recalled", "memory_kept"


def begin(page: str) -> None:
    """Call it first on every page, with the page's name."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        st.session_state[_RECALLED] = set()


def recall(key: str, default: Any) -> None:
    """Before the widget `key`: sets it to what it was, to `default` the first time.

    The widget itself must not be given a default then.
    """
    if key not in st.session_state[_RECALLED] or key not in st.session_state:
        st.session_state[_RECALLED].add(key)
        st.session_state[key] = st.session_state.setdefault(_KEPT, {}).get(key, default)


def keep(key: str, value: Any) -> Any:
    """After the widget: its value, kept for the next time it is shown."""
    st.session_state.setdefault(_KEPT, {})[key] = value
    return value
