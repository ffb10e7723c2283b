"""What widgets were set to, kept for the session.

Streamlit forgets a widget that is not on the page.  Its own `persist_state="session"` gave back
empty selections on the first change of page (Streamlit 1.67, values set through the session state),
so the values are kept beside the widgets and put back.
"""

from __future__ import annotations

from typing import TypeVar, cast

import streamlit as st

_Value = TypeVar("_Value")
_PAGE, _RECALLED, _KEPT = "memory_page", "memory_recalled", "memory_kept"
_VISITS = "memory_visits"


def begin(page: str) -> None:
    """Call it first on every page, with the page's name."""
    recalled = st.session_state.get(_RECALLED, set())
    # The browser says that nothing is chosen in a widget of which something must be.
    lost = any(st.session_state.get(key, "") is None for key in recalled)
    other = st.session_state.get(_PAGE) != page
    st.session_state[_VISITS] = visits() + other
    if lost or other:
        st.session_state[_PAGE] = page
        st.session_state[_RECALLED] = set()


def page() -> str:
    """The name of the page that is shown."""
    return str(st.session_state.get(_PAGE, ""))


def visits() -> int:
    """How many times a page was opened: the same number as long as one stays on it."""
    return int(st.session_state.get(_VISITS, 0))


def recall(key: str, default: _Value) -> _Value:
    """Before the widget `key`: sets it to what it was, to `default` the first time.

    Give what it returns to the widget as its default or value: a value that is only set through
    the session state is told to the browser once, and is lost where the page runs again before the
    browser has loaded that kind of widget (Streamlit 1.67, slow lines).  The widget must not be one
    whose choice can be taken back: None counts as lost.
    """
    if key not in st.session_state[_RECALLED] or key not in st.session_state:
        st.session_state[_RECALLED].add(key)
        st.session_state[key] = st.session_state.setdefault(_KEPT, {}).get(key, default)
    return cast(_Value, st.session_state[key])


def unseen(key: str, default: _Value) -> _Value:
    """What the widget `key` was set to, while it is folded away; it is recalled when it is back."""
    st.session_state[_RECALLED].discard(key)
    return cast(_Value, st.session_state.get(_KEPT, {}).get(key, default))


def keep(key: str, value: _Value) -> _Value:
    """After the widget: its value, kept for the next time it is shown."""
    st.session_state.setdefault(_KEPT, {})[key] = value
    return value
