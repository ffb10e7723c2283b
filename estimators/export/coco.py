"""COCO keypoint results, one list a model, as `pycocotools` `loadRes` takes them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.scale import on_coco
from estimators.datasets.annotated_pixels import AnnotatedPixels
from estimators.export.cells import cell
from estimators.export.sinks import Sink, opened
from estimators.registry import get
from estimators.skeletons import COCO_17

PERSON_CATEGORY = 1
_LONGEST_NUMBER = 18  # digits of an int64, which is what COCO's tools hold ids in


@dataclass(frozen=True)
class ImageIds:
    """The COCO `image_id` of each file, and where they come from.

    Attributes:
        source: `annotations` (by the end of the path), `file name` (the number in it), `running`
            (1, 2, … in the order of the files) or `frame index` (the frames of one clip).
        pixels: of files that were annotated in other pixels than those of the upright picture.
        notes: what a person must know about them; whole sentences.
    """

    by_file: Mapping[str, int]
    source: Literal["annotations", "file name", "running", "frame index"]
    pixels: Mapping[str, AnnotatedPixels] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def image_id(self, file: str, frame_index: int) -> int:
        """The id of a picture, or of one frame of a clip; KeyError for a file not in the table."""
        return frame_index if self.source == "frame index" else self.by_file[file]

    def table(self) -> str:
        """CSV of `image_id` and `file`, to be kept beside results with running numbers."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["image_id", "file"])
        writer.writerows((number, cell(file)) for file, number in self.by_file.items())
        return text.getvalue()


CLIP_IDS = ImageIds({}, "frame index")


def image_ids(files: Sequence[str]) -> ImageIds:
    """The `image_id` of each file name: the number in it, or 1, 2, 3, … in their order.

    The number is the last one (`000000000785.jpg` is 785); it counts when all names have one and no
    two the same.
    """
    found = [re.findall(r"[0-9]+", Path(file).stem) for file in files]
    numbers = [int(f[-1]) for f in found if f and len(f[-1]) <= _LONGEST_NUMBER]
    if len(numbers) == len(files) and max(Counter(numbers).values(), default=1) == 1:
        return ImageIds(dict(zip(files, numbers, strict=True)), "file name")
    return ImageIds({file: i for i, file in enumerate(dict.fromkeys(files), 1)}, "running")


def coco_results(estimates: Iterable[ClipEstimates], ids: ImageIds) -> list[dict[str, Any]]:
    """One result a person: every person the model returned, no threshold applied.

    Each has `image_id`, `category_id` 1, `keypoints` (51 numbers: x, y, v of COCO's 17 joints in
    COCO's pixel indices, of the picture as it was annotated; v is 1, or 0 with x = y = 0 where the
    model gives no position) and `score` (the model's pose score, else the mean of its joint
    scores).  COCO ignores further keys: `keypoint_scores` (17, the model's own scale), and for
    clips `frame_index` and `time_s`.
    There is no `bbox`: `loadRes` would take the people for box detections.
    """
    results = []
    for e in estimates:
        keypoints = _keypoints(e, ids.pixels.get(e.file))
        scores = person_scores(e)
        joint_scores = _coco_scores(e)
        for i, row in enumerate(e.frame_of.tolist()):
            frame_index = int(e.frame_index[row])
            result = {
                "image_id": ids.image_id(e.file, frame_index),
                "category_id": PERSON_CATEGORY,
                "keypoints": keypoints[i].ravel().tolist(),
                "score": float(scores[i]),
                "keypoint_scores": joint_scores[i].tolist(),
            }
            if ids.source == "frame index":
                result |= {"frame_index": frame_index, "time_s": float(e.time_s[row])}
            results.append(result)
    return results


def write_coco(estimates: Iterable[ClipEstimates], ids: ImageIds, sink: Sink) -> None:
    """The list of `coco_results` of one model as JSON."""
    with opened(sink) as file:
        file.write(json.dumps(coco_results(estimates, ids), allow_nan=False).encode())


def _keypoints(e: ClipEstimates, pixels: AnnotatedPixels | None) -> NDArray[np.float64]:
    """[P, 17, 3]: x, y, v.

    COCO's annotators clicked pixels, and their keypoints are pixel indices: the centre of pixel
    (c, r) is (c, r), where ours is (c + 0.5, r + 0.5).  COCO's boxes have our origin.
    """
    xy = np.round(on_coco(e.xy, e.skeleton) - get(e.model).coco_shift_px, 3)
    if pixels is not None:
        # What is evaluated is rounded before: the same again would differ by another half step.
        xy = np.round(pixels.of(xy), 9)
    present = np.isfinite(xy).all(axis=-1, keepdims=True)
    return np.concatenate([np.where(present, xy, 0.0), present], axis=-1)


def person_scores(e: ClipEstimates) -> NDArray[np.float64]:
    """Float64 [P]: the model's pose score; where it has none, the mean of its joint scores."""
    mean = np.nan_to_num(e.score.astype(np.float64)).mean(axis=1)
    return np.where(np.isfinite(e.pose_score), e.pose_score, mean)


def _coco_scores(e: ClipEstimates) -> NDArray[np.float64]:
    have = e.skeleton.joints
    picked = [have.index(joint) if joint in have else -1 for joint in COCO_17.joints]
    score = np.nan_to_num(e.score[:, picked].astype(np.float64))
    score[:, [p < 0 for p in picked]] = 0.0
    return np.round(score, 5)
