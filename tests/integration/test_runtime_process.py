"""Models in child processes: answers, sessions, crashes, hangs and errors, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from estimators import registry
from estimators.errors import (
    InputError,
    ModelCrashedError,
    ModelError,
    ModelLoadError,
    ModelTimeoutError,
    WeightsError,
)
from estimators.runtime import aside
from estimators.runtime.runner import ProcessRunner
from estimators.runtime.transport import Limits
from estimators.settings import Settings
from estimators.types import EstimatorOptions, Frame
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import Background, count, hosts, status, wait_until

VIDEO = EstimatorOptions(video=True)
NO_WEIGHTS = registry.get("movenet-lightning")


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    specs = [
        fake.spec(),
        fake.spec("other"),
        fake.spec("slow-to-load", load_s=0.5),
        fake.spec("own-error", fail="own"),
        fake.spec("missing-library", fail=True),
        fake.spec("crash-at-load", crash_at_load=True),
    ]
    runner = ProcessRunner(Settings(), models={spec.key: spec for spec in specs}, threads=1)
    yield runner
    runner.close()


class TestAnswers:
    def test_memory_is_told_as_it_was_after_the_first_answer(self, runner: ProcessRunner) -> None:
        runner.warm("brightest").wait(60)
        assert status(runner, "brightest").settled_mb is None
        runner.estimate("brightest", fake.picture(5, 9, side=64))
        first = status(runner, "brightest")
        assert first.memory_mb == first.settled_mb
        assert 0 < first.settled_mb <= first.peak_mb
        for _ in range(2):  # shared with the process while they are looked at
            runner.estimate("brightest", fake.picture(1299, 700, side=3000))
        later = status(runner, "brightest")
        assert later.memory_mb == first.memory_mb
        assert later.peak_mb > first.peak_mb + 20

    def test_a_bright_pixel_comes_back_as_joints_at_its_centre(self, runner: ProcessRunner) -> None:
        for x, y, side in [(5, 9, 64), (1299, 700, 1300), (0, 63, 64)]:
            frame = Frame(fake.picture(x, y, side=side).image, 12, 0.4)
            result = runner.estimate("brightest", frame)
            assert np.allclose(result.estimate.poses.xy, (x + 0.5, y + 0.5))
            assert result.estimate.poses.skeleton is NO_WEIGHTS.skeleton
            assert (result.estimate.frame_index, result.estimate.time_s) == (12, 0.4)
            assert not result.restarted

    def test_times_are_apart(self, runner: ProcessRunner) -> None:
        result = runner.estimate("slow-to-load", fake.picture(3, 3, fake.SLEEP, 4))
        assert result.queue_ms >= 500
        assert result.estimate.timings_ms.total >= 200
        assert 0 < result.transport_ms < 200

    def test_status_tells_what_it_costs(self, runner: ProcessRunner) -> None:
        assert runner.status() == ()
        for _ in range(3):
            runner.estimate("brightest", fake.picture(3, 3))
        entry = status(runner)
        assert (entry.state, entry.calls, entry.restarts, entry.error) == ("ready", 3, 0, None)
        assert entry.pid is not None
        assert psutil.Process(entry.pid).ppid() == os.getpid()
        assert entry.rss_mb is not None
        assert entry.rss_mb > 20
        assert entry.load_s is not None
        assert entry.load_s > 0
        assert entry.first_call_ms is not None
        assert entry.median_ms is not None
        runner.retire("brightest")
        entry = status(runner)
        assert (entry.state, entry.pid, entry.rss_mb, entry.calls) == ("stopped", None, None, 3)

    def test_warm_loads_once_for_everybody(self, runner: ProcessRunner) -> None:
        runner.warm("slow-to-load")
        runner.warm("slow-to-load")
        calls = [Background(runner.estimate, "slow-to-load", fake.picture(3, 3)) for _ in range(4)]
        assert [call.done() for call in calls] == [None] * 4
        entry = status(runner, "slow-to-load")
        assert (entry.calls, entry.restarts) == (4, 0)
        assert len(hosts()) == 1

    def test_the_host_imports_no_framework_of_others(self, runner: ProcessRunner) -> None:
        runner.estimate("brightest", fake.picture(3, 3))
        pid = status(runner).pid
        maps = Path(f"/proc/{pid}/maps")
        if not maps.exists():
            pytest.skip("this system does not tell what a process has loaded")
        loaded = maps.read_text()
        for library in ("tensorflow", "torch", "mediapipe", "pandas", "litert", "/cv2/", "PIL"):
            assert library not in loaded, library

    def test_when_memory_is_short_the_host_goes_before_the_app(self, runner: ProcessRunner) -> None:
        runner.estimate("brightest", fake.picture(3, 3))
        score = Path(f"/proc/{status(runner).pid}/oom_score_adj")
        if not score.exists():
            pytest.skip("this system has no such preference")
        assert int(score.read_text()) > int(Path("/proc/self/oom_score_adj").read_text())

    def test_many_threads_and_sessions_at_once(self, runner: ProcessRunner) -> None:
        wrong: list[str] = []

        def view(number: int) -> None:
            key = ("brightest", "other")[number % 2]
            with runner.open(key, VIDEO, f"viewer {number}") as session:
                for step in range(1, 21):
                    x, y = 1 + (number * 7 + step) % 60, 1 + step
                    result = session.estimate(fake.picture(x, y))
                    if not np.allclose(result.estimate.poses.xy, (x + 0.5, y + 0.5)):
                        wrong.append(f"{number}: position at {step}")
                    if count(result) != step:
                        wrong.append(f"{number}: state at {step}")

        views = [Background(view, number) for number in range(8)]
        assert [each.done() for each in views] == [None] * 8
        assert wrong == []


class TestSessions:
    def test_sessions_have_their_own_state_and_pictures_none_of_theirs(
        self, runner: ProcessRunner
    ) -> None:
        a, b = runner.open("brightest", VIDEO), runner.open("brightest", VIDEO)
        frame = fake.picture(3, 3)
        assert [count(s.estimate(frame)) for s in (a, a, b, a)] == [1, 2, 1, 3]
        assert count(runner.estimate("brightest", frame)) == 1
        assert count(runner.estimate("brightest", frame, VIDEO)) == 2  # a picture, not a clip

    def test_an_idle_session_expires(self) -> None:
        runner = ProcessRunner(
            Settings(), models={"brightest": fake.spec()}, limits=Limits(idle_s=0.05)
        )
        try:
            session = runner.open("brightest", VIDEO)
            assert not session.estimate(fake.picture(3, 3)).restarted
            threading.Event().wait(0.5)
            assert session.estimate(fake.picture(3, 3)).restarted
        finally:
            runner.close()


class TestCrashes:
    @pytest.mark.parametrize(
        ("command", "words"), [(fake.KILL, "SIGKILL.*memory"), (fake.ABORT, "SIGABRT")]
    )
    def test_a_crash_is_an_error_of_that_model_and_the_next_frame_works(
        self, runner: ProcessRunner, command: int, words: str
    ) -> None:
        session = runner.open("brightest", VIDEO)
        bystander = runner.open("other", VIDEO)
        for each in (session, bystander):
            each.estimate(fake.picture(3, 3))
        pid = status(runner).pid
        with pytest.raises(ModelCrashedError, match=words):
            session.estimate(fake.picture(3, 3, command))
        entry = status(runner)
        assert (entry.state, entry.pid) == ("failed", None)
        assert entry.error is not None
        result = session.estimate(fake.picture(3, 3))
        assert (result.restarted, count(result)) == (True, 1)
        assert not session.estimate(fake.picture(3, 3)).restarted
        entry = status(runner)
        assert (entry.state, entry.restarts, entry.error) == ("ready", 1, None)
        assert entry.pid != pid
        assert count(bystander.estimate(fake.picture(3, 3))) == 2

    def test_kill_9_in_the_middle_of_a_call(self, runner: ProcessRunner) -> None:
        runner.estimate("brightest", fake.picture(3, 3))
        pid = status(runner).pid
        assert pid is not None
        call = Background(runner.estimate, "brightest", fake.picture(3, 3, fake.SLEEP, 255))
        wait_until(lambda: bool(runner._activity._running))
        os.kill(pid, signal.SIGKILL)
        assert isinstance(call.done(), ModelCrashedError)
        assert count(runner.estimate("brightest", fake.picture(3, 3))) == 1

    def test_kill_9_between_calls_costs_no_frame(self, runner: ProcessRunner) -> None:
        session = runner.open("brightest", VIDEO)
        session.estimate(fake.picture(3, 3))
        pid = status(runner).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: status(runner).pid is None)
        result = session.estimate(fake.picture(3, 3))
        assert (result.restarted, count(result)) == (True, 1)
        assert status(runner).restarts == 1

    @pytest.mark.parametrize(("command", "argument"), [(fake.SLEEP, 255), (fake.SEIZE, 0)])
    def test_a_hang_ends_at_the_timeout(
        self, runner: ProcessRunner, command: int, argument: int
    ) -> None:
        session = runner.open("brightest", VIDEO)
        session.estimate(fake.picture(3, 3))
        pid = status(runner).pid
        with pytest.raises(ModelTimeoutError, match=r"did not answer within 0\.2 s"):
            session.estimate(fake.picture(3, 3, command, argument), timeout_s=0.2)
        assert pid is not None
        assert not psutil.pid_exists(pid)
        assert session.estimate(fake.picture(3, 3)).restarted

    def test_a_stopped_process_is_replaced(self, runner: ProcessRunner) -> None:
        session = runner.open("brightest", VIDEO)
        session.estimate(fake.picture(3, 3))
        pid = status(runner).pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(ModelTimeoutError):
            session.estimate(fake.picture(3, 3), timeout_s=0.2)
        assert session.estimate(fake.picture(3, 3)).restarted

    def test_a_model_lost_again_and_again_is_put_aside_until_somebody_tries_it(
        self, runner: ProcessRunner
    ) -> None:
        for number in range(aside.MOST_IN_A_ROW):
            with pytest.raises(ModelCrashedError):  # each by somebody else, with another picture
                runner.estimate("brightest", fake.picture(number, 9, fake.KILL), viewer=f"{number}")
        with pytest.raises(ModelError, match=r"is put aside: .* 8 times in a row") as told:
            runner.estimate("brightest", fake.picture(3, 3), viewer="newcomer")
        assert "Try again" in told.value.advice
        assert status(runner).restarts == aside.MOST_IN_A_ROW
        assert count(runner.estimate("other", fake.picture(3, 3))) == 1
        runner.forgive("brightest")
        assert count(runner.estimate("brightest", fake.picture(3, 3))) == 1
        with pytest.raises(ModelCrashedError):  # counted anew after an answer
            runner.estimate("brightest", fake.picture(60, 9, fake.KILL), viewer="last")
        assert count(runner.estimate("brightest", fake.picture(3, 3))) == 1

    def test_crashes_in_a_row_are_not_a_hot_loop(self, runner: ProcessRunner) -> None:
        for _ in range(2):
            with pytest.raises(ModelCrashedError):
                runner.estimate("brightest", fake.picture(3, 3, fake.KILL))
        with pytest.raises(ModelCrashedError, match="not tried again for"):
            runner.estimate("brightest", fake.picture(3, 3))
        assert status(runner).restarts == 2
        runner.retire("brightest")  # "try again"
        assert count(runner.estimate("brightest", fake.picture(3, 3))) == 1


class TestErrors:
    def test_an_exception_costs_one_frame_and_no_process(self, runner: ProcessRunner) -> None:
        runner.estimate("brightest", fake.picture(3, 3))
        pid = status(runner).pid
        with pytest.raises(ModelError, match="ArithmeticError: no such luck") as caught:
            runner.estimate("brightest", fake.picture(3, 3, fake.RAISE))
        assert type(caught.value) is ModelError
        assert "fake_adapters.py" in caught.value.__notes__[0]
        with pytest.raises(InputError, match=r"too dark\. Bring a lamp"):
            runner.estimate("brightest", fake.picture(3, 3, fake.REFUSE))
        runner.estimate("brightest", fake.picture(3, 3))
        assert status(runner).pid == pid

    def test_native_noise_disturbs_nothing(self, runner: ProcessRunner) -> None:
        result = runner.estimate("brightest", fake.picture(4, 3, fake.NOISE))
        assert np.allclose(result.estimate.poses.xy, (4.5, 3.5))
        with pytest.raises(ModelCrashedError) as caught:
            runner.estimate("brightest", fake.picture(3, 3, fake.ABORT))
        notes = "".join(caught.value.__notes__)
        assert "native noise on stderr" in notes
        assert "Fatal Python error: Aborted" in notes
        assert len(notes) < 10_000

    def test_load_errors_keep_their_reason(self, runner: ProcessRunner) -> None:
        reasons: dict[str, tuple[type[ModelError], str]] = {
            "own-error": (ModelLoadError, "weights are from the moon"),
            "missing-library": (ModelLoadError, r"ImportError: libMissing\.so"),
            "crash-at-load": (ModelCrashedError, "while loading.*SIGABRT"),
        }
        for key, (kind, words) in reasons.items():
            for again in ("", ".*not tried again for"):
                with pytest.raises(kind, match=words + again):
                    runner.estimate(key, fake.picture(3, 3))
        assert {entry.state for entry in runner.status()} == {"failed"}
        assert hosts() == []

    def test_a_load_that_hangs_ends_at_its_timeout(self) -> None:
        spec = fake.spec(hang_at_load=True)
        runner = ProcessRunner(Settings(), models={"brightest": spec}, limits=Limits(load_s=0.5))
        try:
            with pytest.raises(ModelTimeoutError, match=r"did not load within 0\.5 s"):
                runner.estimate("brightest", fake.picture(3, 3))
            assert hosts() == []
        finally:
            runner.close()

    def test_warm_keeps_errors_for_status(self, runner: ProcessRunner) -> None:
        runner.warm("own-error")
        wait_until(lambda: status(runner, "own-error").state == "failed")
        assert "moon" in (status(runner, "own-error").error or "")

    def test_absent_weights_start_no_process(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("POSE_CACHE_DIR", str(tmp_path))
        monkeypatch.delenv("POSE_WEIGHTS_DIR", raising=False)
        runner = ProcessRunner(Settings())
        try:
            for _ in range(2):
                with pytest.raises(WeightsError, match=r"fc266e95\.pth"):
                    runner.estimate("keypointrcnn-fast", fake.picture(3, 3))
            assert status(runner, "keypointrcnn-fast").state == "failed"
            assert hosts() == []
        finally:
            runner.close()

    def test_bad_arguments(self, runner: ProcessRunner) -> None:
        for call in (runner.warm, runner.open, runner.retire):
            with pytest.raises(InputError, match=r"no model 'sharpest'.*brightest"):
                call("sharpest")
        with pytest.raises(InputError, match="threads"):
            ProcessRunner(Settings(), threads=0)

    def test_an_interrupted_call_does_not_answer_the_next(self, runner: ProcessRunner) -> None:
        runner.estimate("brightest", fake.picture(3, 3))
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            runner.estimate("brightest", fake.picture(3, 3, fake.SLEEP, 40))
        for index in (1, 2):
            frame = Frame(fake.picture(9, 8).image, index)
            assert runner.estimate("brightest", frame).estimate.frame_index == index


def test_the_child_finds_the_package_from_any_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runner: ProcessRunner
) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('the wrong one')")
    monkeypatch.chdir(tmp_path)
    runner.estimate("brightest", fake.picture(3, 3))


def test_the_app_side_stays_light() -> None:
    code = (
        "import sys, estimators.runtime.runner; heavy = {'pandas', 'torch', 'tensorflow', "
        "'mediapipe', 'streamlit', 'cv2'}; print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(registry.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
