"""What sequence parameter sets say: how large pictures are, and how many a decoder keeps of them.

ITU-T H.264, 7.3.2.1 and annex E; ITU-T H.265 (HEVC), 7.3.2.2.
"""

from __future__ import annotations

from typing import NamedTuple

from estimators.media.bits import Bits

# Bytes that hold any of them, with all scaling lists.
SEQUENCE_BYTES = 600
_CHROMA_PROFILES = (44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244)
# Stored values a pixel, by the kind of chroma.
_SAMPLES = {0: 1.0, 1: 1.5, 2: 2.0, 3: 3.0}
_OWN_RATIO = 255


class CodedSequence(NamedTuple):
    """A sequence parameter set.

    Attributes:
        number: its id.
        pixels: of a coded picture.
        bytes_each: of a pixel as it is decoded.
        references: pictures that later ones may be made from.
        reordered: pictures that wait for earlier ones; None where the stream does not tell.
        frame_num_bits, planes, frames_only: of H.264: bits of frame_num, three separate planes, no
            fields.
    """

    number: int
    pixels: int
    bytes_each: float
    references: int
    reordered: int | None
    frame_num_bits: int = 0
    planes: bool = False
    frames_only: bool = True


def h264_sequence(unit: bytes) -> CodedSequence:
    """Of a unit with its header of one byte."""
    bits = Bits(unit[1:SEQUENCE_BYTES])
    profile = bits.u(8)
    bits.u(16)
    number = bits.ue()
    chroma, depth, planes = 1, 8, False
    if profile in _CHROMA_PROFILES:
        chroma = bits.ue()
        planes = chroma == 3 and bool(bits.u(1))
        depth = 8 + max(bits.ue(), bits.ue())
        bits.u(1)
        if bits.u(1):
            _skip_scaling_lists(bits, 12 if chroma == 3 else 8)
    frame_num_bits = min(bits.ue() + 4, 16)
    _skip_order(bits)
    references = bits.ue()
    bits.u(1)  # gaps
    blocks = (bits.ue() + 1) * (bits.ue() + 1)
    frames_only = bool(bits.u(1))
    bits.u(1 if frames_only else 2)
    if bits.u(1):
        bits.skip_ue(4)  # cropping
    pixels = 256 * blocks * (1 if frames_only else 2)
    reordered = _h264_reordered(bits) if bits.u(1) else None
    each = _bytes_each(chroma, depth)
    return CodedSequence(
        number, pixels, each, references, reordered, frame_num_bits, planes, frames_only
    )


def hevc_sequence(unit: bytes) -> CodedSequence:
    """Of a unit with its header of two bytes."""
    bits = Bits(unit[2:SEQUENCE_BYTES])
    bits.u(4)
    layers = bits.u(3)  # but one
    bits.u(1)
    _skip_profiles(bits, layers)
    number, chroma = bits.ue(), bits.ue()
    if chroma == 3:
        bits.u(1)
    pixels = bits.ue() * bits.ue()
    if bits.u(1):
        bits.skip_ue(4)  # cropping
    depth = 8 + max(bits.ue(), bits.ue())
    bits.ue()
    kept = reordered = 0
    for _ in range(layers + 1 if bits.u(1) else 1):
        kept, reordered = max(kept, bits.ue()), max(reordered, bits.ue())
        bits.ue()
    # Pictures that wait are among those that are kept (C.5.2).
    return CodedSequence(number, pixels, _bytes_each(chroma, depth), kept + 1, 0)


def _bytes_each(chroma: int, depth: int) -> float:
    return _SAMPLES.get(chroma, 3.0) * (1 if depth == 8 else 2)


def _skip_order(bits: Bits) -> None:
    """Passes over how the order in which pictures are shown is told."""
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.u(1)
        bits.skip_ue(2)
        bits.skip_ue(min(bits.ue(), 255))


def _skip_scaling_lists(bits: Bits, count: int) -> None:
    for scaling_list in range(count):
        if bits.u(1):
            last = following = 8
            for _ in range(16 if scaling_list < 6 else 64):
                if following:
                    following = (last + bits.se()) % 256
                last = following or last


def _h264_reordered(bits: Bits) -> int | None:
    """max_num_reorder_frames (E.1.1)."""
    if bits.u(1) and bits.u(8) == _OWN_RATIO:
        bits.u(32)
    if bits.u(1):
        bits.u(1)  # overscan
    if bits.u(1):
        bits.u(4)  # video signal
        if bits.u(1):
            bits.u(24)
    if bits.u(1):
        bits.skip_ue(2)  # place of chroma
    if bits.u(1):
        bits.u(65)  # timing
    buffers = 0
    for _ in ("NAL", "VCL"):
        if bits.u(1):
            buffers += 1
            _skip_buffer(bits)
    bits.u(2 if buffers else 1)
    if not bits.u(1):
        return None
    bits.u(1)
    bits.skip_ue(4)
    return bits.ue()


def _skip_buffer(bits: Bits) -> None:
    """Passes over the parameters of a hypothetical decoder's input buffer (E.1.2)."""
    count = bits.ue() + 1
    bits.u(8)
    for _ in range(min(count, 32)):
        bits.skip_ue(2)
        bits.u(1)
    bits.u(20)


def _skip_profiles(bits: Bits, layers: int) -> None:
    """Passes over profile, tier and level (H.265, 7.3.3)."""
    bits.u(96)
    flags = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    if layers:
        bits.u(2 * (8 - layers))
    for profile, level in flags:
        bits.u(88 * profile + 8 * level)
