"""What the models answered, picture by picture, ready to be held against the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.invented import CutCrop
from estimators.analysis.accuracy.protocol import box_of
from estimators.analysis.clip import ClipEstimates
from estimators.analysis.facts import Cost
from estimators.analysis.scale import coco_xy, joint_box
from estimators.annotated import AnnotatedImage, AnnotatedSet, Box
from estimators.devices import Placement
from estimators.registry import ModelSpec
from estimators.types import Estimate, PoseSet, Timings
from estimators.workflows.evaluate.asks import Ask, EvaluateSettings
from estimators.workflows.evaluate.run import Answer


@dataclass(frozen=True, eq=False)
class ModelAnswers:
    """One model over all pictures of `Evaluated.annotated`.

    Attributes:
        estimates: one a picture, in their order, named by `AnnotatedImage.file`; nothing is left
            out under any threshold.  In the protocol `crop` a picture has one person at most for
            each window.
        windows: in the protocol `crop`, each window and who is meant in it, one person or nobody.
        invented: each crop that cuts through a person, and who is meant there, likewise.
        failures: by file, why there is no answer (or none to one of its windows); such a picture
            counts as one in which nobody was found.
        cost: latency of a picture or window and memory, on this machine.
        known: answers that an earlier run had kept.
        placement: where the model computed; None where it gave no answer.
    """

    model: str
    estimates: tuple[ClipEstimates, ...]
    windows: tuple[tuple[Ask, PoseSet], ...] = ()
    invented: tuple[tuple[CutCrop, PoseSet], ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    cost: Cost = field(default_factory=Cost)
    known: int = 0
    placement: Placement | None = None


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What a run leaves, whether it came to its end or not.

    Attributes:
        annotated: the pictures that every one of `models` was asked about, and the people in them.
        settings: of the run.
        models: by key, those that answered anything.
        failed: by key, why a model gave no answer at all.
        unreadable: by file, why a picture cannot be read; no model is judged by it.
        unreached: files that were left when the run was stopped.
        notes: what else a person should know, whole sentences.
    """

    annotated: AnnotatedSet
    settings: EvaluateSettings
    models: Mapping[str, ModelAnswers]
    failed: Mapping[str, str] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    unreached: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Every model was asked about every picture that can be read."""
        return not self.unreached and set(self.models) | set(self.failed) == set(
            self.settings.models
        )


def of_picture(
    spec: ModelSpec, image: AnnotatedImage, answers: Sequence[Answer], settings: EvaluateSettings
) -> ClipEstimates:
    """The answers to the whole picture, or to the windows of its people, as one."""
    e = ClipEstimates(spec.key, spec.skeleton, image.file, (image.width, image.height))
    e.held_to = settings.held_to(spec.key)
    given = [answer for answer in answers if answer.estimate is not None]
    if answers and not given:
        e.append_failed(0, 0.0, answers[0].error)
        return e
    e.computed(given[0].placement if given else None)
    if settings.protocol == "whole" and given:
        answer = given[0]
        assert answer.estimate is not None
        e.append(replace(answer.estimate, frame_index=0, time_s=0.0), busy=answer.busy)
    else:
        e.append(_joined(spec, image, given), busy=any(answer.busy for answer in given))
    return e


def _joined(spec: ModelSpec, image: AnnotatedImage, given: Sequence[Answer]) -> Estimate:
    """One person a window, all in one estimate; its times are the windows' mean."""
    found = [poses for _, poses in in_windows(image, given)]
    times = [answer.estimate.timings_ms for answer in given if answer.estimate is not None]
    mean = Timings(
        float(np.mean([t.preprocess for t in times])) if times else np.nan,
        float(np.mean([t.inference for t in times])) if times else np.nan,
        float(np.mean([t.postprocess for t in times])) if times else np.nan,
    )
    return Estimate(_concatenated(spec, found), mean)


def in_windows(image: AnnotatedImage, answers: Iterable[Answer]) -> list[tuple[Ask, PoseSet]]:
    """Each window of the picture that was answered, with who is meant in it."""
    boxes = {person.annotation_id: box_of(person) for person in image.people}
    return [
        (answer.ask, nearest(answer.estimate.poses, boxes[answer.ask.person]))
        for answer in answers
        if answer.estimate is not None and answer.ask.person
    ]


def in_cuts(answers: Iterable[Answer]) -> list[tuple[CutCrop, PoseSet]]:
    """Each crop through a person that was answered, with who is meant in it."""
    found = []
    for answer in answers:
        cut, estimate = answer.ask.cut, answer.estimate
        if cut is not None and estimate is not None:
            low, high = np.array(cut.window[:2]), np.array(cut.window[2:])
            box = np.array(box_of(cut.person)).reshape(2, 2).clip(low, high).ravel().tolist()
            found.append((cut, nearest(estimate.poses, (box[0], box[1], box[2], box[3]))))
    return found


def nearest(poses: PoseSet, box: Box) -> PoseSet:
    """Who of those found in a window is meant: nobody, or one person.

    By position alone, so that a model gains nothing from the truth but the box it was given: the
    box around the person's joints overlaps most with the annotated one (intersection over union);
    where no box does, the one whose middle is nearest to its middle.
    """
    if not len(poses):
        return poses
    boxes = joint_box(coco_xy(poses))
    wanted: NDArray[np.float64] = np.array(box, np.float64)
    overlap = _overlap(boxes, wanted)
    away = np.linalg.norm(_middle(boxes) - _middle(wanted), axis=-1)
    away = np.where(np.isfinite(away), away, np.inf)
    best = int(np.lexsort((away, -overlap))[0])
    return poses.select(np.array([best]))


def _middle(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    middle: NDArray[np.float64] = (boxes[..., :2] + boxes[..., 2:]) / 2
    return middle


def _overlap(boxes: NDArray[np.float64], box: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    both = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1) + np.prod(box[2:] - box[:2])
    found: NDArray[np.float64] = np.nan_to_num(both / np.maximum(areas - both, 1e-9))
    return found


def _concatenated(spec: ModelSpec, found: Sequence[PoseSet]) -> PoseSet:
    people = [poses for poses in found if len(poses)]
    if not people:
        return PoseSet.empty(spec.skeleton)

    def joined(name: str) -> Any:
        arrays = [getattr(poses, name) for poses in people]
        return None if any(array is None for array in arrays) else np.concatenate(arrays)

    names = ("xy", "score", "pose_score", "box_xyxy")
    return PoseSet(spec.skeleton, **{name: joined(name) for name in names})


def failures(answers: Iterable[Answer]) -> dict[str, str]:
    """By file, the first reason why a model did not answer about it."""
    found: dict[str, str] = {}
    for answer in answers:
        if answer.estimate is None and not answer.unreadable:
            found.setdefault(answer.ask.image.file, answer.error)
    return found
