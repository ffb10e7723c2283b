"""Files of strangers are decoded in children: the same answers, and a lost child costs one file."""

from __future__ import annotations

import gc
import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from estimators.decode import clips, parcels, pictures
from estimators.decode import pool as pools
from estimators.decode.pool import Pool
from estimators.errors import InputError, TryAgainError
from estimators.media import clips as here_clips
from estimators.media import pictures as here
from estimators.media import samples
from estimators.media.browser import browser_copy
from tests.clip_factory import make_clip
from tests.unit.runtime_support import Background, wait_until

TASKS = "tests.decode_tasks"


@pytest.fixture
def quick(decoders: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever hangs is given up after a second."""
    monkeypatch.setattr(decoders, "_patience_s", 1)


def outcome(read: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
    try:
        found = read(*arguments)
    except InputError as error:
        return str(error), type(error)
    return found.frame.image.tobytes(), found.frame.full_size, found.orientation, found.notes


def encoded(kind: str, size: tuple[int, int] = (61, 47), **options: Any) -> bytes:
    rng = np.random.default_rng(3)
    picture = Image.fromarray(rng.integers(0, 255, (size[1], size[0], 3), np.uint8))
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded("JPEG", exif=exif)


def contents() -> dict[str, bytes]:
    kinds = {kind: encoded(kind) for kind in ("PNG", "BMP", "GIF", "TIFF", "WEBP")}
    jpeg = encoded("JPEG")
    return {
        **kinds,
        "turned": turned(),
        "large": encoded("JPEG", (5000, 1200)),
        "without its end": jpeg[:-2],
        "cut": jpeg[: len(jpeg) // 2],
        "empty": b"",
        "text": b"hello",
        "a clip": b"\0\0\0\x18ftypmp42" + b"\0" * 64,
    }


@pytest.mark.parametrize("what", contents())
def test_pictures_are_those_that_this_process_decodes(decoders: Pool, what: str) -> None:
    content = contents()[what]
    there = outcome(pictures.open_picture, content, "it")
    assert there == outcome(here.open_picture, content, "it")


def test_every_sample_picture_is_the_same(decoders: Pool) -> None:
    for sample in samples.pictures():
        there = outcome(pictures.open_picture, sample.path)
        assert there == outcome(here.open_picture, sample.path)
        whole = pictures.read_whole(sample.path)
        assert np.array_equal(whole, here.read_whole(sample.path))
        whole[0, 0] = 7  # downloads are drawn into it


def test_every_sample_clip_is_the_same(decoders: Pool) -> None:
    for sample in samples.clips():
        there, alike = clips.open_clip(sample.path), here_clips.open_clip(sample.path)
        assert np.array_equal(there.timestamps_s, alike.timestamps_s)
        assert (there.width, there.height, there.notes) == (alike.width, alike.height, alike.notes)
        same_frames(clips.frames(there, 0.4, 1.2, 3), here_clips.frames(alike, 0.4, 1.2, 3))


def same_frames(there: Iterator[Any], alike: Iterator[Any]) -> None:
    count = 0
    for one, other in zip(there, alike, strict=True):
        assert (one.index, one.time_s, one.full_size) == (
            other.index,
            other.time_s,
            other.full_size,
        )
        assert np.array_equal(one.image, other.image)
        assert not one.image.flags.writeable
        count += 1
    assert count > 3


def test_what_is_wrong_with_a_clip_is_told_alike(decoders: Pool, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[:3000])
    for wrong in (cut, tmp_path / "absent.mp4"):
        told = []
        for module in (clips, here_clips):
            with pytest.raises(InputError) as raised:
                module.open_clip(wrong)
            told.append(str(raised.value))
        assert told[0] == told[1]
    opened = clips.open_clip(clip)
    with pytest.raises(InputError, match="no frame between"):
        next(clips.frames(opened, 1000.0))


def test_a_browsers_copy_tells_how_far_it_is(decoders: Pool, tmp_path: Path) -> None:
    clip = clips.open_clip(make_clip(tmp_path / "clip.mkv"))
    steps: list[tuple[int, int]] = []
    target = tmp_path / "there.mp4"
    way = clips.browser_copy_of(clip, target, lambda *step: steps.append(step), True)
    browser_copy(clip, tmp_path / "here.mp4", anew=True)
    assert way == "encode"
    assert steps
    assert here_clips.open_clip(target).frame_count == clip.frame_count
    there, alike = (here_clips.open_clip(tmp_path / f"{n}.mp4") for n in ("there", "here"))
    same_frames(here_clips.frames(there), here_clips.frames(alike))


def test_a_copy_that_is_cancelled_leaves_nothing(decoders: Pool, tmp_path: Path) -> None:
    clip = clips.open_clip(samples.clips()[0].path)

    def cancel(done: int, total: int) -> None:
        raise KeyError("no longer wanted")

    before = set(decoders.pids())
    with pytest.raises(KeyError):
        clips.browser_copy_of(clip, tmp_path / "copy.mp4", cancel, True)
    assert list(tmp_path.iterdir()) == []
    assert set(decoders.pids()) == before  # stopped, not killed


def test_a_stream_that_is_left_early_leaves_its_decoder_usable(decoders: Pool) -> None:
    (before,) = decoders.pids()
    stream = decoders.stream(f"{TASKS}:arrays", (5,))
    assert [int(next(stream)[0, 0, 0]) for _ in range(2)] == [0, 1]
    stream.close()
    assert decoders.call(f"{TASKS}:read_only", (), "it").tolist() == list(range(1000))
    assert decoders.pids() == [before]


def test_streams_at_once_have_decoders_of_their_own(decoders: Pool) -> None:
    one, two = (decoders.stream(f"{TASKS}:arrays", (3,)) for _ in range(2))
    assert [int(a[0, 0, 0]) for a in (next(one), next(two), next(one), next(two))] == [0, 0, 1, 1]
    assert len(decoders.pids()) == 2
    one.close()
    two.close()
    assert len(decoders.pids()) == 1


def test_values_outlive_their_decoder_and_then_go(decoders: Pool) -> None:
    image = pictures.read_whole(samples.pictures()[0].path)
    first, process = image.copy(), psutil.Process()
    for pid in decoders.pids():
        os.kill(pid, signal.SIGKILL)
    assert np.array_equal(image, first)
    pictures.open_picture(samples.pictures()[0].path)  # by a new decoder
    gc.collect()
    descriptors = process.num_fds()
    for _ in range(20):
        pictures.open_picture(samples.pictures()[0].path)
    gc.collect()
    assert process.num_fds() < descriptors + 10
    assert not [m for m in process.memory_maps() if "pose-decoded" in m.path][1:]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_a_decoder_lost_from_outside_costs_nothing(
    decoders: Pool, number: signal.Signals, tmp_path: Path
) -> None:
    mark = tmp_path / "begun"
    found: list[Any] = []
    call = Background(
        lambda: found.append(decoders.call(f"{TASKS}:mark_and_hang", (mark,), "a.jpg"))
    )
    wait_until(mark.exists)
    (pid,) = decoders.pids()
    os.kill(pid, number)
    assert call.done() is None
    assert found == ["again"]
    assert decoders.pids() != [pid]
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_no_frame_is_lost_with_a_decoder(decoders: Pool, number: signal.Signals) -> None:
    sample = samples.clips()[0].path
    clip = clips.open_clip(sample)
    alike = list(here_clips.frames(here_clips.open_clip(sample), 0.3, 1.5, 2))
    frames = []
    for frame in clips.frames(clip, 0.3, 1.5, 2):
        frames.append(frame)
        if len(frames) in (3, 9):
            for pid in decoders.pids():
                os.kill(pid, number)
    same_frames(iter(frames), iter(alike))


def test_a_crash_is_one_message_and_the_next_file_goes_on(decoders: Pool) -> None:
    with pytest.raises(InputError) as told:
        decoders.call(f"{TASKS}:crash", (), "odd.tiff")
    assert "odd.tiff could not be decoded: its decoder was lost" in str(told.value)
    assert "SIGSEGV" in str(told.value)
    assert pictures.open_picture(samples.pictures()[0].path).frame.width > 0


def test_a_hang_is_given_up(decoders: Pool, quick: None) -> None:
    begun = time.monotonic()
    with pytest.raises(InputError, match=r"slow\.gif took longer than 1 s to decode"):
        decoders.call(f"{TASKS}:hang", (), "slow.gif")
    assert time.monotonic() - begun < 10  # asked once: another time it would hang again


def test_what_takes_too_much_memory_is_refused_by_the_process(decoders: Pool) -> None:
    before = psutil.Process().memory_info().rss
    assert decoders.call(f"{TASKS}:takes_memory", (400,), "it") > 0
    with pytest.raises(InputError, match=r"bomb\.png takes more memory .* \(600 MB\)"):
        decoders.call(f"{TASKS}:takes_memory", (900,), "bomb.png")
    assert len(decoders.pids()) == 1
    assert psutil.Process().memory_info().rss < before + 300e6


def test_no_foreign_exception_leaves_a_decoder(decoders: Pool) -> None:
    with pytest.raises(InputError, match="LookupError: nobody") as told:
        decoders.call(f"{TASKS}:foreign", (), "it")
    assert told.value.advice


def test_a_decoder_that_cannot_be_started_is_told(
    decoders: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(12, "Cannot allocate memory")

    for pid in decoders.pids():
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], 5)
    monkeypatch.setattr(pools, "Decoder", full)
    with pytest.raises(InputError, match="Cannot allocate memory"):
        pictures.open_picture(samples.pictures()[0].path)


def test_newcomers_are_told_how_long_it_takes(
    decoders: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pools, "_MOST_WAITING", 1)
    turn, mark = threading.Lock(), tmp_path / "begun"
    first = Background(decoders.call, f"{TASKS}:mark_and_hang", (mark,), "first.jpg", turn)
    wait_until(mark.exists)
    assert decoders.waiting == 1
    with pytest.raises(TryAgainError, match=r"1 files .* Try again in about \d+ s"):
        decoders.call(f"{TASKS}:read_only", (), "second.jpg", turn)
    for pid in decoders.pids():
        os.kill(pid, signal.SIGKILL)
    assert first.done() is None
    assert decoders.waiting == 0
    assert len(decoders.call(f"{TASKS}:read_only", (), "second.jpg", turn)) == 1000


def test_children_go_with_the_app(decoders: Pool) -> None:
    """The app's end closes the pipe that they watch."""
    other = Pool(120)
    other.warm()
    (pid,) = other.pids()
    other.close()
    assert not psutil.pid_exists(pid)


def test_a_parcel_that_is_too_short_is_refused(tmp_path: Path) -> None:
    given, fd = parcels.packed({"a": np.arange(10_000)})
    os.ftruncate(fd, 1000)
    with pytest.raises(OSError, match="incomplete"):
        parcels.unpacked(given, fd)


def test_frames_that_are_kept_hold_no_descriptors() -> None:
    process = psutil.Process()
    gc.collect()
    before = process.num_fds()
    image = np.arange(30_000, dtype=np.uint8).reshape(100, 100, 3)
    image.flags.writeable = False
    kept = [parcels.unpacked(*parcels.packed(image)) for _ in range(50)]
    assert process.num_fds() < before + 10
    assert all(np.array_equal(found, image) for found in kept)
    assert not any(found.flags.writeable for found in kept)


def test_what_is_large_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcels, "MOST_COPIED_BYTES", 1000)
    given, fd = parcels.packed({"a": np.arange(10_000)})
    other = os.dup(fd)
    found = parcels.unpacked(given, fd)["a"]
    os.pwrite(other, b"\xff" * 80_000, given.sizes[0])
    os.close(other)
    assert (found == -1).all()


def test_large_values_lie_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcels, "IN_MEMORY_BYTES", 10_000)
    value = {"a": np.arange(10_000), "b": "words"}
    found = parcels.unpacked(*parcels.packed(value))
    assert found["b"] == "words"
    assert np.array_equal(found["a"], value["a"])
    assert found["a"].flags.writeable
