"""Real models' processes killed, stopped and out of memory in whatever they do: one table.

    python -m tests.kill_table [--models movenet-lightning,blazepose-lite]

Every cell asks the same: the loss is told for that model alone or nobody notices it, no frame of a
clip and no picture of an evaluation is without its answer, and the next answers are those from
before.  `tests/integration/test_kill_storm.py` has the same table with stand-ins, for every run of
the tests.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimators import weights
from estimators.datasets.read import read_annotated_set
from estimators.errors import ModelCrashedError, PoseError
from estimators.media import samples
from estimators.media.clips import open_clip
from estimators.media.pictures import read_picture
from estimators.registry import MODELS
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import Estimate, Frame
from estimators.workflows.clip.run import ClipSettings, run_clip
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.live.follower import Follower
from tests.process_faults import FAULTS, Fault
from tests.unit.runtime_support import Background, status, wait_until

PICTURES = 5


@dataclass
class Subject:
    """A model whose process is about to be lost, and what it says when all is well."""

    runner: ProcessRunner
    key: str
    image: NDArray[np.uint8]
    wanted: Estimate
    shown: int = 0

    @property
    def picture(self) -> Frame:
        """The same picture, and a new one all the same: one that was lost twice is set aside."""
        self.shown += 1
        image = self.image.copy()
        image[0, 0] = (self.shown % 256, self.shown // 256 % 256, 9)
        return Frame(image)

    def pid(self) -> int:
        def known() -> int | None:
            return next((s.pid for s in self.runner.status() if s.model == self.key), None)

        wait_until(known)
        found = known()
        assert found is not None
        return found

    def answers(self) -> None:
        """The next answer is the one from before, of the picture on which nothing was lost.

        One pixel more moves BlazePose's joints by some pixels.
        """
        found = self.runner.estimate(self.key, Frame(self.image), viewer="next").estimate
        assert found.poses.xy.shape == self.wanted.poses.xy.shape
        assert np.allclose(found.poses.xy, self.wanted.poses.xy, atol=0.5, equal_nan=True)
        assert status(self.runner, self.key).state == "ready"

    def told(self, error: Exception | None) -> None:
        assert isinstance(error, ModelCrashedError), error
        assert error.message.startswith(MODELS[self.key].title), error.message
        assert error.advice


def loading(subject: Subject, fault: Fault) -> None:
    subject.runner.retire(subject.key)
    call = Background(subject.runner.estimate, subject.key, subject.picture)
    fault(subject.pid())
    subject.told(call.done())
    subject.runner.forgive(subject.key)


def idle(subject: Subject, fault: Fault) -> None:
    fault(subject.pid())
    try:  # whoever is stopped is seen only when it is asked
        subject.runner.estimate(subject.key, subject.picture)
    except PoseError as error:
        subject.told(error)


def estimating(subject: Subject, fault: Fault) -> None:
    errors: list[PoseError] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                subject.runner.estimate(subject.key, subject.picture, viewer="asks on")
            except PoseError as error:
                errors.append(error)

    asking = Background(ask)
    time.sleep(0.3)
    before = status(subject.runner, subject.key).restarts
    fault(subject.pid())
    wait_until(lambda: status(subject.runner, subject.key).restarts > before)
    time.sleep(0.3)
    over.set()
    assert asking.done() is None
    assert len(errors) <= 1, errors  # no answer is lost but the one that is told
    for error in errors:
        subject.told(error)


def in_a_clip(subject: Subject, fault: Fault) -> None:
    clip = open_clip(samples.clips()[0].path)
    found, settings = [], ClipSettings((subject.key,), end_s=1.5)
    for outcome in run_clip(subject.runner, clip, settings):
        assert not outcome.failures, outcome.failures
        found.append(outcome.frame.index)
        if len(found) in (5, 20):
            fault(subject.pid())
    assert found == list(range(found[-1] + 1))
    assert len(found) > 20


def in_a_live_stream(subject: Subject, fault: Fault) -> None:
    follower, number = Follower(subject.runner, MODELS[subject.key], "viewer"), 0

    def follows(beyond: int) -> bool:
        nonlocal number
        number += 1
        follower.offer(replace(subject.picture, index=number), time.monotonic())
        overlay = follower.overlay
        return overlay is not None and overlay.frame_index > beyond

    try:
        wait_until(lambda: follows(0))
        fault(subject.pid())
        last = number + 1
        wait_until(lambda: follows(last))
        assert follower.state == "following"
    finally:
        follower.close()
        follower.join(60)


def in_evaluate(subject: Subject, fault: Fault) -> None:
    annotated, _ = read_annotated_set(samples.FOLDER, samples.FOLDER / "annotations.json")
    few = type(annotated)(annotated.images[:PICTURES], annotated.joints)
    asked: list[int] = []

    def wanted() -> bool:
        asked.append(1)
        if len(asked) == 4:
            fault(subject.pid())
        return True

    job = EvaluateJob(subject.runner, few, EvaluateSettings((subject.key,)), None, wanted)
    job.run()
    (model,) = job.progress.models
    assert (job.state, model.state) == ("done", "done"), (job.error, model.error)
    assert (model.failed, model.done) == (0, model.total)


STATES: tuple[Callable[[Subject, Fault], None], ...] = (
    loading,
    idle,
    estimating,
    in_a_clip,
    in_a_live_stream,
    in_evaluate,
)


@contextmanager
def subject_of(key: str) -> Iterator[Subject]:
    """The model in a process of its own, ready."""
    runner = ProcessRunner(Settings(), threads=2)
    picture = read_picture(samples.pictures()[0].path)
    try:
        wanted = runner.estimate(key, picture).estimate
        yield Subject(runner, key, np.array(picture.image), wanted)
    finally:
        runner.close()


def cell(subject: Subject, state: Callable[[Subject, Fault], None], fault: Fault) -> None:
    """One cell of the table: what is asked of all of them comes last."""
    subject.runner.forgive(subject.key)
    subject.answers()
    state(subject, fault)
    subject.answers()


def main(arguments: list[str] | None = None) -> int:
    here = [
        k for k, s in MODELS.items() if weights.state(s.weights).state in ("embedded", "cached")
    ]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", default=",".join(here), help="keys, separated by commas")
    wrong = done = 0
    for key in parser.parse_args(arguments).models.split(","):
        with subject_of(key) as subject:
            for state in STATES:
                for fault in FAULTS:
                    name, done = f"{key} {fault.__name__} {state.__name__}", done + 1
                    try:
                        cell(subject, state, fault)
                        print(f"{name}: as promised", flush=True)
                    except (AssertionError, PoseError) as error:
                        wrong += 1
                        print(f"{name}: {type(error).__name__}: {error}", flush=True)
    print(f"{done} cells, {wrong} not as promised")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
