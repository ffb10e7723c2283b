"""Interlaced video coded field by field: which packets only complete the frame begun before them.

A file may give each of a frame's two fields a packet, with a time, of its own; decoders give one
frame for both.  Such packets are known by their headers: H.264 (ITU-T H.264, 7.3.2.1.1, 7.3.2.2 and
7.3.3) and MPEG-2 (ITU-T H.262, 6.2.3 and 6.2.3.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from av.packet import Packet
from av.video.stream import VideoStream

from estimators.media.h264 import is_record, units

_TOP, _BOTTOM, _FRAME = 1, 2, 3
_OTHER = {_TOP: _BOTTOM, _BOTTOM: _TOP}
_START_CODE = re.compile(b"\0\0\1")
# Bytes that hold any header: a picture's, and a sequence's with all its scaling lists.
_PICTURE_BYTES, _SEQUENCE_BYTES = 32, 600
# H.264's kinds of units, and the profiles whose sequence parameters name the kind of chroma.
_SLICES, _SEQUENCE, _PICTURE = (1, 2, 5), 7, 8
_CHROMA_PROFILES = (44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244)


class _Coded(NamedTuple):
    """A coded picture; two fields of opposite parity with one number are one frame."""

    number: int
    structure: int


class _Reader(Protocol):
    def pictures(self, data: bytes) -> Iterator[_Coded]:
        """The pictures in a packet, one coded in several slices perhaps several times."""


class FieldPairs:
    """Told all packets of a track in the file's order, says which ones begin no frame."""

    def __init__(self, stream: VideoStream) -> None:
        self._reader = _reader(stream)
        self._waiting: _Coded | None = None
        self._last: _Coded | None = None

    def completes(self, packet: Packet[VideoStream]) -> bool:
        """Whether the packet holds nothing but the second field of the frame before it."""
        if self._reader is None:
            return False
        begun = completed = 0
        self._last = None
        for coded in self._reader.pictures(bytes(packet)):
            if coded == self._last:
                continue
            self._last, other = coded, _OTHER.get(coded.structure)
            if self._waiting is not None and self._waiting == (coded.number, other):
                self._waiting = None
                completed += 1
            else:
                self._waiting = coded if other else None
                begun += 1
        return completed > 0 and begun == 0


def _reader(stream: VideoStream) -> _Reader | None:
    """None where a track cannot be coded in fields: its packets need not be looked into."""
    context = stream.codec_context
    if context.name == "mpeg2video":
        return _Mpeg2()
    if context.name == "h264":
        reader = _H264(context.extradata or b"")
        return reader if reader.interlaced else None
    return None


class _Mpeg2:
    def pictures(self, data: bytes) -> Iterator[_Coded]:
        number = 0
        for code in _START_CODE.finditer(data):
            body = data[code.end() : code.end() + 5]
            if len(body) < 5:
                return
            if body[0] == 0x00:  # picture header: temporal_reference
                number = body[1] << 2 | body[2] >> 6
            elif body[0] == 0xB5 and body[1] >> 4 == 8:  # picture coding extension
                yield _Coded(number, body[3] & 3)


class _H264:
    """Args: `extradata`, Annex B or an `avcC` record (ISO/IEC 14496-15, 5.3.3.1)."""

    def __init__(self, extradata: bytes) -> None:
        # A sequence's id → bits of frame_num, one more flag for it, no fields; a picture's → its.
        self._sequences: dict[int, tuple[int, bool, bool]] = {}
        self._sequence_of: dict[int, int] = {}
        self._extradata = extradata
        for unit in _record_units(extradata) if is_record(extradata) else units(extradata, b""):
            self._learn(unit)

    @property
    def interlaced(self) -> bool:
        """Whether there may be fields; they are not ruled out where the parameters come later."""
        return not self._sequences or not all(only for *_, only in self._sequences.values())

    def pictures(self, data: bytes) -> Iterator[_Coded]:
        for unit in units(data, self._extradata):
            self._learn(unit)
            if unit[0] & 31 in _SLICES:
                coded = self._slice(_Bits(unit[1:_PICTURE_BYTES]))
                if coded is not None:
                    yield coded

    def _learn(self, unit: bytes) -> None:
        kind = unit[0] & 31 if unit else 0
        if kind == _SEQUENCE:
            number, sequence = _sequence(_Bits(unit[1:_SEQUENCE_BYTES]))
            self._sequences[number] = sequence
        elif kind == _PICTURE:
            bits = _Bits(unit[1:_PICTURE_BYTES])
            self._sequence_of[bits.ue()] = bits.ue()

    def _slice(self, bits: _Bits) -> _Coded | None:
        bits.ue(), bits.ue()  # first_mb_in_slice, slice_type
        sequence = self._sequences.get(self._sequence_of.get(bits.ue(), -1))
        if sequence is None:
            return None
        frame_num_bits, planes, frames_only = sequence
        bits.u(2 * planes)
        number = bits.u(frame_num_bits)
        if frames_only or not bits.u(1):
            return _Coded(number, _FRAME)
        return _Coded(number, _BOTTOM if bits.u(1) else _TOP)


def _sequence(bits: _Bits) -> tuple[int, tuple[int, bool, bool]]:
    """A sequence's id, and what `_H264` keeps of it."""
    profile, planes = bits.u(8), False
    bits.u(16)
    number = bits.ue()
    if profile in _CHROMA_PROFILES:
        chroma = bits.ue()
        planes = chroma == 3 and bool(bits.u(1))
        bits.ue(), bits.ue(), bits.u(1)
        if bits.u(1):
            for scaling_list in range(12 if chroma == 3 else 8):
                if bits.u(1):
                    _skip_scaling_list(bits, 16 if scaling_list < 6 else 64)
    frame_num_bits = bits.ue() + 4
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.u(1), bits.ue(), bits.ue()
        for _ in range(min(bits.ue(), 255)):
            bits.ue()
    bits.ue(), bits.u(1), bits.ue(), bits.ue()  # reference frames, gaps, width, height
    return number, (min(frame_num_bits, 16), planes, bool(bits.u(1)))


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


class _Bits:
    """The bits of a unit, the bytes against false start codes taken out; zeros behind its end."""

    def __init__(self, data: bytes) -> None:
        data = data.replace(b"\0\0\3", b"\0\0")
        self._left = f"{int.from_bytes(data):0{8 * len(data)}b}" if data else ""
        self._at = 0

    def u(self, count: int) -> int:
        taken = self._left[self._at : self._at + count]
        self._at += count
        return int(taken.ljust(count, "0") or "0", 2)

    def ue(self) -> int:
        one = self._left.find("1", self._at)
        zeros = min(one - self._at, 32) if one >= 0 else 0
        self._at += zeros
        return self.u(zeros + 1) - 1 if one >= 0 else 0

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def _record_units(record: bytes) -> Iterator[bytes]:
    """Sequence and picture parameters of an `avcC` record."""
    at = 5
    for mask in (31, 255):
        count, at = (record[at] & mask if at < len(record) else 0), at + 1
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2])
            yield record[at + 2 : at + 2 + size]
            at += 2 + size
