"""Files that grow beside their place under another name, until they are whole."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_FOR_ALL, _FOR_ME = 0o666, 0o600


def new_part(path: Path) -> Path:
    """An empty file beside `path` to be written, and then to `replace` it.

    In a folder that nobody else may enter, nobody else may read it either, wherever it is moved.

    Raises:
        OSError: the folder is absent, full or read-only.
    """
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    private = not path.parent.stat().st_mode & 0o077
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _FOR_ME if private else _FOR_ALL))
    return part


def is_part(path: Path) -> bool:
    """Whether a file is one of `new_part`: not yet whole, and soon gone."""
    return path.name.startswith(".") and path.suffix == ".part"
