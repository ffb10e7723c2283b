"""Clips that were once read wrongly: each frame's content, index and time are its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimators.media.browser import browser_copy
from estimators.media.clips import frames, open_clip
from estimators.workflows.clip.run import ClipSettings
from estimators.workflows.clip.video import AnnotatedClip
from tests.clip_factory import bars_of

MODEL = "movenet-lightning"
TWENTY = tuple(range(20))
MILLISECONDS_33 = tuple(0.033 * n for n in range(20))
ROUNDED = tuple(round(n / 30, 3) for n in range(20))
EXACT = tuple(n / 30 for n in range(40))
# Which frames of the original a clip shows, and when: its first one at 0.
FAULTS: dict[str, tuple[tuple[int, ...], tuple[float, ...]]] = {
    "c01_sar.webm": (TWENTY, ROUNDED),
    "c01_sar_pasp_only.mp4": (TWENTY, EXACT[:20]),
    "c03_rot90_sar.mp4": (TWENTY, EXACT[:20]),
    "c04_negative.webm": (TWENTY, MILLISECONDS_33),
    # Cut without encoding: nine frames lie before the clip's start.
    "c04_trim_negative.mkv": (tuple(range(24, 40)), ROUNDED[:16]),
    "c11_starts_at_1h.mkv": (TWENTY, MILLISECONDS_33),
    "c12_preview_first.mp4": (TWENTY, EXACT[:20]),
    # Delays of 0, 1, 2, 5, 10, 3, 0, 7 hundredths; browsers show those below two for a tenth.
    "c14_odd_delays.gif": (tuple(range(8)), (0, 0.1, 0.2, 0.22, 0.27, 0.37, 0.4, 0.5)),
    # The last packet is itself cut.
    "c18_faststart_cut.mp4": (TWENTY, EXACT[:20]),
    "c22_phone.3gp": (TWENTY, EXACT[:20]),
    # Sixteen fields, two a frame.
    "c23_paff_fields.mp4": (tuple(range(0, 16, 2)), tuple(0.04 * n for n in range(8))),
    "c26_recovery_start.mp4": (tuple(range(15, 40)), EXACT[:25]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_frame_has_its_own_index_and_time(name: str, shared: Path) -> None:
    numbers, times = FAULTS[name]
    clip = open_clip(shared / "data" / "faults" / name)
    shown = list(frames(clip))
    assert [bars_of(frame.image) for frame in shown] == list(numbers)
    assert [frame.index for frame in shown] == list(range(len(numbers)))
    assert [frame.time_s for frame in shown] == pytest.approx(times, abs=1e-6)
    assert clip.timestamps_s[: len(times)] == pytest.approx(times, abs=1e-6)
    middle = len(times) // 2
    part = list(frames(clip, times[middle], times[middle + 2]))
    assert [bars_of(frame.image) for frame in part] == list(numbers[middle : middle + 3])
    assert [frame.index for frame in part] == [middle, middle + 1, middle + 2]


@pytest.mark.parametrize("name", FAULTS)
def test_copies_for_player_and_download_tell_the_same_times(
    name: str, shared: Path, tmp_path: Path
) -> None:
    numbers, times = FAULTS[name]
    clip = open_clip(shared / "data" / "faults" / name)
    with AnnotatedClip(tmp_path / "annotated.mp4", clip, ClipSettings((MODEL,))) as video:
        for frame in frames(clip):
            video.add(frame, {}, {MODEL: "no answer"})
    browser_copy(clip, tmp_path / "copy.mp4")
    for path in tmp_path.iterdir():
        written = open_clip(path)
        assert written.first_frame_s == 0
        assert written.timestamps_s == pytest.approx(times, abs=1e-6), path.name
        assert written.duration_s < times[-1] + 0.2
    if (tmp_path / "copy.mp4").exists():
        copy = open_clip(tmp_path / "copy.mp4")
        assert [bars_of(frame.image) for frame in frames(copy)] == list(numbers)


def test_what_was_left_out_is_said(shared: Path) -> None:
    folder = shared / "data" / "faults"
    assert "9 frames are left out" in " ".join(open_clip(folder / "c04_trim_negative.mkv").notes)
    assert "21 of 40 frames" in " ".join(open_clip(folder / "c18_faststart_cut.mp4").notes)
    assert open_clip(folder / "c23_paff_fields.mp4").notes == ()
