"""Makes interlaced clips coded field by field, which no encoder at hand does.

H.264 with raw macroblocks (I_PCM), MPEG-2 with one value a block: each frame shows its number as
eight bars.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 128, 64
TOP, BOTTOM, WHOLE = "top", "bottom", "whole"
TICK = Fraction(1, 50)
_START = b"\0\0\0\1"
_DC_SIZES = ("100", "00", "01", "101", "110", "1110", "11110", "111110", "1111110")


def make_fields(path: Path, codec: str, pictures: Sequence[Sequence[str]], together: bool) -> Path:
    """A clip of 25 frames a second.

    Args:
        codec: "h264" or "mpeg2video".
        pictures: how each frame is coded, as (TOP, BOTTOM) or (WHOLE,).
        together: the fields of a frame share a packet.
    """
    coder = {"h264": _h264, "mpeg2video": _mpeg2}[codec]
    raw = {"h264": "h264", "mpeg2video": "mpegvideo"}[codec]
    coded = [list(coder(number, structures)) for number, structures in enumerate(pictures)]
    elementary = b"".join(part for frame in coded for part in frame)
    with (
        av.open(io.BytesIO(elementary), format=raw) as template,
        av.open(str(path), "w") as output,
    ):
        stream = output.add_stream_from_template(template.streams.video[0])
        stream.time_base = TICK
        for number, frame in enumerate(coded):
            parts = [b"".join(frame)] if together else frame
            for place, part in enumerate(parts):
                packet = av.Packet(part)
                packet.stream, packet.time_base = stream, TICK
                packet.pts = packet.dts = 2 * number + place
                packet.duration = 2 // len(parts)
                packet.is_keyframe = number == 0 and place == 0
                output.mux(packet)
    return path


def _luma(number: int) -> np.ndarray:
    """[rows, columns] of macroblocks."""
    bars = [225 if number >> (7 - bit) & 1 else 30 for bit in range(8)]
    return np.tile(bars, (HEIGHT // 16, 1))


def _rows(number: int, structure: str) -> np.ndarray:
    rows = _luma(number)
    return rows if structure == WHOLE else rows[::2]


def _ue(value: int) -> str:
    return bin(value + 1)[2:].rjust(2 * (value + 1).bit_length() - 1, "0")


def _bytes(bits: str, stop: str = "") -> bytes:
    bits += stop
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def _unit(kind: int, payload: bytes) -> bytes:
    guarded, zeros = bytearray([0x60 | kind]), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            guarded.append(3)
            zeros = 0
        zeros = zeros + 1 if byte == 0 else 0
        guarded.append(byte)
    return _START + bytes(guarded)


def _h264(number: int, structures: Sequence[str]) -> Iterator[bytes]:
    head = b""
    if number == 0:
        sequence = f"{77:08b}{0:08b}{30:08b}" + _ue(0) + _ue(0) + _ue(2) + _ue(1) + "0"
        sequence += _ue(WIDTH // 16 - 1) + _ue(HEIGHT // 32 - 1) + "001" + "00"
        picture = _ue(0) * 2 + "00" + _ue(0) * 3 + "000" + _ue(0) * 3 + "100"
        head = _unit(7, _bytes(sequence, "1")) + _unit(8, _bytes(picture, "1"))
    for place, structure in enumerate(structures):
        first = number == 0 and place == 0
        bits = _ue(0) + _ue(7) + _ue(0) + f"{number % 16:04b}"
        bits += {WHOLE: "0", TOP: "10", BOTTOM: "11"}[structure]
        bits += _ue(0) + "00" if first else "0"
        bits += _ue(0) + _ue(1)
        payload = b""
        for level in _rows(number, structure).ravel():
            payload += _bytes(bits + _ue(25)) + bytes([level] * 256 + [128] * 128)
            bits = ""
        yield head + _unit(5 if first else 1, payload + b"\x80")
        head = b""


def _mpeg2(number: int, structures: Sequence[str]) -> Iterator[bytes]:
    head = b""
    if number == 0:
        sequence = (
            f"{WIDTH:012b}{HEIGHT:012b}{1:04b}{3:04b}" + "1" * 18 + "1" + f"{20:010b}" + "000"
        )
        more = f"{1:04b}{0x48:08b}" + "0" + "01" + "0000" + "0" * 12 + "1" + "0" * 8 + "0" + "0" * 7
        head = b"\0\0\1\xb3" + _bytes(sequence) + b"\0\0\1\xb5" + _bytes(more)
        head += b"\0\0\1\xb8" + _bytes("0" * 12 + "1" + "0" * 12 + "10")
    for structure in structures:
        shape = {TOP: "01", BOTTOM: "10", WHOLE: "11"}[structure]
        whole = str(int(structure == WHOLE))
        yield (
            head
            + b"\0\0\1\0"
            + _bytes(f"{number:010b}001" + "1" * 16 + "0")
            + (
                b"\0\0\1\xb5"
                + _bytes(f"{8:04b}" + "1" * 16 + "00" + shape + "0" + whole + "0" * 10)
            )
            + b"".join(
                b"\0\0\1" + bytes([row + 1]) + _bytes(_macroblocks(levels))
                for row, levels in enumerate(_rows(number, structure))
            )
        )
        head = b""


def _macroblocks(levels: np.ndarray) -> str:
    bits, before = "000010", 128
    for level in levels.tolist():
        bits += "11"
        for difference in (level - before, 0, 0, 0):
            size = abs(difference).bit_length()
            value = difference if difference >= 0 else difference + (1 << size) - 1
            bits += _DC_SIZES[size] + (f"{value:0{size}b}" if size else "") + "10"
        bits += "0010" * 2
        before = level
    return bits
