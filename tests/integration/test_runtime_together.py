"""Models that take several pictures in one forward: who goes together, what one cannot spoil."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from estimators.devices import MOST_TOGETHER
from estimators.errors import InputError, ModelError, PoseError
from estimators.runtime.api import RunResult
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import EstimatorOptions, Frame
from estimators.workflows.clip import run
from estimators.workflows.clip.prefetched import Prefetched
from estimators.workflows.clip.run import GIVE_UP_AFTER, ClipSettings, run_clip
from estimators.workflows.room import pictures_mb
from estimators.workflows.together import AT_ONCE, QUIET, at_once
from tests.integration.exact_clip import clip_of
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import count, wait_until

BATCH = 4
VIDEO = EstimatorOptions(video=True)


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    specs = (fake.spec(batch=BATCH), fake.spec("other"))
    runner = ProcessRunner(Settings(), models={spec.key: spec for spec in specs}, threads=1)
    yield runner
    runner.close()


def along(result: RunResult) -> int:
    """With how many it went through the model; 0 where it went alone."""
    return int(result.estimate.poses.box_xyxy[0, 1])


def place(result: RunResult | PoseError) -> tuple[float, float]:
    assert isinstance(result, RunResult), result
    return tuple(result.estimate.poses.xy[0, 0].tolist())


def asked_at_once(
    runner: ProcessRunner, frames: Sequence[Frame], model: str = "brightest"
) -> list[RunResult | PoseError]:
    """All wait while the model is busy with something else."""
    runner.estimate(model, fake.picture(1, 1))
    (host,) = (h for (key, _), h in runner._hosted.items() if key == model)

    def ask(frame: Frame) -> RunResult | PoseError:
        try:
            return runner.estimate(model, frame)
        except PoseError as error:
            return error

    host._turns.take("test")
    with ThreadPoolExecutor(len(frames)) as pool:
        results = pool.map(ask, frames)
        wait_until(lambda: host._turns.waiting == len(frames))
        host._turns.give()
        return list(results)


def test_what_waits_goes_through_together_and_each_gets_its_own_answer(
    runner: ProcessRunner,
) -> None:
    frames = [fake.picture(2 + x, 10, side=64 + x) for x in range(6)]  # of different sizes
    results = asked_at_once(runner, frames)
    assert [place(result) for result in results] == [(2.5 + x, 10.5) for x in range(6)]
    assert sorted(along(result) for result in results) == [2, 2, 4, 4, 4, 4]
    for result in results:
        assert result.busy  # a share of a forward is no latency of a picture by itself
        assert not result.cold
        assert result.placement.batch == BATCH


def test_a_model_that_takes_one_gets_one(runner: ProcessRunner) -> None:
    results = asked_at_once(runner, [fake.picture(2 + x, 10) for x in range(3)], "other")
    assert [along(result) for result in results] == [0, 0, 0]
    # Two of them went there together, and have times of their own nevertheless.
    assert [place(result) for result in results] == [(2.5 + x, 10.5) for x in range(3)]
    assert len({result.transport_ms for result in results}) == 2
    assert [result.busy for result in results] == [False] * 3
    counted = sorted(float(result.estimate.poses.pose_score[0]) for result in results)
    assert counted == [2.0, 3.0, 4.0]  # by one estimator
    slow = [fake.picture(2 + x, 10, fake.SLEEP, 3) for x in range(6)]
    results = asked_at_once(runner, slow, "other")
    # The second two were on their way before the first had told how slow it is.
    assert len({result.transport_ms for result in results}) == 4
    runner.warm("brightest").wait(60)
    assert [at_once(runner, model) for model in ("other", "brightest")] == [AT_ONCE, 2 * BATCH]


def test_one_that_fails_leaves_the_others_their_answers(runner: ProcessRunner) -> None:
    frames = [fake.picture(5, 5), fake.picture(6, 5, fake.REFUSE), fake.picture(7, 5)]
    first, refused, last = asked_at_once(runner, frames)
    assert [place(first), place(last)] == [(5.5, 5.5), (7.5, 5.5)]
    assert str(refused) == "This picture is too dark. Bring a lamp."


def test_one_that_ends_the_process_is_found_out_and_the_others_are_answered(
    runner: ProcessRunner,
) -> None:
    frames = [fake.picture(5, 5), fake.picture(6, 5, fake.ABORT), fake.picture(7, 5)]
    first, lost, last = asked_at_once(runner, frames)
    assert [place(first), place(last)] == [(5.5, 5.5), (7.5, 5.5)]
    assert "SIGABRT" in str(lost)
    runner.estimate("brightest", fake.picture(5, 5))  # the innocent are not set aside
    with pytest.raises(ModelError, match="set aside"):
        runner.estimate("brightest", fake.picture(6, 5, fake.ABORT))
    with runner.open("brightest", VIDEO) as session, pytest.raises(ModelError, match="set aside"):
        session.estimate_together(frames)  # nor does it end the process among others


def test_different_viewers_and_options_do_not_go_together(runner: ProcessRunner) -> None:
    runner.estimate("brightest", fake.picture(1, 1))
    (host,) = runner._hosted.values()
    one, other = EstimatorOptions(), EstimatorOptions(max_people=1)
    host._turns.take("test")
    with ThreadPoolExecutor(3) as pool:
        results = [
            pool.submit(runner.estimate, "brightest", fake.picture(3, 3), options, viewer)
            for options, viewer in ((one, ""), (one, "else"), (other, ""))
        ]
        wait_until(lambda: host._turns.waiting == 3)
        host._turns.give()
    assert [along(result.result()) for result in results] == [0, 0, 0]


def test_a_session_takes_frames_together_in_their_order(runner: ProcessRunner) -> None:
    with runner.open("brightest", VIDEO) as session:
        session.estimate(fake.picture(1, 1))
        results = session.estimate_together([fake.picture(x, 4) for x in range(2, 8)])
        assert [place(result) for result in results] == [(x + 0.5, 4.5) for x in range(2, 8)]
        assert [along(r) for r in results] == [4, 4, 4, 4, 2, 2]
        assert [count(r) for r in results] == [2, 3, 4, 5, 6, 7]
    with pytest.raises(ModelError, match="closed"):
        session.estimate_together([fake.picture(1, 1)])


def test_frames_of_a_clip_go_together_after_the_first_ones(
    runner: ProcessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_most_together", lambda clip, settings: BATCH)
    total = QUIET + 2 * BATCH + 1
    frames = [fake.picture(2 + x, 10) for x in range(total)]
    frames[QUIET + 1] = fake.picture(3 + QUIET, 10, fake.RAISE)
    clip = clip_of(tmp_path, frames)
    outcomes = list(run_clip(runner, clip, ClipSettings(("brightest", "other"))))
    assert [o.frame.index for o in outcomes] == list(range(total))
    failed = outcomes.pop(QUIET + 1)
    assert all("no such luck" in failed.failures[model] for model in ("brightest", "other"))
    for outcome in outcomes:
        assert not outcome.failures
        for result in outcome.results.values():
            assert place(result) == (outcome.frame.index + 2.5, 10.5)
    went = [along(outcome.results["brightest"]) for outcome in outcomes]
    # In the first four one has failed, so that each was asked by itself; the last one is alone.
    assert went == [0] * (QUIET + BATCH - 1) + [BATCH] * BATCH + [0]


def test_a_model_that_answers_most_frames_is_not_given_up(
    runner: ProcessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_most_together", lambda clip, settings: BATCH)
    bad = [QUIET + BATCH * block + 1 for block in range(GIVE_UP_AFTER + 1)]
    frames = [fake.picture(2 + n % 50, 10) for n in range(bad[-1] + BATCH)]
    for n in bad:
        frames[n] = fake.picture(2, 10, fake.REFUSE)
    outcomes = list(run_clip(runner, clip_of(tmp_path, frames), ClipSettings(("brightest",))))
    assert [o.frame.index for o in outcomes if o.failures] == bad
    assert all("too dark" in outcomes[n].failures["brightest"] for n in bad)


def test_frames_before_an_error_are_answered_and_a_lost_model_says_so(
    runner: ProcessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_most_together", lambda clip, settings: BATCH)
    total = QUIET + 2 * BATCH - 1
    clip = clip_of(tmp_path, [fake.picture(2 + n, 10) for n in range(total)])
    real = run.frames

    def broken(*asked: object) -> Iterator[Frame]:
        yield from real(*asked)
        raise InputError("The rest of the clip cannot be read.")

    monkeypatch.setattr(run, "frames", broken)
    outcomes = run_clip(runner, clip, ClipSettings(("brightest",)))
    seen = [next(outcomes).results["brightest"] for _ in range(QUIET)]
    (host,) = runner._hosted.values()
    os.kill(host.status().pid or 0, signal.SIGKILL)
    wait_until(lambda: host.status().pid is None)
    seen += [next(outcomes).results["brightest"] for _ in range(total - QUIET)]
    with pytest.raises(InputError):
        next(outcomes)
    assert [n for n, result in enumerate(seen) if result.restarted] == [QUIET]


@pytest.mark.parametrize(("most", "quiet"), [(BATCH, list(range(1, QUIET))), (1, [1, 5, 9, 13])])
def test_the_first_frames_are_asked_with_nothing_beside_where_others_go_together(
    runner: ProcessRunner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    quiet: list[int],
) -> None:
    paused: list[int] = []
    given: list[Frame] = []

    class Noted(Prefetched[Frame]):
        def __next__(self) -> Frame:
            given.append(super().__next__())
            return given[-1]

        def paused(self) -> AbstractContextManager[None]:
            paused.append(given[-1].index)
            return super().paused()

    monkeypatch.setattr(run, "_most_together", lambda clip, settings: most)
    monkeypatch.setattr(run, "Prefetched", Noted)
    clip = clip_of(tmp_path, [fake.picture(2, 10) for _ in range(QUIET + 2)])
    list(run_clip(runner, clip, ClipSettings(("brightest",))))
    assert paused == quiet


def test_a_clip_that_nobody_wants_any_more_ends_within_frames_that_go_together(
    runner: ProcessRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_most_together", lambda clip, settings: BATCH)
    clip = clip_of(tmp_path, [fake.picture(2 + x, 10) for x in range(QUIET + BATCH)])
    over = threading.Event()
    seen = []
    for outcome in run_clip(runner, clip, ClipSettings(("other", "brightest")), over.is_set):
        seen.append(outcome.frame.index)
        if len(seen) == QUIET:
            over.set()
    assert seen == list(range(QUIET))


def test_frames_go_together_only_where_there_is_a_gpu_and_they_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = replace(clip_of(tmp_path, [fake.picture(2, 10)]), stored_size=(1280, 720))
    both = ClipSettings(("movenet-lightning", "keypointrcnn-fast"))
    monkeypatch.setattr(run, "gpu_seen", lambda: False)
    alone_mb = run.needs_mb(clip, both)
    assert run._most_together(clip, both) == 1
    monkeypatch.setattr(run, "gpu_seen", lambda: True)
    assert run._most_together(clip, both) == MOST_TOGETHER
    assert run.needs_mb(clip, both) - alone_mb == pytest.approx(12 * pictures_mb(1280, 720))
    assert run._most_together(replace(clip, stored_size=(3840, 2160)), both) == 1
    assert run._most_together(clip, ClipSettings(("movenet-lightning",))) == 1
