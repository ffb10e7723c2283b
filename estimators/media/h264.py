"""What an H.264 stream says of itself in its first frame (ITU-T H.264, 7.3.1 and annex D).

Browsers leave to the container what other players read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

_START_CODE = re.compile(b"\0\0\1")
_CLEAN_START, _MESSAGES = 5, 6  # kinds of units: a slice of an IDR picture, SEI
_DISPLAY_ORIENTATION = 47  # kind of SEI message


def starts_clean(packet: bytes, extradata: bytes) -> bool:
    """Whether the packet is an instantaneous decoder refresh: nothing before it is needed."""
    return any(unit[0] & 31 == _CLEAN_START for unit in units(packet, extradata))


def turned_by_stream(packet: bytes, extradata: bytes) -> bool:
    """Whether a message in the packet tells to turn or mirror the picture."""
    messages = (unit for unit in units(packet, extradata) if unit[0] & 31 == _MESSAGES)
    return any(
        kind == _DISPLAY_ORIENTATION and payload[:1] < b"\x80"  # highest bit: cancel
        for unit in messages
        for kind, payload in _messages(unit)
    )


def units(packet: bytes, extradata: bytes) -> Iterator[bytes]:
    """The packet's units with their one-byte headers, none of them empty.

    Args:
        packet: with lengths before the units where `extradata` is an `avcC` record (ISO/IEC
            14496-15, 5.3.3.1), else with start codes (Annex B).
        extradata: of the stream.
    """
    record = is_record(extradata)
    found = sized_units(packet, (extradata[4] & 3) + 1) if record else coded_units(packet)
    return (unit for unit in found if unit)


def parameter_units(extradata: bytes) -> Iterator[bytes]:
    """Sequence and picture parameters in a stream's `extradata`."""
    return _record_units(extradata) if is_record(extradata) else units(extradata, b"")


def is_record(extradata: bytes) -> bool:
    """Whether it is an `avcC` record."""
    return extradata[:1] == b"\1" and len(extradata) > 6


def sized_units(packet: bytes, length_bytes: int) -> Iterator[bytes]:
    """Units with their lengths before them."""
    at = 0
    while at + length_bytes <= len(packet):
        start = at + length_bytes
        at = start + int.from_bytes(packet[at:start])
        yield packet[start:at]


def coded_units(packet: bytes) -> Iterator[bytes]:
    """Units with start codes before them (Annex B)."""
    starts = [code.end() for code in _START_CODE.finditer(packet)]
    for start, following in pairwise([*starts, len(packet) + 3]):
        yield packet[start : following - 3]


def _record_units(record: bytes) -> Iterator[bytes]:
    at = 5
    for mask in (31, 255):
        count, at = (record[at] & mask if at < len(record) else 0), at + 1
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2])
            yield record[at + 2 : at + 2 + size]
            at += 2 + size


def _messages(unit: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, payload) of each message of an SEI unit (7.3.2.3.1)."""
    data = unit[1:].replace(b"\0\0\3", b"\0\0")
    at = 0
    while at + 2 < len(data):
        numbers = []
        for _ in ("kind", "size"):
            number = 0
            while at < len(data) and data[at] == 255:
                number, at = number + 255, at + 1
            if at >= len(data):
                return
            numbers.append(number + data[at])
            at += 1
        yield numbers[0], data[at : at + numbers[1]]
        at += numbers[1]
