"""What a clip's decoder would keep in memory: told from the stream's own words, and refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from field_factory import BOTTOM, TOP, make_fields

from estimators.errors import InputError
from estimators.media import limits
from estimators.media.clips import frames, open_clip
from estimators.media.decoder_memory import check_format, most_waiting
from tests.clip_factory import Recipe, make_clip, number_of

FOUR_K = Recipe(width=3840, height=2160, pts=(0,))
BUFFERS = "nal-hrd=vbr:vbv-maxrate=900:vbv-bufsize=900"
QUICK = {"preset": "ultrafast"}


def of(tmp_path: Path, name: str = "a.mp4", **recipe: object) -> Path:
    return make_clip(tmp_path / name, replace(Recipe(pts=tuple(range(6))), **recipe))


@pytest.mark.parametrize(
    ("pixel_format", "references", "taken"),
    [
        ("yuv420p", 10, True),
        ("yuv420p", 16, False),
        ("yuv420p10le", 4, True),
        ("yuv444p10le", 4, False),
    ],
)
def test_large_frames_and_many_references_are_refused(
    pixel_format: str, references: int, taken: bool, tmp_path: Path
) -> None:
    options = {**QUICK, "refs": str(references), "bf": "0"}
    path = make_clip(
        tmp_path / "a.mp4", replace(FOUR_K, pixel_format=pixel_format, options=options)
    )
    if taken:
        assert open_clip(path).frame_count == 1
    else:
        with pytest.raises(InputError, match="-refs 4"):
            open_clip(path)


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.mkv"])
@pytest.mark.parametrize(
    ("codec", "options", "kept"),
    [
        ("libx264", {"refs": "7", "bf": "0"}, 7 + 2),
        ("libx264", {"refs": "5", "bf": "3", "x264-params": "interlaced=1:cqm=jvt"}, 5 + 2 + 2),
        ("libx264", {"refs": "5", "bf": "3", "x264-params": BUFFERS}, 5 + 2 + 2),
        ("libx265", {"x265-params": "ref=5:bframes=0:log-level=none"}, 6 + 2),
    ],
    ids=["references", "interlaced", "buffers", "HEVC"],
)  # fmt: skip
def test_how_many_pictures_are_kept_is_read_from_the_stream(
    codec: str, options: dict[str, str], kept: int, name: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = of(tmp_path, name, codec=codec, options=options)
    each = 128 * 96 * 2.1
    monkeypatch.setattr(limits, "MAX_DECODER_BYTES", int(kept * each) + 1)
    assert most_waiting(path, name, 0) is None
    monkeypatch.setattr(limits, "MAX_DECODER_BYTES", int(kept * each) - 1)
    with pytest.raises(InputError, match="too much memory"):
        open_clip(path)


def test_other_codecs_are_judged_by_their_frames() -> None:
    largest, four_k = limits.MAX_FRAME_PIXELS, 3840 * 2160
    for codec, pixels, taken in (
        ("vp9", largest, "yuv420p10le"),
        ("av1", largest, "yuv420p10le"),
        ("prores", four_k, "yuva444p12le"),
        ("mpeg4", largest, "yuv420p"),
    ):
        check_format(codec, pixels, taken, "a")
    for codec, refused in (("vp9", "yuv444p12le"), ("av1", "yuv444p10le")):
        with pytest.raises(InputError, match="too much memory"):
            check_format(codec, four_k, refused, "a")


def test_where_the_stream_does_not_tell_those_that_wait_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = make_fields(tmp_path / "f.mp4", "h264", [(TOP, BOTTOM)] * 4, together=True)
    monkeypatch.setattr(limits, "MAX_DECODER_BYTES", int(128 * 64 * 2.1 * 10) + 1)
    assert most_waiting(fields, "f.mp4", 0) == 10 - 1 - 2
    monkeypatch.undo()
    path = of(tmp_path, pts=tuple(range(24)), options={"bf": "8", "g": "24"})
    clip = open_clip(path)
    assert clip.most_waiting is None
    enough = replace(clip, most_waiting=3)
    assert [number_of(f.image) for f in frames(enough)] == list(range(24))
    with pytest.raises(InputError, match="too much memory"):
        list(frames(replace(clip, most_waiting=-3)))


def test_a_stream_that_asks_for_more_in_mid_clip_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [
        of(tmp_path, f"{n}.ts", time_base=Fraction(1, 30), options={"refs": refs, "bf": "0"})
        for n, refs in enumerate(("1", "9"))
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    monkeypatch.setattr(limits, "MAX_DECODER_BYTES", int(128 * 96 * 2.1 * 5))
    assert open_clip(parts[0]).frame_count == 6
    with pytest.raises(InputError, match="too much memory"):
        open_clip(joined)
