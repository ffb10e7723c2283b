"""FFmpeg's threads must not wait for each other for ever."""

from pathlib import Path

from estimators.media.clips import open_clip
from estimators.media.decoding import _several_at_once
from tests.clip_factory import Recipe, make_clip


def test_only_decoders_that_come_to_an_end_work_on_several_frames_at_once(tmp_path: Path) -> None:
    made = {"libx264": "mp4", "libvpx-vp9": "webm", "libx265": "mp4", "mpeg4": "avi"}
    at_once = {}
    for codec, kind in made.items():
        path = make_clip(tmp_path / f"{codec}.{kind}", Recipe(codec, pts=tuple(range(4))))
        at_once[codec] = _several_at_once(open_clip(path))
    assert at_once == {"libx264": True, "libvpx-vp9": True, "libx265": False, "mpeg4": False}
