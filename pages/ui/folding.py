"""Where somebody brings files: folded away once some are here."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def bringing(what: str, here: str) -> DeltaGenerator:
    """The place of an uploader and of what removes the files; one click or key opens it again.

    What has to be seen, such as why a file was refused, belongs below it.

    Args:
        what: can be brought, its title.
        here: what is here and what else can be brought, its title then; "" for nothing, and it is
            open.  Markdown, both.
    """
    return st.expander(here or what, expanded=not here, icon=":material/upload:")
