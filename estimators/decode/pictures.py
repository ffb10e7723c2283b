"""Pictures, decoded elsewhere where that is asked for; the functions of `media.pictures`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from estimators.decode.pool import pool
from estimators.types import Frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from estimators.media.pictures import PictureFile

_MODULE = "estimators.media.pictures"
_ONE_AT_A_TIME = threading.Lock()


def open_picture(source: bytes | Path, name: str = "") -> PictureFile:
    """See `media.pictures.open_picture`."""
    decoders = pool()
    if decoders is None:
        from estimators.media import pictures

        return pictures.open_picture(source, name)
    opened: PictureFile = decoders.call(
        f"{_MODULE}:open_picture", (source, name), _called(source, name), _ONE_AT_A_TIME
    )
    return opened


def read_picture(source: bytes | Path, name: str = "") -> Frame:
    """The frame of `open_picture`."""
    return open_picture(source, name).frame


def read_whole(source: bytes | Path, name: str = "") -> NDArray[np.uint8]:
    """See `media.pictures.read_whole`."""
    decoders = pool()
    if decoders is None:
        from estimators.media import pictures

        return pictures.read_whole(source, name)
    image: NDArray[np.uint8] = decoders.call(
        f"{_MODULE}:read_whole", (source, name), _called(source, name), _ONE_AT_A_TIME
    )
    return image


def _called(source: bytes | Path, name: str) -> str:
    return name or (source.name if isinstance(source, Path) else "The picture")
