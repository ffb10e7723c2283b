"""How work in the background ends, whatever it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from estimators.errors import InputError
from estimators.workflows.background import BackgroundJob, RunState


class Steps(BackgroundJob):
    """Three steps; `during` is called in each."""

    def __init__(
        self, during: Callable[[Steps], None], wanted: Callable[[], bool] = lambda: True
    ) -> None:
        super().__init__("steps", wanted)
        self.done, self.ended, self._during = 0, list[tuple[RunState, RunState, str]](), during

    def run(self) -> None:
        with self._running():
            while self.done < 3 and not self._stopped():
                self._during(self)
                self.done += 1

    def _left(self) -> bool:
        return self.done < 3

    def _ended(self, state: RunState) -> None:
        self.ended.append((state, self.state, self.error))


def raising(error: BaseException) -> Callable[[Steps], None]:
    def during(job: Steps) -> None:
        raise error

    return during


def test_it_runs_in_a_thread_and_is_done() -> None:
    job = Steps(lambda job: None)
    assert job.state == "waiting"
    assert not job.finished
    job.start()
    job.join(10)
    assert job.finished
    assert (job.state, job.done, job.error) == ("done", 3, "")


def test_what_is_over_is_put_in_order_before_the_state_says_so() -> None:
    job = Steps(lambda job: None)
    job.run()
    assert job.ended == [("done", "running", "")]
    failed = Steps(raising(InputError("No.", "Yes.")))
    failed.start()
    failed.join(10)
    assert failed.ended == [("failed", "running", "No. Yes.")]


def test_cancelled_where_something_is_left_and_done_where_nothing_is() -> None:
    early = Steps(lambda job: job.cancel())
    early.run()
    assert (early.state, early.done, early.finished) == ("cancelled", 1, True)
    late = Steps(lambda job: job.cancel() if job.done == 2 else None)
    late.run()
    assert (late.state, late.done) == ("done", 3)


def test_a_viewer_who_left_stops_it() -> None:
    job = Steps(lambda job: None, wanted=lambda: False)
    job.run()
    assert (job.state, job.done) == ("cancelled", 0)


def test_why_it_failed() -> None:
    job = Steps(raising(ValueError("what")))
    with pytest.raises(ValueError, match="what"):
        job.run()
    assert (job.state, job.error) == ("failed", "ValueError: what")
    stopped = Steps(raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    assert (stopped.state, stopped.error) == ("cancelled", "")
