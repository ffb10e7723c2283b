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

from estimators.media.bits import Bits
from estimators.media.h264 import parameter_units, units
from estimators.media.sequences import CodedSequence, h264_sequence

_TOP, _BOTTOM, _FRAME = 1, 2, 3
_OTHER = {_TOP: _BOTTOM, _BOTTOM: _TOP}
_START_CODE = re.compile(b"\0\0\1")
# Bytes that hold any picture's header.
_PICTURE_BYTES = 32
# H.264's kinds of units.
_SLICES, _SEQUENCE, _PICTURE = (1, 2, 5), 7, 8


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
        # By a sequence's id; of a picture's parameters, by their id, the id of their sequence.
        self._sequences: dict[int, CodedSequence] = {}
        self._sequence_of: dict[int, int] = {}
        self._extradata = extradata
        for unit in parameter_units(extradata):
            self._learn(unit)

    @property
    def interlaced(self) -> bool:
        """Whether there may be fields; they are not ruled out where the parameters come later."""
        return not self._sequences or not all(s.frames_only for s in self._sequences.values())

    def pictures(self, data: bytes) -> Iterator[_Coded]:
        for unit in units(data, self._extradata):
            self._learn(unit)
            if unit[0] & 31 in _SLICES:
                coded = self._slice(Bits(unit[1:_PICTURE_BYTES]))
                if coded is not None:
                    yield coded

    def _learn(self, unit: bytes) -> None:
        kind = unit[0] & 31 if unit else 0
        if kind == _SEQUENCE:
            sequence = h264_sequence(unit)
            self._sequences[sequence.number] = sequence
        elif kind == _PICTURE:
            bits = Bits(unit[1:_PICTURE_BYTES])
            self._sequence_of[bits.ue()] = bits.ue()

    def _slice(self, bits: Bits) -> _Coded | None:
        bits.ue(), bits.ue()  # first_mb_in_slice, slice_type
        sequence = self._sequences.get(self._sequence_of.get(bits.ue(), -1))
        if sequence is None:
            return None
        bits.u(2 * sequence.planes)
        number = bits.u(sequence.frame_num_bits)
        if sequence.frames_only or not bits.u(1):
            return _Coded(number, _FRAME)
        return _Coded(number, _BOTTOM if bits.u(1) else _TOP)
