"""A live stream with real runners: newest frames, no waiting, everything freed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from estimators.runtime.api import Runner
from estimators.workflows.live import stream as live
from estimators.workflows.live.mosaic import LiveSettings
from estimators.workflows.live.seats import Seats
from estimators.workflows.live.stream import LiveStream
from tests.in_process import InProcessRunner
from tests.unit import fake_adapters as fake
from tests.unit import gated_adapter as gated
from tests.unit.live_stand import camera, figures_of, live_models, live_settings, live_threads
from tests.unit.runtime_support import wait_until

QUICK, OTHER, SLOW = fake.spec("quick"), fake.spec("other"), gated.spec("slow")
BROKEN = fake.spec("broken", fail="own")
MODELS = {spec.key: spec for spec in (QUICK, OTHER, SLOW, BROKEN)}


@pytest.fixture
def runner() -> Iterator[Runner]:
    runner = InProcessRunner(threads=1, models=MODELS)
    yield runner
    runner.close()


@pytest.fixture
def stream(runner: Runner) -> Iterator[LiveStream]:
    stream = LiveStream(runner, Seats(2))
    stream.configure(live_settings(QUICK))
    yield stream
    stream.stop()
    wait_until(lambda: not live_threads())


def follow(stream: LiveStream, key: str, x: int = 50, y: int = 60) -> None:
    """Shows frames until the model's overlay is at (x, y)."""

    def there() -> bool:
        stream.show(camera(x, y))
        overlay = figures_of(stream, key).overlay
        return overlay is not None and np.allclose(overlay.poses.xy[0, 0], (x + 0.5, y + 0.5))

    wait_until(there)


def test_the_overlay_follows_the_frames(stream: LiveStream) -> None:
    follow(stream, "quick", 50, 60)
    follow(stream, "quick", 200, 100)
    figures = stream.figures()
    assert figures.size == (320, 240)
    assert figures.state == "running"
    told = figures_of(stream, "quick")
    assert told.state == "following"
    assert told.age_ms is not None
    assert told.age_ms > 0
    assert told.summary.median_ms is not None


def test_the_video_never_waits_for_a_model(stream: LiveStream) -> None:
    stream.configure(live_settings(QUICK, SLOW))
    with gated.busy("slow") as release:
        for i in range(40):
            stream.show(camera(30 + i, 60))
        slow = figures_of(stream, "slow")
        assert (slow.state, slow.overlay) == ("loading", None)
        # It has taken one frame at most; all others made room for newer ones.
        assert slow.dropped >= 38
        assert slow.summary.drops == slow.dropped
        follow(stream, "quick", 70, 60)
        release.set()
        follow(stream, "slow", 90, 60)


def test_a_busy_model_goes_on_with_the_newest_frame(stream: LiveStream) -> None:
    stream.configure(live_settings(SLOW))
    follow(stream, "slow")
    with gated.busy("slow") as release:
        for x in range(100, 140):
            stream.show(camera(x, 60))
        release.set()

    def newest() -> bool:
        overlay = figures_of(stream, "slow").overlay
        return overlay is not None and bool(overlay.poses.xy[0, 0, 0] == 139.5)

    wait_until(newest)


def test_an_old_overlay_stays_and_its_age_grows(stream: LiveStream) -> None:
    stream.configure(live_settings(SLOW))
    follow(stream, "slow")
    with gated.busy("slow"):
        # An answer may still be on its way; after it the model takes a frame and is held.
        wait_until(lambda: stream.show(camera(10, 10)) is not None and gated.held("slow"))
        first = figures_of(stream, "slow")
        stream.show(camera(12, 10))
        later = figures_of(stream, "slow")
        assert first.overlay is later.overlay is not None
        assert first.age_ms is not None
        assert later.age_ms is not None
        assert later.age_ms > first.age_ms


def test_settings_take_effect_with_the_next_frame(stream: LiveStream) -> None:
    follow(stream, "quick")
    wide = stream.show(camera(50, 60)).shape[1]
    stream.configure(live_settings(QUICK, OTHER))
    follow(stream, "other")
    assert stream.show(camera(50, 60)).shape[1] == 2 * wide
    stream.configure(replace(live_settings(QUICK, OTHER), layout="one"))
    assert stream.show(camera(50, 60)).shape[1] == wide
    stream.configure(live_settings(OTHER))
    wait_until(lambda: "live-quick" not in live_threads())
    assert [f.model.spec.key for f in stream.figures().models] == ["other"]


def test_thresholds_change_the_drawing_without_a_model(stream: LiveStream) -> None:
    follow(stream, "quick")
    with_people = live_models([QUICK])[0]
    stream.configure(LiveSettings((replace(with_people, pose_threshold=1e9),)))
    bare = stream.show(camera(50, 60))
    nothing = replace(with_people.style, points=False, bones=False)
    stream.configure(LiveSettings((replace(with_people, style=nothing),)))
    unmarked = stream.show(camera(50, 60))
    stream.configure(LiveSettings((with_people,)))
    drawn = stream.show(camera(50, 60))
    assert has_colour(drawn, with_people.style.colour)
    assert not has_colour(bare, with_people.style.colour)
    assert not has_colour(unmarked, with_people.style.colour)


def test_a_model_that_stays_is_not_started_again(stream: LiveStream) -> None:
    follow(stream, "quick")
    follower = stream._followers["quick"]
    stricter = replace(live_models([QUICK])[0], joint_threshold=0.9)
    for settings in (
        LiveSettings((stricter,), "one", mirrored=True),
        live_settings(OTHER, QUICK),
        live_settings(QUICK),
    ):
        stream.configure(settings)
        stream.show(camera(50, 60))
        assert stream._followers["quick"] is follower


def test_the_video_goes_on_without_models(stream: LiveStream) -> None:
    follow(stream, "quick")
    size = stream.show(camera(50, 60)).shape
    stream.configure(LiveSettings())
    assert stream.show(camera(50, 60)).shape == size
    figures = stream.figures()
    assert (figures.state, figures.models) == ("running", ())
    stream.configure(live_settings(QUICK))
    follow(stream, "quick", 200, 100)


def has_colour(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    """Below the title bar, whose stripe has the model's colour, too."""
    return bool((np.abs(picture[40:].astype(int) - colour).sum(axis=2) < 30).any())


def test_a_failing_model_says_why_and_leaves_the_others_alone(stream: LiveStream) -> None:
    stream.configure(live_settings(QUICK, BROKEN))
    stream.show(camera(50, 60))
    wait_until(lambda: figures_of(stream, "broken").state == "failed")
    assert "weights are from the moon" in figures_of(stream, "broken").error
    follow(stream, "quick", 80, 60)


def test_cameras_may_change_their_size(stream: LiveStream) -> None:
    follow(stream, "quick")
    small = stream.show(camera(20, 20, (160, 120)))
    large = stream.show(camera(20, 20, (640, 480)))
    assert small.shape[1] < large.shape[1]
    assert stream.figures().size == (640, 480)


def test_stopping_frees_threads_seat_and_sessions() -> None:
    runner = InProcessRunner(threads=1, models=MODELS)
    seats = Seats(1)
    before = threading.active_count()
    for _ in range(5):
        stream = LiveStream(runner, seats)
        stream.configure(live_settings(QUICK, OTHER))
        follow(stream, "quick")
        assert seats.taken == 1
        stream.stop()
        stream.stop()
        assert seats.taken == 0
        assert stream.newest_frame() is None
    wait_until(lambda: not live_threads())
    assert threading.active_count() == before
    runner.close()


def test_it_starts_again_after_a_stop(stream: LiveStream) -> None:
    follow(stream, "quick")
    stream.stop()
    assert stream.figures().state == "idle"
    assert stream.figures().models == ()
    follow(stream, "quick", 99, 60)
    assert stream.figures().state == "running"


def test_frames_that_stop_coming_free_everything(runner: Runner) -> None:
    seats = Seats(1)
    stream = LiveStream(runner, seats, idle_s=0.2)
    stream.configure(live_settings(QUICK))
    stream.show(camera(50, 60))
    wait_until(lambda: not live_threads() and seats.taken == 0)
    follow(stream, "quick")  # the lid is opened again
    stream.stop()


@pytest.mark.parametrize(("pause_s", "stopped"), [(5.0, False), (1.0, True)])
def test_a_pause_does_not_count_in_the_rate_of_the_video(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, pause_s: float, stopped: bool
) -> None:
    clock = SimpleNamespace(now_s=100.0)
    monkeypatch.setattr(live, "time", SimpleNamespace(monotonic=lambda: clock.now_s))
    stream = LiveStream(runner, Seats(1))

    def second() -> float:
        for _ in range(30):
            clock.now_s += 1 / 30
            stream.show(camera(50, 60))
        return stream.figures().video.rate

    assert second() == pytest.approx(30)
    if stopped:
        stream.stop()
    clock.now_s += pause_s
    assert second() == pytest.approx(30)
    clock.now_s += 1  # too short for a pause
    assert second() == pytest.approx(20, abs=1)
    stream.stop()


def test_a_pause_does_not_count_in_the_rates_of_the_models(stream: LiveStream) -> None:
    follow(stream, "quick")
    before = stream._followers["quick"].latency
    stream._last_s -= live.PAUSE_S
    stream.show(camera(50, 60))
    assert stream._followers["quick"].latency is not before
    assert figures_of(stream, "quick").state == "following"


def test_no_more_streams_than_seats(runner: Runner) -> None:
    seats = Seats(1)
    first, second = LiveStream(runner, seats), LiveStream(runner, seats)
    for stream in (first, second):
        stream.configure(live_settings(QUICK))
    follow(first, "quick")
    picture = second.show(camera(50, 60))
    assert second.figures().state == "full"
    assert second.figures().models == ()
    assert picture[40:].max() > 200  # words on the dimmed picture
    assert not has_colour(picture, live_models([QUICK])[0].style.colour)
    first.stop()
    follow(second, "quick")
    assert second.figures().state == "running"
    second.stop()


def test_viewers_share_a_model(runner: Runner) -> None:
    streams = [LiveStream(runner, Seats(3)) for _ in range(3)]
    for stream in streams:
        stream.configure(live_settings(QUICK))
    for _ in range(30):
        for x, stream in enumerate(streams):
            stream.show(camera(40 * (x + 1), 60))
    for x, stream in enumerate(streams):
        follow(stream, "quick", 40 * (x + 1), 60)
        stream.stop()
