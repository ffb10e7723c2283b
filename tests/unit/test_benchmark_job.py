"""How a benchmark goes about it: alone, warmed up, in turns, stoppable, failures apart."""

from __future__ import annotations

import gc
import threading
import weakref
from dataclasses import replace
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from estimators.devices import Placement
from estimators.errors import InputError, ModelError
from estimators.registry import MODELS
from estimators.runtime.api import ModelStatus
from estimators.runtime.machine import available_cores
from estimators.settings import Settings
from estimators.types import Frame
from estimators.workflows.benchmark import measure, media, progress
from estimators.workflows.benchmark.asks import ROUNDS, BenchmarkSettings, threads_of
from estimators.workflows.benchmark.job import BenchmarkJob, Surroundings
from estimators.workflows.benchmark.jobs import MOST_KEPT, BenchmarkJobs, MediaFile
from estimators.workflows.benchmark.media import BenchmarkMedia, load_media
from estimators.workflows.benchmark.notes import notes
from estimators.workflows.together import groups
from tests.unit.benchmark_stand import CLIP, ONE, App, Host, steady
from tests.unit.fake_adapters import spec

A, B = "movenet-lightning", "blazepose-full"
QUICK = BenchmarkSettings((A, B), (1,), seconds=1.0, calls=30)


def job(host: Host, settings: BenchmarkSettings = QUICK, **around: object) -> BenchmarkJob:
    return BenchmarkJob(
        lambda: ONE, settings, Surroundings(Settings(), make=lambda *_: host, **around)
    )  # type: ignore[arg-type]


def test_models_start_alone_and_then_take_turns() -> None:
    host = Host(steady({A: 5.0, B: 9.0}))
    done = job(host)
    done.run()
    assert done.state == "done"
    assert host.closed
    assert done.progress.share == pytest.approx(1.0)
    # Alone: each is ended before the next one starts.
    starts = [entry for entry in host.log if entry[0] != "ask"]
    assert starts[:4] == [("load", A), ("retire", A), ("load", B), ("retire", B)]
    # In turns: three calls and the uncounted one before them, ten times each.
    after = host.log[max(i for i, entry in enumerate(host.log) if entry[0] == "load") :]
    turns = [(model, len(list(same))) for model, same in groupby(m for _, m in after[1:])]
    assert turns[1:] == [(A, 4), (B, 4)] * ROUNDS
    a, b = done.benchmark.measured
    assert a.took_turns_with(b)
    assert len(a.calls.round) == 30
    assert a.calls.latency() == pytest.approx(np.full(30, 5.0))
    assert (a.settled, a.alone, a.held_by, b.held_by) == (True, True, "setting", "nothing")
    assert (a.load_s, a.first_call_ms, a.pss_mb, a.warm_up_calls) == (0.5, 5.0, 54.0, 15)
    assert done.progress.text.endswith("1 thread: round 10 of 10")


def test_transport_is_what_a_call_took_beyond_the_models_own_stages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter((10.0, 10.009))
    monkeypatch.setattr(measure, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    call = measure.Asking(Host({A: 4.0}.__getitem__), A, ONE, lambda: False)()  # type: ignore[arg-type]
    assert call == pytest.approx((1.0, 2.0, 1.0, 5.0))


def test_the_time_that_is_left_is_told_by_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    steps = progress.Steps(2, 10)
    assert steps.left_s is None
    steps.warming("A", 1)
    assert steps.left_s is None, "nothing is done"
    now[0] += 8.0
    steps.warmed()  # four tenths of one of two models
    assert steps.left_s == pytest.approx(32.0)
    for _ in range(10):
        steps.measured()
    assert (steps.share, steps.left_s) == pytest.approx((0.5, 8.0))


def test_the_newest_benchmarks_are_kept() -> None:
    kept = BenchmarkJobs(Surroundings(Settings()))
    asked = [MediaFile(Path("p.png"), str(n), "digest") for n in range(MOST_KEPT + 2)]
    done = SimpleNamespace(benchmark=SimpleNamespace(measured=(1,)))
    for media_file in asked:
        kept._ended((media_file.key, QUICK), done)  # type: ignore[arg-type]
    found = [kept.find(media_file, QUICK) is done for media_file in asked]
    assert found == [False] * 2 + [True] * MOST_KEPT
    again = SimpleNamespace(**vars(done))
    kept._ended((asked[-1].key, QUICK), again)  # type: ignore[arg-type]
    assert kept.find(asked[-1], QUICK) is again


def test_a_single_model_is_not_started_twice() -> None:
    host = Host(steady({A: 5.0}))
    job(host, BenchmarkSettings((A,), (1,), seconds=1.0)).run()
    assert [entry for entry in host.log if entry[0] != "ask"] == [("load", A)]


def test_calls_of_a_slow_model_fit_into_the_time() -> None:
    host = Host(steady({A: 5.0, B: 5_000.0}))
    slow = job(host)
    slow.run()
    assert len(slow.benchmark.measured[1].calls.round) == ROUNDS


def test_each_number_of_threads_is_a_pass_of_its_own() -> None:
    hosts: list[Host] = []

    def make(product: Settings, threads: int) -> Host:
        hosts.append(Host(steady({A: 5.0}), threads))
        return hosts[-1]

    settings = BenchmarkSettings((A,), (1, 2), seconds=1.0, calls=10)
    passes = BenchmarkJob(lambda: ONE, settings, Surroundings(Settings(), make=make))  # type: ignore[arg-type]
    passes.run()
    assert [host.threads for host in hosts] == [1, 2]
    assert passes.progress.share == pytest.approx(1.0)
    one, two = passes.benchmark.measured
    assert (one.threads, two.threads) == (1, 2)
    assert not one.took_turns_with(two)


def test_a_model_that_fails_leaves_the_others_alone() -> None:
    asked = 0

    def told(model: str) -> float:
        nonlocal asked
        asked += model == B
        if model == B and asked > 40:
            raise ModelError("It is tired.")
        return 5.0

    half = job(Host(told))
    half.run()
    assert half.state == "done"
    assert [m.model for m in half.benchmark.measured] == [A]
    assert [(f.model, f.error) for f in half.benchmark.failed] == [(B, "It is tired.")]
    assert half._steps._done == pytest.approx(2.0), "of two models, not of more"


def test_other_viewers_work_is_waited_for_and_told() -> None:
    app = App()
    settings = BenchmarkSettings((A,), (1,), seconds=1.0, calls=10)
    with app.activity.work() as theirs:
        beside = job(Host(steady({A: 5.0})), settings, app=app, patience_s=0.05)
        beside.run()
    assert app.waited
    assert not beside.benchmark.measured[0].alone
    assert theirs.disturbed, "their figures are no more their own than ours"
    quiet = job(Host(steady({A: 5.0})), settings, app=app)
    quiet.run()
    assert quiet.benchmark.measured[0].alone


def test_whatever_is_asked_of_a_model_marks_what_others_are_answered() -> None:
    """The second warm-up, too, which counts for nothing here."""
    app, unmarked = App(), []

    def told(model: str) -> float:
        with app.activity.work() as theirs:
            unmarked.append(not theirs.disturbed)
        return 5.0

    job(Host(told), app=app).run()
    assert not any(unmarked)


@pytest.mark.parametrize("when", ["cold start", "round 1 of", "round 9 of"])
def test_a_model_was_not_alone_where_any_part_of_it_was_not(when: str) -> None:
    app = App()

    def told(model: str) -> float:
        if when in disturbed.progress.text:
            with app.activity.work():
                pass
        return 5.0

    disturbed = job(Host(told), BenchmarkSettings((A,), (1,), seconds=1.0, calls=10), app=app)
    disturbed.run()
    assert not disturbed.benchmark.measured[0].alone


def test_what_takes_longer_than_its_time_is_asked_three_times_before_and_once_in_a_round() -> None:
    made = []

    def ask() -> measure.Call:
        made.append(True)
        return measure.Call(0.0, 1.0, 0.0, 0.0)

    warm = measure.warm_up(ask, -1.0)
    assert (warm.latency_ms, warm.settled) == ((1.0,) * 3, False)
    made.clear()
    measure.measured_round(ask, 1, measure.Alone(None, lambda: False))
    assert len(made) == 1, "no call before a single one"


@pytest.mark.parametrize(("most_mb", "kept"), [(400, 120), (0.01, 10)])
def test_of_a_clip_the_first_frames_are_kept_at_its_own_rate(
    most_mb: float, kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "long.mp4"
    file.write_bytes(b"\0\0\0\x18ftypmp42")
    clip = SimpleNamespace(timestamps_s=np.arange(130) / 12.5)
    images = (Frame(np.zeros((10, 100, 3), np.uint8), n, n / 12.5) for n in range(130))  # 3 kB
    monkeypatch.setattr(media, "open_clip", lambda path, name: clip)
    monkeypatch.setattr(media, "frames", lambda clip: images)
    monkeypatch.setattr(media, "MOST_BYTES", most_mb * 3e6)
    found = load_media(file)
    assert (found.about.frames, len(found.frames)) == (kept, kept)
    assert found.rate == pytest.approx(12.5)


def test_a_round_that_somebody_disturbed_is_measured_again() -> None:
    app, disturbed = App(), []
    alone = measure.Alone(app, lambda: False)  # type: ignore[arg-type]

    def ask() -> measure.Call:
        if len(disturbed) < 2:  # the first round alone
            disturbed.append(True)
            with app.activity.work():
                pass
            return measure.Call(0.0, 99.0, 0.0, 0.0)
        return measure.Call(0.0, 1.0, 0.0, 0.0)

    taken, was_alone = measure.measured_round(ask, 1, alone)
    assert was_alone
    assert [call.inference for call in taken] == [1.0]


def test_a_round_that_is_always_disturbed_is_given_up_after_three_tries() -> None:
    app, made = App(), []

    def ask() -> measure.Call:
        made.append(True)
        with app.activity.work():
            return measure.Call(0.0, 1.0, 0.0, 0.0)

    taken, was_alone = measure.measured_round(ask, 2, measure.Alone(app, lambda: False))  # type: ignore[arg-type]
    assert not was_alone
    assert (len(taken), len(made)) == (2, 9), "one more call before two, three times"


def test_it_stops_before_the_next_call_and_keeps_what_is_done() -> None:
    asked = 0
    settings = BenchmarkSettings((A,), (1, 2), seconds=1.0, calls=10)

    def told(model: str) -> float:
        nonlocal asked
        asked += 1
        if asked == 45:  # in the second pass
            stopped.cancel()
        return 5.0

    stopped = job(Host(told), settings)
    stopped.run()
    assert stopped.state == "cancelled"
    assert asked == 45
    assert [m.threads for m in stopped.benchmark.measured] == [1]


def test_one_benchmark_waits_for_another() -> None:
    turn = threading.Lock()
    waiting = job(Host(steady({A: 5.0, B: 5.0})), turn=turn)
    with turn:
        waiting.start()
        waiting.join(0.05)
        assert waiting.state == "waiting"
        assert "another benchmark" in waiting.progress.text
        waiting.cancel()
        waiting.join(5)
    assert waiting.state == "cancelled"


def test_no_call_is_timed_while_somebody_draws() -> None:
    host = Host(steady({A: 5.0, B: 5.0}))
    drawn = job(host)
    drawn.start()
    seen = 0
    while not drawn.finished:
        with drawn.between_rounds() as quiet:
            timed = "round" in drawn.progress.text
            before = len(host.log)
            drawn.join(0.002)
            # Warm-up before a round is not timed; its text is still that of the cold start.
            assert not (quiet and timed) or len(host.log) == before
            seen += quiet and timed
    assert seen > 1


def test_a_clip_goes_there_and_back_at_times_that_go_forward() -> None:
    frames = list(islice(CLIP.endless(), 9))
    assert [int(f.image[0, 0, 0]) for f in frames] == [0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert [f.time_s for f in frames] == pytest.approx(np.arange(9) / 10)
    assert [f.index for f in frames] == list(range(9))
    host = Host(steady({A: 5.0}))
    settings = BenchmarkSettings((A,), (1,), seconds=1.0, calls=10)
    BenchmarkJob(lambda: CLIP, settings, Surroundings(Settings(), make=lambda *_: host)).run()  # type: ignore[arg-type]
    assert max(int(f.image[0, 0, 0]) for f in host.frames) == 3


def test_models_are_together_as_far_as_they_fit_into_memory() -> None:
    specs = [spec(name) for name in "abc"]  # 160 MB each
    assert [[s.key for s in group] for group in groups(specs, 330)] == [["a", "b"], ["c"]]
    assert [len(group) for group in groups(specs, 100)] == [1, 1, 1]
    assert len(groups(specs, 1000)) == 1


def test_threads_are_told_as_numbers_that_this_machine_has() -> None:
    cores = available_cores()
    assert threads_of(["1", " all ", "1"]) == tuple(dict.fromkeys([1, cores]))
    assert threads_of(["999999"]) == (cores,)
    for wrong in ("0", "-1", "many", "", "1.5", "9" * 5000, "²"):
        with pytest.raises(InputError, match="threads"):
            threads_of([wrong])


@pytest.mark.parametrize(
    "wrong",
    [
        {"models": ()},
        {"models": (A, A)},
        {"threads": ()},
        {"threads": (0,)},
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"calls": 1},
    ],
)
def test_a_benchmark_of_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        BenchmarkSettings(**{"models": (A,), "threads": (1,), **wrong})  # type: ignore[arg-type]


def test_frames_are_read_when_the_turn_has_come_and_let_go_at_the_end() -> None:
    kept: list[weakref.ref[BenchmarkMedia]] = []

    def load() -> BenchmarkMedia:
        media = replace(ONE)
        kept.append(weakref.ref(media))
        return media

    turn, host = threading.Lock(), Host(steady({A: 5.0}))
    around = Surroundings(Settings(), turn=turn, make=lambda *_: host)  # type: ignore[arg-type]
    waits = BenchmarkJob(load, BenchmarkSettings((A,), (1,), seconds=1.0), around)
    with turn:
        waits.start()
        assert not kept
    waits.join(5)
    assert (waits.state, waits.benchmark.media) == ("done", ONE.about)
    gc.collect()
    assert [there() for there in kept] == [None]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    gone = partial(load_media, tmp_path / "gone.mp4", "holiday.mp4")
    waits = BenchmarkJob(gone, QUICK, Surroundings(Settings(), make=lambda *_: Host(steady({}))))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"holiday\.mp4 is not there"):
        waits.run()
    assert "holiday.mp4" in waits.error


def test_what_it_is_called_can_be_written_down(tmp_path: Path) -> None:
    """Bytes that are no text, and an uploaded file's name of any length."""
    file = tmp_path / "\udcff.png"
    Image.new("RGB", (8, 8)).save(file)
    assert load_media(file).about.name == r"\udcff.png"
    assert load_media(file, "x" * 400).about.name == "x" * 300


def test_a_clip_without_a_frame_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "empty.mp4"
    file.write_bytes(b"\0\0\0\x18ftypmp42")
    monkeypatch.setattr(media, "open_clip", lambda path, name: object())
    monkeypatch.setattr(media, "frames", lambda clip: iter(()))
    with pytest.raises(InputError, match=r"No frame of empty\.mp4"):
        load_media(file)


@pytest.mark.parametrize(("held", "left"), [(0.0, 2000), (500.0, 1500), (1900.0, 300)])
def test_measured_models_get_what_the_others_leave(held: float, left: int) -> None:
    told = (
        *(ModelStatus(A, "ready", pss_mb=held / 2, wanted=device) for device in ("auto", "cpu")),
        ModelStatus(B, "stopped"),
    )
    told_to: list[Settings] = []

    def make(product: Settings, threads: int) -> Host:
        told_to.append(product)
        return Host(steady({A: 5.0, B: 5.0}))

    app = App()
    app.status = lambda: told  # type: ignore[method-assign]
    around = Surroundings(Settings(), app, make=make)  # type: ignore[arg-type]
    assert around.memory_mb() == left
    BenchmarkJob(lambda: ONE, QUICK, around).run()
    assert told_to == [Settings(memory_mb=left)]


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(InputError, match="no model 'moon'"):
        BenchmarkJob(lambda: ONE, BenchmarkSettings(("moon",), (1,)), Surroundings(Settings()))


def test_each_model_is_asked_on_the_device_that_was_chosen_and_says_where_it_was() -> None:
    host = Host(steady({A: 5.0, B: 5.0}))
    host.where = Placement("cuda:1", "a trial on it worked", "NVIDIA A100", "float16")
    models = {A: MODELS[A], B: replace(MODELS[B], cuda=True)}
    asked = BenchmarkSettings((B, A), (1,), seconds=1.0, device="cuda:1")
    chosen = job(host, asked, models=models)
    chosen.run()
    # The other computes on the CPU alone, and would refuse anything else.
    assert host.devices == {(B, "cuda:1"), (A, "")}
    one, _ = chosen.benchmark.measured
    assert (one.device, one.where, one.computed) == ("cuda:1", host.where, "cuda:1, float16")
    told = "NVIDIA A100 (cuda:1), float16: a trial on it worked."
    assert any(note.endswith(told) for note in notes(chosen.benchmark))
    usual = Host(steady({A: 5.0}))
    plain = job(usual, BenchmarkSettings((A,), (1,), seconds=1.0))
    plain.run()
    assert usual.devices == {(A, "")}
    assert plain.benchmark.measured[0].computed == "cpu"
    assert not any("CPU" in note for note in notes(plain.benchmark))
