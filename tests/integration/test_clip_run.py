"""A clip through models that die, refuse and sleep: what is kept, tried again and given up."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from estimators.errors import InputError
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import Frame
from estimators.workflows.clip import run
from estimators.workflows.clip.prefetched import Prefetched
from estimators.workflows.clip.run import GIVE_UP_AFTER, ClipSettings, run_clip
from tests.integration.exact_clip import clip_of
from tests.unit import fake_adapters
from tests.unit.fake_adapters import ABORT, KILL, REFUSE, SLEEP, picture
from tests.unit.runtime_support import count, hosts, status, wait_until

ONE = ClipSettings(("brightest",))
TWO = ClipSettings(("brightest", "other"))


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    models = {key: fake_adapters.spec(key) for key in ("brightest", "other")}
    runner = ProcessRunner(Settings(), threads=1, models=models)
    yield runner
    runner.close()


def test_every_model_sees_every_frame_in_order_with_its_time(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    clip = clip_of(tmp_path, [picture(x, 10) for x in range(2, 10)])
    outcomes = list(run_clip(runner, clip, TWO))
    assert [o.frame.index for o in outcomes] == list(range(8))
    for i, outcome in enumerate(outcomes):
        assert outcome.failures == {}
        for result in outcome.results.values():
            estimate = result.estimate
            assert estimate.poses.xy[0, 0].tolist() == [i + 2.5, 10.5]
            assert count(result) == i + 1
            assert (estimate.frame_index, estimate.time_s) == (i, pytest.approx(i / 10))


def test_poses_of_smaller_frames_come_back_in_pixels_of_the_clip(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    image = np.zeros((64, 72, 3), np.uint8)
    image[32:36, 40:44] = 254
    clip = clip_of(tmp_path, [Frame(image)])
    (outcome,) = run_clip(runner, clip, ClipSettings(("brightest",), longest_side=18))
    assert outcome.frame.image.shape == (16, 18, 3)
    xy = outcome.results["brightest"].estimate.poses.xy[0, 0]
    np.testing.assert_allclose(xy, [42, 34])


def test_a_frame_that_kills_its_model_twice_is_recorded_and_the_clip_goes_on(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    frames = [picture(5, 5), picture(6, 5, KILL), picture(7, 5)]
    before, killed, after = run_clip(runner, clip_of(tmp_path, frames), ONE)
    assert before.failures == {}
    assert killed.results == {}
    assert "SIGKILL" in killed.failures["brightest"]
    assert after.results["brightest"].estimate.poses.xy[0, 0].tolist() == [7.5, 5.5]
    assert after.results["brightest"].restarted
    assert status(runner).restarts == 2


def test_a_frame_that_its_model_cannot_survive_costs_one_process(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    frames = [picture(5, 5), picture(6, 5, ABORT), picture(7, 5)]
    _, aborted, after = run_clip(runner, clip_of(tmp_path, frames), ONE)
    assert "SIGABRT" in aborted.failures["brightest"]
    assert "set aside" in aborted.failures["brightest"]
    assert after.results["brightest"].restarted
    assert status(runner).restarts == 1


def test_a_model_killed_from_outside_gets_the_frame_again(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    frames = [picture(5, 5), picture(6, 5, SLEEP, 20), picture(7, 5)]
    outcomes = run_clip(runner, clip_of(tmp_path, frames), ONE)
    next(outcomes)
    (pid,) = hosts()
    killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    killer.start()
    slept = next(outcomes)
    killer.join()
    assert slept.failures == {}
    assert slept.results["brightest"].restarted
    assert [o.failures for o in outcomes] == [{}]
    wait_until(lambda: pid not in hosts())


def test_a_refusal_is_not_tried_again_and_does_not_touch_the_other_model(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    # Both models obey the same frame; what one refuses, the other refuses too, each on its own.
    clip = clip_of(tmp_path, [picture(5, 5, REFUSE), picture(6, 5)])
    refused, fine = run_clip(runner, clip, TWO)
    assert refused.failures.keys() == {"brightest", "other"}
    assert "Bring a lamp." in refused.failures["other"]
    assert {count(result) for result in fine.results.values()} == {1}


def test_a_model_that_fails_on_and_on_is_left_out(runner: ProcessRunner, tmp_path: Path) -> None:
    frames = [picture(5, 5, REFUSE)] * GIVE_UP_AFTER + [picture(6, 5)]
    *_, last = run_clip(runner, clip_of(tmp_path, frames), ONE)
    assert "Left out after" in last.failures["brightest"]


def test_cancel_stops_before_the_next_frame_and_frees_the_reader(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    cancel = threading.Event()
    clip = clip_of(tmp_path, [picture(5, 5)] * 30)
    done = 0
    for _ in run_clip(runner, clip, ONE, cancel.is_set):
        done += 1
        if done == 2:
            cancel.set()
    assert done == 2
    assert not [t for t in threading.enumerate() if t.name == "prefetch"]


def test_decoding_beside_a_model_is_told_and_waits_on_every_fourth_frame(
    runner: ProcessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> Iterator[Frame]:
        for number in range(8):
            time.sleep(0.4)  # longer than a model takes, on a busy machine too
            yield replace(picture(5, 5, SLEEP, 2), index=number)  # 0.1 s

    monkeypatch.setattr(run, "frames", slow)
    clip = clip_of(tmp_path, [picture(5, 5)] * 8)
    busy = [outcome.results["brightest"].busy for outcome in run_clip(runner, clip, ONE)]
    assert [busy[1], busy[5]] == [False, False]
    assert all(busy[2:5]), "the next frame was being decoded"


def test_what_the_reader_meets_is_raised_where_it_is_read() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise InputError("The rest is missing.")

    with Prefetched(broken(), 2) as numbers:
        assert next(numbers) == 1
        for _ in range(2):
            with pytest.raises(InputError, match="The rest is missing"):
                next(numbers)
