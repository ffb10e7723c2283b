"""A visit of one page, without a browser."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

ENTRY = str(Path(__file__).resolve().parents[2] / "streamlit_app.py")
# For one run of a page on a busy machine.
PATIENCE_S = 90


def visit(script: str = "", **address: str) -> AppTest:
    """A session at a page's address; it has not run yet.

    Args:
        script: of the page in `pages/`, "" for Image.
    """
    at = AppTest.from_file(ENTRY, default_timeout=PATIENCE_S)
    if script:
        at.switch_page(f"pages/{script}.py")
    for key, value in address.items():
        at.query_params[key] = value
    return at
