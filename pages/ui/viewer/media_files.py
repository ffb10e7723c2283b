"""Addresses under which the browser fetches pictures, clips and numbers from the running app.

`st.image` and `st.video` use the same store.  It is internal to Streamlit (checked with 1.67), so
this module is the only one that knows about it.
"""

from __future__ import annotations

from pathlib import Path

from streamlit import runtime

from pages.ui.server.files import folder
from pages.ui.server.on_disk import content

# Streamlit compresses what it takes for text on every request.  It leaves a zip as it is, and the
# browser does not look at the type of what a script fetches, so plain numbers travel as one.
NUMBERS = "application/zip"
_LARGE_BYTES = 1 << 18


def media_url(source: bytes | Path, mimetype: str, slot: str, identity: str) -> str:
    """The path, below the app's own address, under which `source` is served.

    Streamlit drops files that the last run did not ask for: call this in every run.

    Args:
        source: the file or its bytes.
        mimetype: what the server announces it as.
        slot: names the place on the page; its previous file is dropped when a new one comes.
        identity: differs whenever the content does.  Above 1 MiB Streamlit looks only at a file's
            length and three samples of it; two results that differ elsewhere would share an
            address.

    Raises:
        RuntimeError: no Streamlit server is running in this process.
        FileNotFoundError: `source` is a path without a file.
    """
    if not runtime.exists():
        raise RuntimeError("media addresses exist only inside a running Streamlit app")
    if isinstance(source, Path) and not source.is_file():
        raise FileNotFoundError(f"no file at {source}")
    if isinstance(source, bytes) and len(source) > _LARGE_BYTES:
        source = _written(source, identity)
    data = content(source) if isinstance(source, Path) else source
    # The file's name is part of what Streamlit tells files apart by.
    manager = runtime.get_instance().media_file_mgr
    return manager.add(data, mimetype, f"pose-viewer.{slot}", file_name=identity)


def _written(data: bytes, identity: str) -> Path:
    """`data` as a file of this viewer, which takes no memory."""
    path = folder() / f"media-{identity}"
    if not path.is_file():
        path.write_bytes(data)
    return path
