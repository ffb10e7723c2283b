"""Widgets, charts and caches: with the pages, the only code that knows Streamlit."""
