"""Predictions as a whole COCO dataset, which annotation tools import so that people correct it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from estimators.analysis.clip import ClipEstimates
from estimators.analysis.scale import on_coco
from estimators.analysis.thresholds import ShownClip, Thresholds
from estimators.annotated import HIDDEN, NOT_LABELLED, VISIBLE, AnnotatedImage, AnnotatedPerson
from estimators.datasets.coco import to_coco
from estimators.datasets.people import SHIFT_PX
from estimators.export.coco import ImageIds, person_scores
from estimators.export.sinks import Sink, opened
from estimators.registry import get


def coco_dataset(
    estimates: Iterable[ClipEstimates], ids: ImageIds, thresholds: Thresholds
) -> dict[str, Any]:
    """What one model found in pictures, or in a clip's frames, as a COCO keypoints dataset.

    Everybody who is found at the thresholds is an annotation with a `score`.  Joints at or over the
    threshold have v = 2; the others, which are to be looked at first, v = 1; joints outside of the
    picture v = 0.  Positions, width and height are those of the upright picture.  Pictures keep
    their `image_id`; frames count from 1 and are called `frame_000012.png`, as CVAT and FFmpeg can
    call them.  Pictures and frames without an answer are left out.
    """
    images, scores, models = [], [], []
    for e in estimates:
        models.append(e.model)
        for image, people in _images(e, ids, thresholds):
            images.append(image)
            scores += people
    dataset = to_coco(images)
    for annotation, score in zip(dataset["annotations"], scores, strict=True):
        annotation |= {"score": score, "segmentation": []}
    for entry in dataset["images"]:
        del entry["sha256"]
    return {"info": _info(models), "licenses": []} | dataset


def write_coco_dataset(
    estimates: Iterable[ClipEstimates], ids: ImageIds, thresholds: Thresholds, sink: Sink
) -> None:
    """`coco_dataset` as JSON."""
    with opened(sink) as file:
        file.write(json.dumps(coco_dataset(estimates, ids, thresholds), allow_nan=False).encode())


def _images(
    e: ClipEstimates, ids: ImageIds, thresholds: Thresholds
) -> Iterator[tuple[AnnotatedImage, list[float]]]:
    """Each answered frame with its people, and their scores."""
    found = ShownClip.of(e, thresholds)
    everything = on_coco(e.xy[found.rows], e.skeleton)
    scores = person_scores(e)[found.rows]
    width, height = e.size
    inside = ((everything >= 0) & (everything <= (width, height))).all(axis=-1)
    flags = np.where(np.isfinite(found.xy).all(axis=-1), VISIBLE, HIDDEN)
    flags[~inside] = NOT_LABELLED
    # COCO's pixels, which some models' answers are in already.
    xy = everything - get(e.model).coco_shift_px + SHIFT_PX
    boxes = None if e.box_xyxy is None else e.box_xyxy[found.rows].astype(float)
    for row in np.flatnonzero(~e.failed).tolist():
        people = [
            i
            for i in range(found.offsets[row], found.offsets[row + 1])
            if flags[i].any()  # who is outside of the picture altogether cannot be marked
        ]
        index = int(e.frame_index[row])
        frame = ids.source == "frame index"
        image = AnnotatedImage(
            f"frame_{index:06d}.png" if frame else e.file,
            width,
            height,
            tuple(
                AnnotatedPerson(xy[i], flags[i], None if boxes is None else _box(boxes[i]))
                for i in people
            ),
            frame_index=index if frame else None,
            image_id=0 if frame else ids.image_id(e.file, index),
        )
        yield image, [round(float(scores[i]), 5) for i in people]


def _box(box: Any) -> tuple[float, float, float, float] | None:
    """The model's own, None where it is none."""
    left, top, right, bottom = (float(side) for side in box)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _info(models: list[str]) -> dict[str, Any]:
    titles = ", ".join(get(model).title for model in dict.fromkeys(models))
    now = datetime.now(UTC)
    return {
        "description": f"Poses that {titles} found, to be corrected: predictions, no truth",
        "version": "1",
        "year": now.year,
        "contributor": ", ".join(dict.fromkeys(models)),
        "date_created": now.isoformat(timespec="seconds"),
    }
