"""The embedded variants' answers to the samples, to be compared with the files beside this one.

`python -m tests.golden.golden` writes the files anew: after a change of answers that is wanted,
with the reason in the commit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from estimators import weights
from estimators.media import clips
from estimators.media.pictures import read_picture
from estimators.media.samples import samples
from estimators.registry import MODELS
from estimators.runtime.api import Runner
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from estimators.skeletons import COCO_17
from estimators.types import EstimatorOptions, PoseSet

FOLDER = Path(__file__).parent
# Variants whose weights are part of the repository, so that everybody can compare.
VARIANTS = tuple(
    key for key, spec in MODELS.items() if weights.entry(spec.weights).kind == "embedded"
)
CLIP_FRAMES = 6
THREADS = 2
# People below this score are left out: which leftovers a model reports may differ by machine.
CLEAR = 0.25


def file_of(key: str) -> Path:
    return FOLDER / f"{key}.json"


def answers(key: str, runner: Runner) -> dict[str, Any]:
    """COCO-17 joints of everybody clear in every sample: pictures, and the start of each clip."""
    found: dict[str, Any] = {}
    for sample in samples():
        if sample.kind == "picture":
            poses = runner.estimate(key, read_picture(sample.path)).estimate.poses
        else:
            # The last of some frames in a row: what following a person leads to.
            with runner.open(key, EstimatorOptions(video=True)) as session:
                for frame in clips.frames(clips.open_clip(sample.path)):
                    poses = session.estimate(frame).estimate.poses
                    if frame.index == CLIP_FRAMES - 1:
                        break
        found[sample.path.name] = people(poses)
    return found


def people(poses: PoseSet) -> list[dict[str, Any]]:
    """Numbers to a tenth of a pixel and a thousandth of a score."""
    coco = poses.strong(CLEAR).to_skeleton(COCO_17)
    assert coco.pose_score is not None
    return [
        {
            "pose_score": round(float(coco.pose_score[i]), 3),
            "x": [round(float(x), 1) for x in coco.xy[i, :, 0]],
            "y": [round(float(y), 1) for y in coco.xy[i, :, 1]],
            "score": [round(float(score), 3) for score in coco.score[i]],
        }
        for i in range(len(coco))
    ]


def main() -> None:
    runner = ProcessRunner(Settings(), threads=THREADS)
    try:
        for key in VARIANTS:
            lines = [
                f"{json.dumps(name)}: {json.dumps(a)}" for name, a in answers(key, runner).items()
            ]
            file_of(key).write_text("{\n" + ",\n".join(lines) + "\n}\n")
    finally:
        runner.close()


if __name__ == "__main__":
    main()
