"""The recommendation on the annotated samples, with real models: never one that truth puts behind.

Truth is sample_media/annotations.json: pictures and frames, and each of them in a mirror.  The
quality of a model and what counts as clearly behind are those of `benchmarks.verdict`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from benchmarks._annotated import SETS, SUPPORTED_WITHIN, mirrored, quality, read_scenes
from estimators.analysis.facts import Cost
from estimators.analysis.recommend import Evidence, Recommendation, recommend
from estimators.analysis.scale import above_thresholds, found
from estimators.analysis.seen import Seen
from estimators.media.samples import FOLDER
from estimators.registry import MODELS, get, voice
from estimators.runtime.runner import ProcessRunner
from estimators.types import Frame, PoseSet

LIGHTNING, THUNDER, MULTI, FULL, LITE, POSENET = (
    *("movenet-lightning", "movenet-thunder", "movenet-multipose-512"),
    *("blazepose-full", "blazepose-lite", "posenet"),
)
COMPARED = SETS | {
    "Lightning, PoseNet": (LIGHTNING, POSENET),
    "BlazePose full, PoseNet": (FULL, POSENET),
}
# From the fastest; the verdict must hold on a machine with another order, too.
BY_SPEED = (LIGHTNING, THUNDER, LITE, POSENET, FULL, MULTI)
TWIN_OF = {s.key: s.same_weights_as for s in MODELS.values() if s.same_weights_as in BY_SPEED}
MIRRORED = "mirrored"
# Nothing at hand tells these apart: left and right exchanged by one and nobody where another looks,
# different people of two seen, a head on the back.
CANNOT_BE_TOLD = (
    *(("balance.mp4 frame 50", each) for each in ("two models", "and PoseNet")),
    *(("balance.mp4 frame 70", each) for each in ("two models", "and PoseNet")),
    ("two_people_outdoors.jpg", "two models"),
)


# Nor is this: PoseNet sees two people whom the others do not look for, one of them right, and is
# 0.07 behind by the pose of the one whom all see.  On pictures with such people that the
# coefficients had not seen it was right nine times of ten (docs/verdict.md).
NOT_BY_MUCH = {("and PoseNet", "balance.mp4 frame 30")}


@dataclass(frozen=True, eq=False)
class Judged:
    """A scene as the models see it, thresholds applied, and what each is worth by the truth."""

    name: str
    longer_side: int
    people: Mapping[str, PoseSet]
    quality: Mapping[str, float]


@pytest.fixture(scope="module")
def scenes(model_runner: ProcessRunner) -> list[Judged]:
    whole = list(read_scenes(FOLDER / "annotations.json"))
    every = [*whole, *(mirrored(scene, f"{scene.name}, {MIRRORED}") for scene in whole)]
    people: list[dict[str, PoseSet]] = [{} for _ in every]
    worth: list[dict[str, float]] = [{} for _ in every]
    for model in BY_SPEED:
        limits = (get(model).default_threshold, get(model).default_pose_threshold)
        for i, scene in enumerate(every):
            poses = model_runner.estimate(model, Frame(scene.image)).estimate.poses
            people[i][model] = above_thresholds(poses, *limits)
            worth[i][model] = quality(scene.people, poses.select(found(poses, *limits)))
        model_runner.retire(model)
    names = [
        " ".join([scene.source, *(p for p in scene.name.split(", ") if p != "as it is")])
        for scene in every
    ]
    return [
        Judged(name, max(scene.image.shape[:2]), seen, value)
        for name, scene, seen, value in zip(names, every, people, worth, strict=True)
    ]


def ask(
    scenes: Sequence[Judged], models: Sequence[str], by_speed: Sequence[str] = BY_SPEED
) -> Recommendation:
    """The verdict on one scene, or on several together; a twin's answers are its original's."""
    costs = {m: Cost(10.0 + by_speed.index(TWIN_OF.get(m, m)), 100.0) for m in models}
    seen = [
        Seen({m: s.people[TWIN_OF.get(m, m)] for m in models}, s.longer_side, s.name)
        for s in scenes
    ]
    subject = "picture" if len(scenes) == 1 else "set of pictures"
    return recommend(Evidence(seen, costs, subject=subject))


def regret(scenes: Sequence[Judged], models: Sequence[str], picked: str | None) -> float:
    """How much is missing to the best compared; 0 where none was recommended."""
    if picked is None:
        return 0.0
    worth = {m: sum(s.quality[m] for s in scenes) / len(scenes) for m in models}
    return max(worth.values()) - worth[TWIN_OF.get(picked, picked)]


def straight(scenes: Sequence[Judged]) -> list[Judged]:
    return [scene for scene in scenes if MIRRORED not in scene.name]


def groups_of(scenes: list[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    """Each scene, and those that a person would upload together."""
    for scene in scenes:
        yield scene.name, [scene]
    for file in ("balance.mp4", "street.mp4", ".jpg"):
        yield f"all of {file}", [s for s in straight(scenes) if file in s.name]


@pytest.mark.parametrize("compared", COMPARED)
def test_no_scene_gets_a_model_that_the_truth_puts_behind(
    compared: str, scenes: list[Judged], capsys: pytest.CaptureFixture[str]
) -> None:
    models, wrong, given = COMPARED[compared], set(), 0
    lines = [f"\n{compared}: {', '.join(models)}"]
    for name, group in groups_of(scenes):
        answer = ask(group, models)
        truth = " ".join(f"{sum(s.quality[m] for s in group) / len(group):.2f}" for m in models)
        lines.append(f"  {name:36} {answer.tier:12} {answer.model or '-':22} {truth}")
        if answer.model is None:  # speed chooses among those recommended only
            continue
        given += 1
        for picked in {answer.model, ask(group, models, BY_SPEED[::-1]).model}:
            behind = regret(group, models, picked)
            if behind > SUPPORTED_WITHIN:
                wrong.add(name)
                lines.append(f"    {picked} is {behind:.2f} behind, chance {answer.chance:.2f}")
    with capsys.disabled():
        print("\n".join(lines))
    assert given, "declining everything is no rule"
    assert {(compared, name) for name in wrong} <= NOT_BY_MUCH


def test_what_cannot_be_told_gets_no_recommendation(scenes: list[Judged]) -> None:
    by_name = {scene.name: scene for scene in scenes}
    for name, compared in CANNOT_BE_TOLD:
        answer = ask([by_name[name]], COMPARED[compared])
        assert answer.model is None, (name, compared, answer.model, answer.chance)
        assert answer.reasons


@pytest.mark.parametrize("compared", SETS)
def test_a_copy_changes_no_verdict(compared: str, scenes: list[Judged]) -> None:
    models = SETS[compared]
    for scene in straight(scenes):
        alone = ask([scene], models).model
        for twin in (key for key, of in TWIN_OF.items() if of in models):
            both = ask([scene], [*models, twin]).model
            assert TWIN_OF.get(str(both), both) == alone, f"{scene.name} and {twin}"


@pytest.mark.parametrize("compared", SETS)
def test_a_second_variant_makes_no_verdict_worse(compared: str, scenes: list[Judged]) -> None:
    """It brings in itself alone, and what was right does not become wrong by it."""
    models = SETS[compared]
    for scene in straight(scenes):
        alone = ask([scene], models).model
        for variant in (v for v in (LITE, THUNDER) if v not in models):
            others = [m for m in models if voice(m) != voice(variant)]
            both = ask([scene], [*models, variant]).model
            if both == alone or both is None:
                continue
            assert both == variant == ask([scene], [*others, variant]).model, scene.name
            best = max(scene.quality[m] for m in models)
            was_right = regret([scene], models, alone) <= SUPPORTED_WITHIN
            assert not was_right or best - scene.quality[both] <= SUPPORTED_WITHIN, scene.name
