"""Who is looking: so that a closed page no longer holds the processor, or the disk."""

from __future__ import annotations

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx


def viewer() -> str:
    """Identifies this browser session, on the server only."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def present(session: str) -> bool:
    """Whether the session still has the page open.  Any thread may ask."""
    return not runtime.exists() or runtime.get_instance().is_active_session(session)
