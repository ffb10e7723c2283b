"""Is a file a picture or a clip?  Its first bytes tell; its name's ending may lie or be missing."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Literal

from estimators.errors import InputError

Kind = Literal["picture", "clip", "unknown"]

HEAD_BYTES = 1024
# ISO/IEC 14496-12 files that hold pictures, by their major brand: HEIF (ISO/IEC 23008-12) and AVIF.
_PICTURE_BRANDS = frozenset(
    b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1 miaf avif avis".split()
)
# The boxes that an MP4, MOV or 3GP file may begin with; old ones have no `ftyp`.
_CLIP_BOXES = (b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_PICTURE_STARTS = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF87a", b"GIF89a"),
    *(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"8BPS", b"\xff\x0a", b"\0\0\0\x0cJXL "),
)
_CLIP_STARTS = (
    b"\x1a\x45\xdf\xa3",  # EBML: Matroska, WebM
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: WMV
    *(b"FLV\x01", b"OggS"),
    b"\0\0\x01\xba",  # MPEG program stream: MPG, VOB, MOD
    # Clips that are not read here, which must not be called bad pictures:
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02",  # MXF (SMPTE ST 377-1)
    *(b"\x1f\x07\0", b".RMF", b"DKIF", b"YUV4MPEG2", b"nut/multimedia container"),  # DV, RM, IVF
    *(b"\0\0\x01\xb3", b"\0\0\0\x01"),  # a stream without container: MPEG-2, H.264, HEVC
)
# MPEG transport streams: packets of so many bytes, each with its mark so many bytes behind its
# start (M2TS and MTS put a time stamp before it).
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))
_TS_MARK = 0x47
# What decides where the content is unknown: a broken clip is then called one.
CLIP_ENDINGS = (
    *(".mp4", ".m4v", ".mov", ".qt", ".webm", ".mkv", ".avi", ".3gp", ".3g2", ".lrv", ".mts"),
    *(".m2ts", ".ts", ".mpg", ".mpeg", ".vob", ".mod", ".wmv", ".asf", ".flv", ".f4v", ".ogv"),
    *(".mxf", ".dv", ".rm", ".rmvb", ".ivf", ".y4m", ".nut", ".m2v", ".h264", ".264", ".hevc"),
)
_SPECIAL = (
    (stat.S_ISDIR, "a folder", "Name the files in it."),
    (stat.S_ISFIFO, "a pipe", "Save what comes through it in a file first."),
    (stat.S_ISSOCK, "a socket", "Name a file."),
    (stat.S_ISCHR, "a device", "Name a file."),
    (stat.S_ISBLK, "a device", "Name a file."),
)


def sniff(head: bytes) -> Kind:
    """What a file is that begins with `head` (`HEAD_BYTES` of it); a GIF counts as a picture."""
    if head.startswith(_CLIP_STARTS):
        return "clip"
    if head.startswith(_PICTURE_STARTS):
        return "picture"
    if head[:4] == b"RIFF":
        kinds: dict[bytes, Kind] = {b"WEBP": "picture", b"AVI ": "clip", b"AVIX": "clip"}
        return kinds.get(head[8:12], "unknown")
    if head[4:8] in _CLIP_BOXES:
        return "picture" if head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS else "clip"
    return "clip" if _transport_stream(head) else "unknown"


def kind_of(source: Path | bytes, name: str = "") -> Kind:
    """What a file is by its content, and where that is unknown by the ending of its name.

    Args:
        source: where it lies, or its content.
        name: what it was called, where `source` does not tell.

    Raises:
        InputError: it is no ordinary file, or cannot be read.
    """
    if isinstance(source, Path):
        require_file(source)
        name = name or source.name
        try:
            head = b""
            if source.stat().st_size:  # a system's own files claim to be empty and may never end
                with source.open("rb") as file:
                    head = file.read(HEAD_BYTES)
        except OSError as error:
            raise _unreadable(str(source), error) from error
    else:
        head = source[:HEAD_BYTES]
    kind = sniff(head)
    ending = Path(name).suffix.lower()
    return "clip" if kind == "unknown" and ending in CLIP_ENDINGS else kind


def require_file(path: Path, name: str = "") -> None:
    """Raises InputError unless `path` is an ordinary file: a pipe or a device may never end.

    Args:
        name: what to call it in messages, its path by default.
    """
    name = name or str(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise InputError(f"There is no file {name}.", "Check the path.") from error
    except OSError as error:
        raise _unreadable(name, error) from error
    for is_one, what, advice in _SPECIAL:
        if is_one(mode):
            raise InputError(f"{name} is {what}, not a file.", advice)


def _unreadable(name: str, error: OSError) -> InputError:
    return InputError(
        f"{name} cannot be read: {error.strerror}.", "Check the path and its permissions."
    )


def _transport_stream(head: bytes) -> bool:
    for size, before in _TS_PACKETS:
        marks = head[before::size]
        if len(marks) > 2 and set(marks) == {_TS_MARK}:
            return True
    return False
