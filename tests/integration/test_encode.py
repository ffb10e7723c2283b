"""Written clips: right pictures, right times, playable, sound kept."""

from __future__ import annotations

import resource
import signal
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from estimators.errors import InputError
from estimators.media.audio import sound_of
from estimators.media.boxes import starts_playing_at_once
from estimators.media.clips import frames, open_clip
from estimators.media.encode import ClipWriter, EncodeOptions
from tests.clip_factory import Recipe, make_clip, number_of, numbered, with_pts

UNEVEN_S = np.cumsum([0.0, *([0.033, 0.034, 0.12, 0.5, 0.017] * 8)])


def write(path: Path, times: np.ndarray, size: tuple[int, int] = (128, 96)) -> Path:
    with ClipWriter(path, size, EncodeOptions(last_frame_s=0.25)) as writer:
        for number, time_s in enumerate(times):
            writer.write(numbered(number, *size), float(time_s))
    return path


def test_pictures_and_times_come_back(tmp_path: Path) -> None:
    clip = open_clip(write(tmp_path / "a.mp4", UNEVEN_S))
    assert clip.timestamps_s == pytest.approx(UNEVEN_S, abs=1 / 90_000)
    assert [number_of(frame.image) for frame in frames(clip)] == list(range(len(UNEVEN_S)))
    assert clip.duration_s == pytest.approx(UNEVEN_S[-1] + 0.25, abs=1e-3)
    assert (clip.codec, clip.pixel_format) == ("h264", "yuv420p")
    assert starts_playing_at_once(tmp_path / "a.mp4")
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_the_container_says_the_right_duration(tmp_path: Path) -> None:
    with av.open(str(write(tmp_path / "a.mp4", np.arange(20) / 10))) as container:
        assert container.duration / av.time_base == pytest.approx(1.9 + 0.25, abs=2e-3)


def test_keyframes_are_close_together(tmp_path: Path) -> None:
    clip = open_clip(write(tmp_path / "a.mp4", np.arange(60) / 30))
    keys = np.flatnonzero(clip.listing.key)
    assert keys[0] == 0
    assert np.diff(keys).max() <= 15


@pytest.mark.parametrize("size", [(127, 95), (127, 96), (128, 95)])
def test_odd_sides_are_filled_up_without_moving_pixels(
    size: tuple[int, int], tmp_path: Path
) -> None:
    clip = open_clip(write(tmp_path / "a.mp4", np.arange(3) / 30, size))
    assert (clip.width, clip.height) == (128, 96)
    image = list(frames(clip))[1].image[: size[1], : size[0]]
    assert np.abs(image.astype(int) - numbered(1, *size)).mean() < 6


def test_colours_are_tagged_and_kept(tmp_path: Path) -> None:
    flat = np.zeros((64, 64, 3), np.uint8)
    flat[:] = (200, 60, 40)
    with ClipWriter(tmp_path / "a.mp4", (64, 64), EncodeOptions(quality=8)) as writer:
        writer.write(flat, 0.0)
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.colorspace, frame.color_range) == (1, 1)
        assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - flat).max() <= 4


@pytest.mark.parametrize(
    ("codec", "suffix", "kept"),
    [("aac", "mp4", "aac"), ("libopus", "mkv", "opus"), ("pcm_s16le", "mov", "aac")],
)
def test_sound_is_taken_along(codec: str, suffix: str, kept: str, tmp_path: Path) -> None:
    recipe = Recipe(pts=range(90), audio=codec)
    clip = open_clip(make_clip(tmp_path / f"a.{suffix}", recipe))
    target = tmp_path / "out.mp4"
    with ClipWriter(
        target, (128, 96), EncodeOptions(time_base=clip.time_base), sound=sound_of(clip)
    ) as writer:
        for frame in frames(clip):
            writer.write(frame.image, frame.time_s)
    assert writer.notes == ()
    written = open_clip(target)
    assert written.timestamps_s == pytest.approx(clip.timestamps_s, abs=1e-9)
    with av.open(str(target)) as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == kept
    before, after = tone(clip.source), tone(target)
    assert after[0] == pytest.approx(before[0], abs=0.03)
    assert after[1] == pytest.approx(3.0, abs=0.1)
    assert after[2] == pytest.approx(440, abs=5)


def tone(path: Path | bytes) -> tuple[float, float, float]:
    """(start, length in seconds, frequency in Hz) of a file's sound."""
    with av.open(str(path)) as container:
        decoded = list(container.decode(audio=0))
        rate = decoded[0].sample_rate
        wave = np.concatenate([f.to_ndarray()[0, : f.samples].astype(float) for f in decoded])
    middle = wave[rate // 2 : rate // 2 + rate]
    frequency = float(np.argmax(np.abs(np.fft.rfft(middle))) * rate / len(middle))
    return decoded[0].time, len(wave) / rate, frequency


def test_sound_lies_beside_its_pictures_in_the_file(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "a.mp4", Recipe(pts=range(300), audio="aac")))
    with ClipWriter(tmp_path / "o.mp4", (128, 96), sound=sound_of(clip)) as writer:
        for frame in frames(clip):
            writer.write(frame.image, frame.time_s)
    with av.open(str(tmp_path / "o.mp4")) as container:
        order = [(p.stream.type, float(p.dts * p.time_base)) for p in container.demux() if p.size]
    sound = {"video": 0.0, "audio": 0.0}
    apart = []
    for kind, time_s in order:
        sound[kind] = time_s
        apart.append(abs(sound["video"] - sound["audio"]))
    assert max(apart) < 1.5


def test_silent_clips_stay_silent(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "a.mp4"))
    with ClipWriter(tmp_path / "o.mp4", (128, 96), sound=sound_of(clip)) as writer:
        writer.write(numbered(1, 128, 96), 0.0)
    assert not open_clip(tmp_path / "o.mp4").has_audio


def test_an_early_close_keeps_what_was_written(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path / "a.mp4", (128, 96))
    for number in range(7):
        writer.write(numbered(number, 128, 96), number / 30)
    writer.close()
    writer.close()
    assert open_clip(tmp_path / "a.mp4").frame_count == 7


def test_an_error_leaves_no_file_and_an_old_one_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", np.arange(5) / 30)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="expected"):
        write_wrong_size(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def write_wrong_size(path: Path) -> None:
    with ClipWriter(path, (128, 96)) as writer:
        writer.write(numbered(0, 128, 96), 0.0)
        writer.write(numbered(1, 64, 48), 0.1)


def test_no_frames_give_no_file(tmp_path: Path) -> None:
    ClipWriter(tmp_path / "a.mp4", (128, 96)).close()
    assert list(tmp_path.iterdir()) == []


def test_wrong_sizes_and_times_are_refused(tmp_path: Path) -> None:
    with ClipWriter(tmp_path / "a.mp4", (128, 96)) as writer:
        writer.write(numbered(0, 128, 96), 1.0)
        with pytest.raises(ValueError, match="comes before"):
            writer.write(numbered(1, 128, 96), 0.9)
        with pytest.raises(ValueError, match="expected"):
            writer.write(numbered(1, 96, 128), 2.0)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk."""
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, old[1]))
    try:
        with pytest.raises(InputError, match="cannot be written") as caught:
            write_noise(tmp_path / "a.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, old_handler)
    assert "space" in caught.value.advice
    assert list(tmp_path.iterdir()) == []


def write_noise(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    with ClipWriter(path, (320, 240), EncodeOptions(quality=0)) as writer:
        for number in range(60):
            writer.write(np.roll(noise, number * 7, axis=1), number / 30)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        ClipWriter(tmp_path / "no" / "a.mp4", (128, 96))


def test_source_times_stay_exact_in_their_own_unit(tmp_path: Path) -> None:
    recipe = with_pts(Recipe(), [0, 1, 2, 7, 8, 30], Fraction(1001, 30_000))
    clip = open_clip(make_clip(tmp_path / "a.mp4", recipe))
    with ClipWriter(tmp_path / "o.mp4", (128, 96), EncodeOptions(clip.time_base)) as writer:
        for frame in frames(clip):
            writer.write(frame.image, frame.time_s)
    copy = open_clip(tmp_path / "o.mp4")
    exact = [pts * copy.time_base for pts in copy.listing.pts.tolist()]
    assert exact == [pts * clip.time_base for pts in clip.listing.pts.tolist()]
