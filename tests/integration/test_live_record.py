"""Recordings: bounded, playable, with the answers on the recording's own clock."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.media.browser import way_to_play
from estimators.media.clips import open_clip
from estimators.runtime.api import RunResult
from estimators.types import Frame
from estimators.workflows.live.recorder import LiveRecorder, Recording
from estimators.workflows.live.seats import Seats
from estimators.workflows.live.stream import LiveStream
from tests.in_process import InProcessRunner
from tests.unit import fake_adapters as fake
from tests.unit.live_stand import camera, figures_of, live_settings, live_threads
from tests.unit.runtime_support import wait_until

SPEC = fake.spec("movenet-lightning")
RATE = 25


def picture(level: int, size: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
    return np.full((size[1], size[0], 3), level, np.uint8)


def seen(index: int, time_s: float, level: int = 0) -> Frame:
    """What the camera saw: another picture than the mosaic drawn for it, of another size."""
    return Frame(picture(level, (80, 60)), index, time_s)


def answer(index: int, time_s: float) -> RunResult:
    runner = InProcessRunner(threads=1, models={SPEC.key: SPEC})
    result = runner.estimate(SPEC.key, Frame(camera(5, 5), index, time_s))
    runner.close()
    return result


def recorder(longest_s: float = 30.0) -> LiveRecorder:
    return LiveRecorder("visit", [SPEC], (320, 240), longest_s)


def finished(rec: LiveRecorder) -> Recording:
    rec.finish()
    rec.join(60)
    assert rec.state == "done", rec.error
    assert rec.result is not None
    return rec.result


def levels(clip_file: bytes, folder: Path) -> list[tuple[float, int]]:
    """Time and grey level of each picture of a clip."""
    path = folder / "clip.mp4"
    path.write_bytes(clip_file)
    with av.open(str(path)) as clip:
        return [
            (float(frame.time), int(np.median(frame.to_ndarray(format="gray"))))
            for frame in clip.decode(video=0)
        ]


def feed(rec: LiveRecorder, count: int, first: int = 100) -> None:
    for i in range(count):
        rec.add_picture(picture(40 + 8 * i), seen(first + i, 50 + i / RATE, 200 - 8 * i))
        wait_until(lambda: rec._queue.qsize() < 5 or rec.state != "recording")


def test_pictures_keep_their_order_and_times(tmp_path: Path) -> None:
    rec = recorder()
    feed(rec, 12)
    recording = finished(rec)
    assert recording.pictures == 12
    assert recording.left_out == 0
    assert recording.ended == ""
    for clip, first, step in ((recording.clip, 40, 8), (recording.camera, 200, -8)):
        pictures = levels(clip, tmp_path)
        assert [round(time_s * RATE) for time_s, _ in pictures] == list(range(12))
        wanted = [first + step * i for i in range(12)]
        assert [level for _, level in pictures] == pytest.approx(wanted, abs=12)
    assert recording.duration_s == pytest.approx(11 / RATE)


def test_it_ends_by_itself(tmp_path: Path) -> None:
    rec = recorder(longest_s=0.4)
    feed(rec, 25)
    rec.join(60)
    assert rec.state == "done"
    assert rec.result is not None
    assert rec.result.pictures == 11  # 0 to 0.4 s, both included
    assert levels(rec.result.clip, tmp_path)[-1][0] <= 0.4


def test_answers_are_on_the_recordings_own_clock() -> None:
    rec = recorder(longest_s=2)
    rec.add_answer(SPEC.key, answer(99, 49.9))  # before the first picture
    feed(rec, 3)
    rec.add_answer(SPEC.key, answer(98, 49.9))  # to a frame before the recording
    rec.add_answer(SPEC.key, answer(100, 50.0))
    rec.add_answer(SPEC.key, answer(102, 50.08))
    rec.add_answer(SPEC.key, answer(101, 50.04))  # late: another session was faster
    rec.add_answer("somebody-else", answer(103, 50.1))
    (estimates,) = finished(rec).estimates
    assert estimates.frame_index.tolist() == [0, 2]
    assert estimates.time_s == pytest.approx([0.0, 0.08])
    assert estimates.size == (320, 240)
    rec.add_answer(SPEC.key, answer(103, 50.1))
    assert len(estimates) == 2


def test_pictures_of_another_size_are_fitted(tmp_path: Path) -> None:
    rec = recorder()
    for index, size in enumerate([(64, 48), (32, 48), (128, 30)]):
        rec.add_picture(picture(200, size), seen(index, index / 10))
    assert len(levels(finished(rec).clip, tmp_path)) == 3


def test_it_ends_where_the_camera_turns(tmp_path: Path) -> None:
    runner = InProcessRunner(threads=1, models={SPEC.key: SPEC})
    stream = LiveStream(runner, Seats(1))
    stream.configure(live_settings(SPEC))
    stream.show(camera(50, 60))
    stream.record("visit", 30)
    rec = stream.recorder
    assert rec is not None

    def answered() -> bool:
        stream.show(camera(50, 60))
        return len(rec._estimates[SPEC.key]) > 1

    wait_until(answered)
    for _ in range(5):
        stream.show(camera(60, 50, (240, 320)))
    rec.join(60)
    assert rec.state == "done"
    assert rec.result is not None
    assert "from 320 × 240 to 240 × 320 pixels" in rec.result.ended
    assert len(levels(rec.result.clip, tmp_path)) == rec.result.pictures > 1
    assert open_clip(rec.result.camera).frame_count == rec.result.pictures
    (estimates,) = rec.result.estimates
    assert estimates.xy[..., 0] == pytest.approx(50.5)  # all of them in the old size
    stream.record("upright", 30)
    assert stream.recorder is not rec
    stream.stop()
    wait_until(lambda: not live_threads())
    runner.close()


def test_an_empty_recording_says_so() -> None:
    rec = recorder()
    rec.finish()
    rec.join(60)
    assert rec.state == "failed"
    assert "Nothing was recorded" in rec.error
    assert rec.result is None


def test_pictures_are_left_out_rather_than_waited_for() -> None:
    rec = recorder()
    for i in range(400):
        rec.add_picture(picture(i % 250, (640, 480)), seen(i, i / RATE))
    recording = finished(rec)
    assert recording.left_out > 0
    assert recording.pictures + recording.left_out == 400


def test_a_stream_is_recorded_and_stopping_it_finishes_the_clip(tmp_path: Path) -> None:
    runner = InProcessRunner(threads=1, models={SPEC.key: SPEC})
    stream = LiveStream(runner, Seats(1))
    stream.configure(live_settings(SPEC))
    stream.record("visit", 30)
    assert stream.recorder is None  # nothing runs yet
    stream.show(camera(50, 60))
    stream.record("visit", 30)

    def answered() -> bool:
        stream.show(camera(50, 60))
        rec = stream.recorder
        return (
            rec is not None
            and rec.duration_s > 0
            and figures_of(stream, SPEC.key).age_ms is not None
        )

    wait_until(answered)
    first = stream.recorder
    stream.record("another", 30)
    assert stream.recorder is first
    for _ in range(5):
        stream.show(camera(50, 60))
    stream.stop()
    assert first is not None
    first.join(60)
    assert first.state == "done"
    assert first.result is not None
    assert len(levels(first.result.clip, tmp_path)) == first.result.pictures > 2
    assert [len(e) > 0 for e in first.result.estimates] == [True]
    camera_clip = open_clip(first.result.camera)
    assert (camera_clip.width, camera_clip.height) == (320, 240)  # the camera's, not the mosaic's
    assert camera_clip.frame_count == first.result.pictures
    assert way_to_play(camera_clip) == "as it is"
    wait_until(lambda: not live_threads())
    runner.close()
