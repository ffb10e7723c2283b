"""Settle it yourself: mark where the joints really are, and see which model is nearest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.uploaded_file_manager import UploadedFile

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
from estimators.datasets.coco import to_coco
from estimators.datasets.in_children import read_marks
from estimators.errors import InputError
from estimators.numerals import counted
from estimators.registry import MODELS
from estimators.types import PoseSet
from pages.ui.columns import explained
from pages.ui.server.files import arrived_anew, content_of, next_key
from pages.ui.tabs import page_too
from pages.ui.text import escaped, said
from pages.ui.viewer.marker import Marking, Marks, Start, marker
from pages.ui.viewer.panels import Layer
from pages.ui.viewer.picture import StagePicture

if TYPE_CHECKING:
    import pandas as pd

_MARKS, _PICTURES, _WIDGET = "truth_marks", "truth_pictures", "truth_load"
_REFUSED = "truth_refused"
_MOST_ASKED = 10
_LARGEST_MB = 20


Key = tuple[str, int | None]
# What each model shows in a marked picture or frame, None where that is not known now.
ShownIn = Callable[[AnnotatedImage], Mapping[str, PoseSet] | None]


@dataclass(frozen=True, eq=False)
class Scene:
    """What can be marked: a picture, or a frame of a clip.

    Attributes:
        name, digest: of the file; the digest is its SHA-256.
        picture: as the browser is shown it.
        shown: what each model shows there, thresholds applied.
        members: of each person by number, its index in the set of every model that found it.
        layers: the models' poses as they are drawn.
        frame_index: None for a picture.
    """

    name: str
    digest: str
    picture: StagePicture
    shown: Mapping[str, PoseSet]
    members: Mapping[int, Mapping[str, int]]
    layers: Sequence[Layer]
    frame_index: int | None = None

    @property
    def key(self) -> Key:
        return self.digest, self.frame_index


def mark_truth(scene: Scene, shown_in: ShownIn, come: int = 0) -> bool:
    """The marker over the picture, what all marks of this file say, and how to keep them.

    Args:
        come: where it is a new number, the page scrolls to the marker.

    Returns:
        Whether something else is marked than when the page began: what it has said is out of date.
    """
    numbers = list(scene.members)
    disputed = most_disputed(scene.shown, list(scene.members.values()), _MOST_ASKED)
    asked = [(numbers[person], joint) for person, joint in disputed]
    starts = _starts(scene)
    before = _marks().get(scene.key)
    if before is None:
        before = Marks.open_from(starts[0], sorted({n for n, _ in asked}) or numbers[:1])
    marking = Marking(starts, asked, scene.layers, come)
    now = marker("truth", scene.picture, before, marking, partial(_taken, scene))
    anew = _take(scene, now)
    _findings(errors_of(scene.digest, shown_in))
    _keeping()
    return anew


def _taken(scene: Scene, now: Marks) -> None:
    """In the marker's callback: the verdict above has to know."""
    if _take(scene, now):
        page_too()


def _take(scene: Scene, now: Marks) -> bool:
    """What is marked in the scene, kept for this session; whether that is something else."""
    _marks()[scene.key] = now
    known = _pictures().get(scene.key)
    marked = _pictures()[scene.key] = AnnotatedImage(
        scene.name, *scene.picture.size, now.annotated(), scene.digest, scene.frame_index
    )
    return not _same(known, marked)


def _same(known: AnnotatedImage | None, marked: AnnotatedImage) -> bool:
    """Whether nothing else is marked than what was known."""
    before, now = known.people if known is not None else (), marked.people
    return len(before) == len(now) and all(
        np.array_equal(a.xy, b.xy, equal_nan=True) and np.array_equal(a.visibility, b.visibility)
        for a, b in zip(before, now, strict=True)
    )


def errors_of(digest: str, shown_in: ShownIn) -> TruthErrors | None:
    """How far every model is from what is marked in a file; None where nothing is."""
    pairs = [
        (image, shown)
        for (of, _), image in _pictures().items()
        if of == digest and image.keypoints and (shown := shown_in(image))
    ]
    return truth_errors(pairs) if pairs else None


def marked_on(digest: str) -> AnnotatedImage | None:
    """What is marked on a picture, by the SHA-256 of its file."""
    return _pictures().get((digest, None))


def marked_frames(digest: str) -> list[int]:
    """The frames of a clip in which something is marked."""
    found = [f for (of, f), i in _pictures().items() if of == digest and i.keypoints]
    return sorted(f for f in found if f is not None)


def _marks() -> dict[Key, Marks]:
    """For this session."""
    kept: dict[Key, Marks] = st.session_state.setdefault(_MARKS, {})
    return kept


def _pictures() -> dict[Key, AnnotatedImage]:
    kept: dict[Key, AnnotatedImage] = st.session_state.setdefault(_PICTURES, {})
    return kept


def _starts(scene: Scene) -> list[Start]:
    """The middle of all models first: it favours none of them."""
    xy = {model: coco_xy(poses) for model, poses in scene.shown.items()}
    found: dict[str, dict[int, NDArray[np.float64]]] = {model: {} for model in xy}
    middle = {}
    for number, members in scene.members.items():
        poses = {model: xy[model][i] for model, i in members.items()}
        middle[number] = median_over(np.stack(list(poses.values())))
        for model, pose in poses.items():
            found[model][number] = pose
    starts = [Start("middle", "the middle of all models", middle)]
    return starts + [Start(model, MODELS[model].title, found[model]) for model in xy]


def _findings(errors: TruthErrors | None) -> None:
    if errors is None or not errors.error:
        st.caption(
            "Click where each joint that is asked for really is, or drag it there. What you do not "
            "confirm does not count. The joints on which the models differ most come first: ten "
            "are often enough. Keys: Enter it is right, h hidden, x or a not in the picture, n "
            "next, p previous, u or Ctrl+Z undo, r or Ctrl+Y redo, arrows move the joint, Shift + "
            "arrows move the picture."
        )
        return
    st.markdown("\n".join(f"- {sentence}" for sentence in in_words(errors)))
    table = truth_table(errors)
    st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        key="truth_table",
        column_config=explained(
            table,
            {
                name: st.column_config.NumberColumn(format="%.2f")
                for name in ("median error, torsos", "OKS", "from", "to")
            },
        ),
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
        if refused := st.session_state.get(_REFUSED):
            st.error(said(refused), icon=":material/broken_image:")
        if images:
            marked = f"{counted(joints, 'joint')} on {counted(len(images), 'picture')}"
            st.caption(f"Marked: {marked}, kept until you leave.")


def _loader() -> None:
    st.file_uploader(
        "A COCO keypoints dataset of these pictures",
        ("json",),
        key=next_key(_WIDGET),
        max_upload_size=_LARGEST_MB,
        on_change=_load,
        args=(next_key(_WIDGET),),
    )


def _load(widget: str) -> None:
    for file in arrived_anew(_WIDGET, widget):
        page_too()
        _take_in(file)


def _take_in(file: UploadedFile) -> None:
    try:
        images = read_marks(content_of(file, _LARGEST_MB), file.name)
    except InputError as error:
        st.session_state[_REFUSED] = str(error)
        return
    st.session_state.pop(_REFUSED, None)
    st.toast(escaped(_taken_over(images)))


def _taken_over(images: Sequence[AnnotatedImage]) -> str:
    """Keeps what was loaded, and says so."""
    nameless = [image for image in images if image.keypoints and not image.sha256]
    known = [image for image in images if image.keypoints and image.sha256]
    for image in known:
        _keep((image.sha256, image.frame_index), image)
    if nameless:
        return (
            f"Marks are loaded of {counted(len(known), 'picture')}, not of {len(nameless)} without "
            "sha256: it is unknown which pictures those belong to."
        )
    return f"Marks are loaded of {counted(len(known), 'picture')}."


def _keep(key: Key, image: AnnotatedImage) -> None:
    before = _marks().get(key)
    _marks()[key] = Marks.of(image.people, before.revision + 1 if before else 1)
    _pictures()[key] = image
