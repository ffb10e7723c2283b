"""Holds the recommendations against annotated pictures.

    python -m benchmarks.verdict [--annotations FILE [--images DIR]] [--scenes]

The quality of a model on a picture is the sum of the OKS of matched people over annotated people
and those found that are nobody.  A recommendation is *supported* where the recommended model is
within 0.05 of the best compared; its *regret* is how much is missing to the best.  Printed beside
"always the same model" and "at random", for two to five models.  `--scenes` prints each picture or
frame before: what the evidence was, the verdict, and the truth.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from benchmarks._annotated import (
    SETS,
    SUPPORTED_WITHIN,
    Scene,
    add_arguments,
    chosen_scenes,
    quality,
)
from estimators.analysis.facts import Cost
from estimators.analysis.recommend import Evidence, recommend
from estimators.analysis.scale import above_thresholds, found
from estimators.analysis.seen import Seen
from estimators.registry import get, voice
from estimators.runtime.runner import ProcessRunner
from estimators.settings import current
from estimators.types import Estimate, Frame, PoseSet


def estimates(scenes: Sequence[Scene], models: Sequence[str]) -> dict[str, list[Estimate]]:
    """What each model says about each picture, one model after the other."""
    runner = ProcessRunner(current(), threads=2)
    try:
        out: dict[str, list[Estimate]] = {}
        for model in models:
            runner.estimate(model, Frame(scenes[0].image))  # the cold start
            out[model] = [runner.estimate(model, Frame(s.image)).estimate for s in scenes]
            runner.retire(model)
        return out
    finally:
        runner.close()


def table(scenes: Sequence[Scene], said: Mapping[str, Sequence[Estimate]]) -> Iterator[str]:
    """The figures of each set of models, line by line."""
    yield f"{'':34} supported  declined  mean regret"
    costs = _costs(said)
    for name, models in SETS.items():
        worth = np.array(
            [[_quality(s, m, said[m][i]) for m in models] for i, s in enumerate(scenes)]
        )
        regret = worth.max(axis=1, keepdims=True) - worth
        picks = []
        for i, scene in enumerate(scenes):
            people = {m: _shown(m, said[m][i]) for m in models}
            seen = Seen(people, max(scene.image.shape[:2]), scene.source)
            picks.append(recommend(Evidence([seen], {m: costs[m] for m in models})).model)
        made = np.array([regret[i, models.index(p)] for i, p in enumerate(picks) if p is not None])
        yield f"{name}, {len(models)} models, {len(scenes)} pictures"
        yield _line("recommended", made, 1 - len(made) / len(scenes))
        for j, model in enumerate(models):
            yield _line(f"always {get(model).title}", regret[:, j], 0.0)
        yield _line("at random", regret.ravel(), 0.0)


def scene_table(scenes: Sequence[Scene], said: Mapping[str, Sequence[Estimate]]) -> Iterator[str]:
    """Each scene with the evidence, the verdict, and the quality of each model by the truth."""
    costs = _costs(said)
    for name, models in SETS.items():
        yield f"{name}: truth is the quality of {', '.join(get(m).title for m in models)}"
        yield f"  {'scene':38} {'evidence':34} {'verdict':24} truth"
        for i, scene in enumerate(scenes):
            people = {m: _shown(m, said[m][i]) for m in models}
            seen = Seen(people, max(scene.image.shape[:2]), scene.source)
            answer = recommend(Evidence([seen], {m: costs[m] for m in models}))
            worth = {m: _quality(scene, m, said[m][i]) for m in models}
            found = len({voice(m) for m, poses in people.items() if len(poses)})
            chance = "" if math.isnan(answer.chance) else f", chance {answer.chance:.0%}"
            evidence = f"{found} of {len({voice(m) for m in models})} families see anybody{chance}"
            verdict = "no recommendation" if answer.model is None else get(answer.model).title
            truth = " ".join(f"{q:.2f}" for q in worth.values())
            behind = max(worth.values()) - worth.get(answer.model or "", math.inf)
            note = f", {behind:.2f} behind" if behind > SUPPORTED_WITHIN else ""
            label = scene.source if scene.name == "as it is" else f"{scene.source} {scene.name}"
            yield f"  {label:38} {evidence:34} {verdict:24} {truth}{note}"


def _costs(said: Mapping[str, Sequence[Estimate]]) -> dict[str, Cost]:
    return {
        model: Cost(float(np.median([e.timings_ms.total for e in every])))
        for model, every in said.items()
    }


def _line(name: str, regret: np.ndarray, declined: float) -> str:
    if not regret.size:
        return f"  {name:32}         –  {declined:8.0%}            –"
    supported = np.mean(regret <= SUPPORTED_WITHIN)
    return f"  {name:32} {supported:9.0%}  {declined:8.0%}  {regret.mean():11.3f}"


def _quality(scene: Scene, model: str, estimate: Estimate) -> float:
    spec, poses = get(model), estimate.poses
    kept = found(poses, spec.default_threshold, spec.default_pose_threshold)
    return quality(scene.people, poses.select(kept))


def _shown(model: str, estimate: Estimate) -> PoseSet:
    spec = get(model)
    return above_thresholds(estimate.poses, spec.default_threshold, spec.default_pose_threshold)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_arguments(parser)
    parser.add_argument("--scenes", action="store_true", help="print each picture, too")
    scenes = chosen_scenes(parser)
    said = estimates(scenes, tuple(dict.fromkeys(chain.from_iterable(SETS.values()))))
    if parser.parse_args().scenes:
        print("\n".join(scene_table(scenes, said)), flush=True)
    for line in table(scenes, said):
        print(line, flush=True)


if __name__ == "__main__":
    main()
