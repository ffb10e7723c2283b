"""How large pictures, frames and sets may be: so that one upload cannot take the memory of all."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from estimators import settings
from estimators.errors import InputError
from estimators.runtime.machine import memory_mb

MAX_PICTURE_BYTES = 100_000_000
# What decoding one picture may take; its bytes a pixel differ by kind of file (`decode_cost`).
MAX_DECODE_BYTES = 300_000_000
# Each scan of a progressive JPEG is a pass over all pixels, of 3 to 5 ns each: five seconds.
# Cameras and converters write up to 20 scans.
MAX_SCANNED_PIXELS = 1_500_000_000
# The same of one whose end is missing: it is decoded four times.
MAX_REPAIRED_PIXELS = 500_000_000
# Kept of a picture; larger ones are reduced while they are decoded.  The models look at less (the
# most of them at 1333 pixels of a side), and a screen shows less unless one zooms in far.
MAX_KEPT_SIDE = 4096
MAX_KEPT_PIXELS = 4032 * 3024  # 12 megapixels are kept, and half of 48
# The largest common frame of a clip, 4096×2304.
MAX_FRAME_PIXELS = 4096 * 2304
# All pictures that a clip's decoder keeps (`decoder_memory`): what is left of 400 MB by decoded
# frames on their way to the models, and by the encoder of the annotated clip.
MAX_DECODER_BYTES = 256_000_000
# A machine with less is small: its limits are lower unless they are set.
_SMALL_MB = 2000


class Allowed(NamedTuple):
    """The limits of this server; README, Settings, tells what each means."""

    picture_mb: int
    megapixels: int
    clip_frames: int
    clip_s: int
    people: int
    files: int
    unpacked_mb: int
    decode_mb: int
    work_mb: int

    @property
    def picture_pixels(self) -> int:
        return self.megapixels * 1_000_000


def allowed() -> Allowed:
    """What is set, else the defaults for a machine of this size.

    A setting that cannot be used is told elsewhere (`settings.current`); until then defaults count.
    """
    try:
        return allowed_by(settings.current())
    except InputError:
        return allowed_by(settings.Settings())


def allowed_by(chosen: settings.Settings) -> Allowed:
    """The limits that are chosen, else the defaults for a machine of this size."""
    names = (n if n in ("decode_mb", "work_mb") else f"max_{n}" for n in Allowed._fields)
    return Allowed(*(chosen.limit(name, _small()) for name in names))


@cache
def _small() -> bool:
    return memory_mb().total < _SMALL_MB
