"""Settle it yourself: mark where the joints really are, and see which model is nearest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from estimators.analysis.agreement import median_over
from estimators.analysis.scale import coco_xy
from estimators.analysis.truth import (
    TruthErrors,
    in_words,
    most_disputed,
    truth_errors,
    truth_scores,
)
from estimators.annotated import AnnotatedImage
from estimators.datasets.coco import from_coco, to_coco
from estimators.errors import InputError
from estimators.registry import MODELS
from pages.ui.server.files import content_of
from pages.ui.stage_picture import stage_picture
from pages.ui.text import escaped
from pages.ui.viewer.marker import Marking, Marks, Start, marker
from pages.ui.viewer.panels import Layer

if TYPE_CHECKING:
    import pandas as pd

    from pages.ui.comparison import Comparison

_MARKS, _PICTURES, _ROUND = "truth_marks", "truth_pictures", "truth_round"
_MOST_ASKED = 10
_LARGEST_MB = 20


def mark_truth(comparison: Comparison, layers: Sequence[Layer]) -> None:
    """The marker over the picture, what the marks say, and how to keep them."""
    picture = comparison.picture
    asked = most_disputed(comparison.shown, [g.members for g in comparison.groups], _MOST_ASKED)
    starts = _starts(comparison)
    before = _marks().get(picture.digest)
    if before is None:
        numbers = sorted({person + 1 for person, _ in asked}) or list(starts[0].people)[:1]
        before = Marks.open_from(starts[0], numbers)
    marking = Marking(starts, [(person + 1, joint) for person, joint in asked], layers)
    now = marker("truth", stage_picture(picture), before, marking)
    _marks()[picture.digest] = now
    _pictures()[picture.digest] = _image(comparison, now)
    _findings(comparison)
    _keeping()


def marked(comparison: Comparison) -> AnnotatedImage | None:
    """What is marked on this picture, None where nothing is."""
    image = _pictures().get(comparison.picture.digest)
    return image if image is not None and image.keypoints else None


def errors_of(comparison: Comparison) -> TruthErrors | None:
    """How far every model is from what is marked on this picture; None where nothing is."""
    image = marked(comparison)
    return None if image is None else truth_errors([(image, comparison.shown)])


def _marks() -> dict[str, Marks]:
    """By the picture's SHA-256, for this session."""
    kept: dict[str, Marks] = st.session_state.setdefault(_MARKS, {})
    return kept


def _pictures() -> dict[str, AnnotatedImage]:
    kept: dict[str, AnnotatedImage] = st.session_state.setdefault(_PICTURES, {})
    return kept


def _image(comparison: Comparison, marks: Marks) -> AnnotatedImage:
    picture = comparison.picture
    return AnnotatedImage(picture.name, *picture.size, marks.annotated(), picture.digest)


def _starts(comparison: Comparison) -> list[Start]:
    """The middle of all models first: it favours none of them."""
    people = comparison.shown
    xy = {model: coco_xy(poses) for model, poses in people.items()}
    found: dict[str, dict[int, NDArray[np.float64]]] = {model: {} for model in people}
    middle = {}
    for number, group in enumerate(comparison.groups, 1):
        poses = {model: xy[model][i] for model, i in group.members.items()}
        middle[number] = median_over(np.stack(list(poses.values())))
        for model, pose in poses.items():
            found[model][number] = pose
    starts = [Start("middle", "the middle of all models", middle)]
    return starts + [Start(model, MODELS[model].title, found[model]) for model in people]


def _findings(comparison: Comparison) -> None:
    errors = errors_of(comparison)
    if errors is None or not errors.error:
        st.caption(
            "Click where each joint that is asked for really is, or drag it there. What you do not "
            "confirm does not count. The joints on which the models differ most come first: ten "
            "are often enough. Keys: Enter it is right, h hidden, x not in the picture, n next, "
            "p previous, u undo, r redo, arrows move the joint, Shift + arrows move the picture."
        )
        return
    st.markdown("\n".join(f"- {sentence}" for sentence in in_words(errors)))
    st.dataframe(
        truth_table(errors),
        hide_index=True,
        placeholder="–",
        key="truth_table",
        column_config={
            name: st.column_config.NumberColumn(format="%.2f")
            for name in ("median error, torsos", "OKS", "from", "to")
        },
        alt="How near each model is to the marked joints",
    )
    st.caption(
        "OKS: COCO's similarity of each marked joint, in the mean; a joint that a model does not "
        "show counts 0. From, to: 95 % interval over the marked joints (over the people where five "
        "or more are marked). The joints asked first are those on which models differ, so this "
        "tells the models apart; it is no measure of how good they are on everything."
    )


def truth_table(errors: TruthErrors) -> pd.DataFrame:
    """One row a model, the nearest first."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "model": MODELS[score.model].title,
                "joints shown": f"{score.found} of {score.keypoints}",
                "nearest on": score.nearest,
                "median error, torsos": score.median_error,
                "OKS": score.oks,
                "from": score.low,
                "to": score.high,
            }
            for score in truth_scores(errors)
        ]
    )


def _keeping() -> None:
    """Save what was marked on all pictures of the session, or load it again."""
    images = [image for image in _pictures().values() if image.keypoints]
    joints = sum(image.keypoints for image in images)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Save the marks",
            lambda: json.dumps(to_coco(images), indent=1).encode(),
            "truth.coco.json",
            "application/json",
            key="truth_save",
            on_click="ignore",
            icon=":material/save:",
            disabled=not images,
            help="A COCO keypoints dataset, which annotation tools import",
        )
        with st.popover("Load marks", icon=":material/upload_file:"):
            _loader()
        if images:
            some = "1 picture" if len(images) == 1 else f"{len(images)} pictures"
            st.caption(f"{joints} joints on {some} are marked; they stay until you leave.")


def _loader() -> None:
    st.file_uploader(
        "A COCO keypoints dataset of these pictures",
        ("json",),
        key=f"truth_load_{st.session_state.setdefault(_ROUND, 0)}",
        max_upload_size=_LARGEST_MB,
        on_change=_load,
    )


def _load() -> None:
    file = st.session_state[f"truth_load_{st.session_state[_ROUND]}"]
    if file is None:
        return
    st.session_state[_ROUND] += 1
    try:
        images = from_coco(content_of(file, _LARGEST_MB), file.name)
    except InputError as error:
        st.error(escaped(str(error)), icon=":material/broken_image:")
        return
    st.toast(escaped(_taken_over(images)))


def _taken_over(images: Sequence[AnnotatedImage]) -> str:
    """Keeps what was loaded, and says so."""
    nameless = [image for image in images if image.keypoints and not image.sha256]
    known = {image.sha256: image for image in images if image.keypoints and image.sha256}
    for digest, image in known.items():
        _keep(digest, image)
    if nameless:
        return (
            f"{len(known)} pictures' marks are loaded; {len(nameless)} have no sha256, so that "
            "it is unknown which pictures they belong to."
        )
    return f"The marks of {len(known)} pictures are loaded."


def _keep(digest: str, image: AnnotatedImage) -> None:
    marks: Mapping[str, Marks] = _marks()
    revision = marks[digest].revision + 1 if digest in marks else 1
    _marks()[digest] = Marks.of(image.people, revision)
    _pictures()[digest] = image
