"""The pictures behind a number: who and which joint, the worst first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.accuracy.kinds import KINDS
from estimators.analysis.accuracy.report import Evaluation
from estimators.analysis.accuracy.slices import joints_of
from estimators.analysis.accuracy.trust import scores_of_people
from estimators.skeletons import COCO_17

NOBODY = -1


@dataclass(frozen=True)
class Case:
    """One joint, or one person, in one picture.

    Attributes:
        image_id: the picture.
        person: place in `AnnotatedImage.people`; -1 for somebody the model invented, or everybody.
        prediction: place in the model's results; -1 where it missed the person, or for everybody.
        joint: "" for the person as a whole.
        similarity: KS of the joint, mean KS of the person's joints, the score of somebody invented,
            or how good the model is on the whole picture.
    """

    image_id: int
    person: int
    prediction: int
    joint: str
    similarity: float


def kind_cases(evaluation: Evaluation, model: str, kind: str, joint: str = "") -> list[Case]:
    """Joints of one kind of mistake (`KINDS`), lowest KS first.

    Args:
        joint: of this joint alone, "" for all.
    """
    kinds = evaluation.tables[model].kinds
    wanted = kinds.kind == KINDS.index(kind)
    return _joints(evaluation, wanted & _only(joint), kinds.found, kinds.similarity)


def joint_cases(evaluation: Evaluation, model: str, joint: str) -> list[Case]:
    """Everybody of whom a joint is labelled, lowest KS first."""
    near = evaluation.tables[model].near
    return _joints(
        evaluation, evaluation.truth.labelled & _only(joint), near.found, near.similarity
    )


def score_cases(evaluation: Evaluation, model: str, low: float, high: float) -> list[Case]:
    """Labelled joints of people found whose score is one of a `trust.Bin`, lowest KS first."""
    tables = evaluation.tables[model]
    scores = scores_of_people(tables.predictions, tables.kinds)
    highest = evaluation.report.models[model].trust.reliability[-1].high
    inside = (scores >= low) & ((scores < high) | ((high == highest) & (scores == high)))
    kinds = tables.kinds
    return _joints(evaluation, (kinds.kind >= 0) & inside, kinds.found, kinds.similarity)


def missed_people(evaluation: Evaluation, model: str) -> list[Case]:
    """Annotated people whom the model does not find, the largest first."""
    truth, found = evaluation.truth, evaluation.tables[model].kinds.found
    missed = np.flatnonzero(found == NOBODY)
    return [
        Case(_image(evaluation, truth.picture[g]), int(truth.person[g]), NOBODY, "", 0.0)
        for g in missed[np.argsort(-truth.area[missed], kind="stable")]
    ]


def invented_people(evaluation: Evaluation, model: str) -> list[Case]:
    """People whom the model finds where nobody is annotated, the best scored first."""
    tables = evaluation.tables[model]
    people = tables.predictions
    nobody = np.flatnonzero(tables.kinds.nobody)
    return [
        Case(_image(evaluation, people.picture[d]), NOBODY, int(d), "", float(people.score[d]))
        for d in nobody[np.argsort(-people.score[nobody], kind="stable")]
    ]


def slice_cases(evaluation: Evaluation, model: str, group: str, name: str) -> list[Case]:
    """The people of one part of the set (`slices.GROUPS`), lowest mean KS first."""
    parts = {(g, n): joints for g, n, joints in joints_of(evaluation.truth)}
    joints, near = parts[group, name], evaluation.tables[model].near
    truth, people = evaluation.truth, np.flatnonzero(parts[group, name].any(axis=1))
    mean = [float(near.similarity[g, joints[g]].mean()) for g in people]
    return [
        Case(
            _image(evaluation, truth.picture[people[i]]),
            int(truth.person[people[i]]),
            int(near.found[people[i]]),
            "",
            mean[i],
        )
        for i in np.argsort(mean, kind="stable")
    ]


def _joints(
    evaluation: Evaluation,
    wanted: NDArray[np.bool_],
    found: NDArray[np.int64],
    similarity: NDArray[np.float64],
) -> list[Case]:
    truth = evaluation.truth
    people, joints = np.nonzero(wanted)
    order = np.argsort(similarity[people, joints], kind="stable")
    return [
        Case(
            _image(evaluation, truth.picture[g]),
            int(truth.person[g]),
            int(found[g]),
            COCO_17.joints[k],
            float(similarity[g, k]),
        )
        for g, k in zip(people[order], joints[order], strict=True)
    ]


def _only(joint: str) -> NDArray[np.bool_]:
    """Bool [17]: this joint; all for ""."""
    return np.array([not joint or name == joint for name in COCO_17.joints])


def _image(evaluation: Evaluation, picture: np.int64) -> int:
    return evaluation.truth.pictures[int(picture)].image_id
