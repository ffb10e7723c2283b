"""How many people a model is asked for: what holds, who is told, and what is computed again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from estimators.analysis import sentences
from estimators.analysis.clip import ClipEstimates
from estimators.analysis.facts import Cost, ModelFacts
from estimators.cli.people import asked_people, held_back
from estimators.errors import InputError
from estimators.export.files import to_bytes, write_json
from estimators.registry import get
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.types import EstimatorOptions
from estimators.workflows.clip.analysis import ClipAnalysis
from estimators.workflows.clip.files import manifest
from estimators.workflows.clip.job import ClipJob
from estimators.workflows.clip.jobs import ClipJobs
from estimators.workflows.clip.run import ClipSettings
from estimators.workflows.live.mosaic import LiveSettings
from estimators.workflows.live.seats import Seats
from estimators.workflows.live.stream import LiveStream
from tests.in_process import InProcessRunner
from tests.integration.exact_clip import clip_of
from tests.unit import fake_adapters as fake
from tests.unit.live_stand import camera, live_models
from tests.unit.runtime_support import wait_until

SINGLE, BLAZE, MULTI = "movenet-lightning", "blazepose-full", "movenet-multipose"


def video(people: int | None = None) -> EstimatorOptions:
    return EstimatorOptions(video=True, max_people=people)


@pytest.mark.parametrize(
    ("model", "options", "limit", "held_to"),
    [
        (BLAZE, EstimatorOptions(), 5, None),
        (BLAZE, video(), 1, 1),
        (BLAZE, video(3), 3, 3),
        (BLAZE, video(5), 5, None),
        (BLAZE, video(9), 5, None),
        (MULTI, video(), 6, None),
        (MULTI, video(2), 2, 2),
        (SINGLE, video(), 1, None),  # it looks for one whatever it is asked for
        (SINGLE, video(4), 1, None),
    ],
)
def test_the_limit_that_holds_and_whether_it_is_ours(
    model: str, options: EstimatorOptions, limit: int, held_to: int | None
) -> None:
    assert get(model).people_limit(options) == limit
    assert get(model).held_to(options) == held_to


def test_settings_that_mean_the_same_are_the_same() -> None:
    plain = ClipSettings((BLAZE, SINGLE))
    for people in (((BLAZE, 1),), ((SINGLE, 3),), ((MULTI, 2),), ((BLAZE, 1), (SINGLE, 1))):
        assert ClipSettings((BLAZE, SINGLE), people=people) == plain
    two = ClipSettings((BLAZE, MULTI), people=((MULTI, 2), (BLAZE, 2)))
    assert two == ClipSettings((BLAZE, MULTI), people=((BLAZE, 2), (MULTI, 2)))
    assert two != ClipSettings((BLAZE, MULTI), people=((BLAZE, 2),))
    assert two.options(BLAZE) == video(2)
    assert plain.options(BLAZE) == video()


@pytest.fixture
def runner() -> Iterator[ProcessRunner]:
    models = {
        key: replace(fake.spec(), key=key, skeleton=get(key).skeleton) for key in (SINGLE, MULTI)
    }
    runner = ProcessRunner(Settings(), threads=1, models=models)
    yield runner
    runner.close()


def test_another_number_is_computed_anew_for_that_model_alone(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    clip = clip_of(tmp_path, [fake.picture(x, 10) for x in range(2, 6)])
    jobs = ClipJobs(runner)
    both = ClipSettings((SINGLE, MULTI))
    two = replace(both, people=((MULTI, 2),))

    def ran(settings: ClipSettings) -> tuple[str, ...]:
        job = jobs.watch("abc", clip, settings, "ann")
        wait_until(lambda: job.finished)
        assert job.state == "done"
        return job.ran

    assert ran(both) == (SINGLE, MULTI)
    assert jobs.find("abc", clip, two) is None
    assert ran(two) == (MULTI,)
    assert ran(two) == ran(both) == ()
    held = [jobs.find("abc", clip, each) for each in (both, two)]
    assert [job and job.estimates[MULTI].held_to for job in held] == [None, 2]


def test_manifest_and_document_say_how_many_were_asked_for(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    clip = clip_of(tmp_path, [fake.picture(5, 10)])
    job = ClipJob(runner, clip, ClipSettings((SINGLE, MULTI), people=((MULTI, 2),)))
    for _ in job.outcomes():
        pass
    told = manifest(job, ClipAnalysis.of(job.estimates))
    assert told["settings"]["people"] == {SINGLE: 1, MULTI: 2}
    document = json.loads(to_bytes(lambda sink: write_json([*job.estimates.values()], sink)))
    assert [r.get("held_to_people") for r in document["results"]] == [None, 2]


def test_nobody_is_blamed_for_people_it_was_not_asked_for() -> None:
    facts = {
        SINGLE: ModelFacts(SINGLE, 60, 60, 0.05, Cost(5, 100), people=100),
        BLAZE: ModelFacts(BLAZE, 60, 60, 0.05, Cost(20, 200), held_to=1, people=100),
        MULTI: ModelFacts(MULTI, 100, 100, 0.05, Cost(9, 150), people=100),
    }
    (said,) = sentences.held_back(facts)
    assert "BlazePose full was asked for one person at most, not for the 5 it can find" in str(said)
    # With as many as the others found there is nothing to excuse.
    assert sentences.held_back({m: replace(fact, agreed=100) for m, fact in facts.items()}) == ()


@pytest.mark.parametrize(
    ("texts", "asked"),
    [
        ((), {}),
        (("3",), {SINGLE: 1, BLAZE: 3}),
        (("9",), {SINGLE: 1, BLAZE: 5}),
        (("blazepose-full=2",), {BLAZE: 2}),
        (("4", "blazepose-full=2"), {SINGLE: 1, BLAZE: 2}),
        (("4, blazepose-full=2",), {SINGLE: 1, BLAZE: 2}),
    ],
)
def test_the_command_lines_numbers(texts: Sequence[str], asked: dict[str, int]) -> None:
    assert asked_people(texts, [get(SINGLE), get(BLAZE)]) == asked


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0", "no number of people"),
        ("-1", "no number of people"),
        ("1.5", "no number of people"),
        ("²", "no number of people"),
        ("9" * 5000, "no number of people"),
        ("blazepose-full=", "no number of people"),
        ("movenet-thunder=2", "is not compared"),
        ("blazepose-full=6", "finds 5 people at most"),
        ("movenet-lightning=2", "finds one person at most"),
    ],
)
def test_numbers_that_cannot_be(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        asked_people([text], [get(SINGLE), get(BLAZE)])


def test_the_terminal_tells_the_limit_and_the_way_out() -> None:
    held = ClipEstimates(BLAZE, get(BLAZE).skeleton)
    held.held_to = 1
    free = ClipEstimates(MULTI, get(MULTI).skeleton)
    (told,) = held_back([held, free])
    assert told == (
        "blazepose-full was asked for 1 person at most and can find 5: --people blazepose-full=5"
    )
    assert held_back([free]) == []


def test_a_live_video_asks_for_as_many_as_it_is_told() -> None:
    spec = replace(fake.spec("quick"), max_people=4)
    asked: list[EstimatorOptions] = []

    class Told(InProcessRunner):
        def open(self, model: str, options: EstimatorOptions = video(), viewer: str = ""):  # type: ignore[no-untyped-def]  # noqa: B008
            asked.append(options)
            return super().open(model, options, viewer)

    runner = Told(threads=1, models={spec.key: spec})
    stream = LiveStream(runner, Seats(1))
    (model,) = live_models([spec])
    try:
        for people in (None, 2):
            stream.configure(LiveSettings((replace(model, max_people=people),)))
            stream.show(camera(50, 60))
            wait_until(lambda people=people: asked and asked[-1] == video(people))
    finally:
        stream.stop()
        runner.close()
    assert asked == [video(), video(2)]
