"""How much memory a clip's decoder takes, told before anything is decoded.

A decoder keeps pictures that later ones are made from, and such as wait for their turn: of H.264
and HEVC up to 16 each, and a file of a megabyte may ask for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from av.codec import Codec
from av.container import InputContainer
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from estimators.errors import InputError
from estimators.media import limits
from estimators.media.h264 import coded_units, parameter_units, sized_units, units
from estimators.media.listing import Packets, looked_into
from estimators.media.sequences import CodedSequence, h264_sequence, hevc_sequence

# The picture in work, and the one given out.
_IN_HAND = 2
# Bytes a pixel that FFmpeg keeps with each picture of H.264 and HEVC, of motion mostly; measured.
_MOTION = 0.6
# FFmpeg lets so many wait where a stream does not tell.
_MOST_REORDERED = 15
# What opening a clip may take: its decoder is tried before ours, which is stopped in time, begins.
_MAX_TRIED_BYTES = 400_000_000
# Pictures that other decoders keep.  VP9 and AV1 have eight to choose from.
_KEPT = {"vp9": 9, "av1": 9}
_KEPT_USUALLY, _KEPT_OF_STILLS = 5, 3
# Kinds of units, and the length of a record's head.
_H264_SEQUENCE, _HEVC_SEQUENCE, _HEVC_RECORD = 7, 33, 23


def most_waiting(source: Path | bytes, name: str, track: int) -> int | None:
    """How many frames may wait in the decoder, None where the stream itself keeps within bounds.

    Raises:
        InputError: the decoder would take too much memory.
    """
    with looked_into(source, name) as container:
        sequences = list(_sequences(container, track))
    most: int | None = None
    for sequence in sequences:
        each = sequence.pixels * (sequence.bytes_each + _MOTION)
        kept = sequence.references + _IN_HAND
        _check(kept + (sequence.reordered or 0), each, limits.MAX_DECODER_BYTES, name)
        if sequence.reordered is None and each:
            _check(kept + _MOST_REORDERED, each, _MAX_TRIED_BYTES, name)
            left = int(limits.MAX_DECODER_BYTES / each) - kept
            most = left if most is None else min(left, most)
    return most


def check_format(codec: str, pixels: int, pixel_format: str, name: str) -> None:
    """The same of codecs that cannot ask for more: by their frames' size and format.

    Raises:
        InputError: the decoder would take too much memory.
    """
    if codec in _FIND:
        return
    bits = VideoFormat(pixel_format).padded_bits_per_pixel
    usual = _KEPT_OF_STILLS if Codec(codec, "r").intra_only else _KEPT_USUALLY
    _check(_KEPT.get(codec, usual), pixels * bits / 8, limits.MAX_DECODER_BYTES, name)


def too_much(name: str) -> InputError:
    """The clip keeps more pictures than there is memory for."""
    return InputError(
        f"{name} takes too much memory to decode: its encoder was told to keep many large pictures "
        "to refer to.",
        "Convert it to H.264 in 8 bits with at most four reference frames (FFmpeg: -c:v libx264 "
        "-pix_fmt yuv420p -refs 4), or scale it down.",
    )


def _check(pictures: int, each: float, most: int, name: str) -> None:
    if pictures * each > most:
        raise too_much(name)


def _sequences(container: InputContainer, track: int) -> Iterator[CodedSequence]:
    """What all sequence parameter sets of an H.264 or HEVC track say."""
    stream = container.streams[track]
    find = _FIND.get(stream.codec_context.name)
    if find is None or not isinstance(stream, VideoStream):
        return
    extradata = stream.codec_context.extradata or b""
    known: set[bytes] = set()
    for data in chain([None], map(bytes, Packets(container, stream))):
        # Many files repeat them before every keyframe.
        new = set(find(data, extradata)) - known
        known |= new
        yield from map(_READ[stream.codec_context.name], new)


def _of_h264(packet: bytes | None, extradata: bytes) -> Iterator[bytes]:
    found = parameter_units(extradata) if packet is None else units(packet, extradata)
    return (unit for unit in found if unit and unit[0] & 31 == _H264_SEQUENCE)


def _of_hevc(packet: bytes | None, extradata: bytes) -> Iterator[bytes]:
    """`extradata` may be an `hvcC` record (ISO/IEC 14496-15, 8.3.3.1); sets of the base layer."""
    record = extradata[:1] == b"\1" and len(extradata) > _HEVC_RECORD
    if packet is None:
        found = _hevc_record_units(extradata) if record else coded_units(extradata)
    else:
        found = sized_units(packet, (extradata[21] & 3) + 1) if record else coded_units(packet)
    base = (unit for unit in found if len(unit) > 1 and not (unit[0] & 1 or unit[1] >> 3))
    return (unit for unit in base if unit[0] >> 1 == _HEVC_SEQUENCE)


def _hevc_record_units(record: bytes) -> Iterator[bytes]:
    at = _HEVC_RECORD
    for _ in range(record[at - 1]):
        count, at = int.from_bytes(record[at + 1 : at + 3]), at + 3
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2])
            yield record[at + 2 : at + 2 + size]
            at += 2 + size


_FIND = {"h264": _of_h264, "hevc": _of_hevc}
_READ = {"h264": h264_sequence, "hevc": hevc_sequence}
