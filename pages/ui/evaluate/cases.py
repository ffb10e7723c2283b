"""The pictures behind a number, worst first: truth and what a model says, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from estimators.analysis.accuracy.cases import (
    NOBODY,
    Case,
    invented_people,
    joint_cases,
    kind_cases,
    missed_people,
    score_cases,
    slice_cases,
)
from estimators.analysis.accuracy.consensus import CONSENSUS
from estimators.analysis.accuracy.corrected import BACKGROUND, MISSED, SCORE
from estimators.analysis.accuracy.kinds import KINDS
from estimators.analysis.accuracy.slices import GROUPS
from estimators.analysis.scale import joint_box
from estimators.annotated import VISIBLE, AnnotatedImage
from estimators.errors import InputError
from estimators.registry import MODELS
from estimators.skeletons import COCO_17
from estimators.types import PoseSet
from estimators.workflows.evaluate.measure import picture_cases
from estimators.workflows.evaluate.pictures import SetPictures
from pages.ui.drawing import view_options
from pages.ui.evaluate.charts import PICTURES, SCORES
from pages.ui.evaluate.found import Found
from pages.ui.server.files import folder
from pages.ui.settings import Settings
from pages.ui.tabs import page_too
from pages.ui.text import escaped, said
from pages.ui.viewer.panels import JointRef, Layer, Panel, Pick
from pages.ui.viewer.picture import Command, StagePicture, picture_viewer, write_stage_file

TRUTH_COLOUR = "#FFFFFF"  # no model's; the viewer gives it a dark rim
_LOOK, _PLACE = "evaluate_look", "evaluate_place"
_TRUTH = "truth"
_TRUTH_LEGEND = (
    '<div style="font-weight:600"><span aria-hidden="true" style="display:inline-block;width:.75em;'
    f"height:.75em;border-radius:50%;background:{TRUTH_COLOUR};border:1px solid #5A6472;"
    'margin-right:.45em"></span>Truth</div>'
)
_ANYBODY = 100  # people who are nobody annotated are numbered from here


@dataclass(frozen=True)
class Look:
    """What somebody wants to see: a model, and a kind of mistake, a joint or a part of the set."""

    model: str
    what: str
    group: str = ""


def look_at(model: str, what: str, group: str = "") -> None:
    """Shows the pictures of these, the worst first.

    Args:
        what: one of `KINDS`, a joint, `MISSED`, `BACKGROUND`, `PICTURES`, a part's name, or the
            lowest and highest score.
        group: of `slices.GROUPS`, or `SCORES`.
    """
    # What a wrong ranking is: somebody who is nobody before somebody who is there.
    what = BACKGROUND if what == SCORE else what
    st.session_state[_LOOK] = Look(model, what, group)
    st.session_state[_PLACE] = 0
    page_too()


def look_at_picture(found: Found, model: str, file: str, joint: str) -> None:
    """Shows one picture by a joint of it, or by the people in it."""
    what = joint if joint in COCO_17.joints else "miss"
    look_at(model, what)
    listed = _cases(found, Look(model, what))
    places = [n for n, case in enumerate(listed) if found.image(case.image_id).file == file]
    st.session_state[_PLACE] = places[0] if places else 0


def cases(found: Found, settings: Settings) -> None:
    """Choice of a number and the pictures behind it, one after the other."""
    look = _look(found)
    listed = _cases(found, look)
    st.header("Pictures behind the numbers", anchor=False)
    _choose(found, look)
    if not listed:
        st.info("There is none of these.", icon=":material/check:")
        return
    place = min(st.session_state.get(_PLACE, 0), len(listed) - 1)
    with st.container(horizontal=True, vertical_alignment="center", key="evaluate_steps"):
        st.html(_TRUTH_LEGEND, width="content")
        st.button(
            "Previous",
            icon=":material/chevron_left:",
            key="evaluate_before",
            disabled=place == 0,
            on_click=_step,
            args=(place - 1,),
            shortcut="P",
        )
        st.button(
            "Next",
            icon=":material/chevron_right:",
            key="evaluate_next",
            disabled=place + 1 == len(listed),
            on_click=_step,
            args=(place + 1,),
            shortcut="N",
        )
        st.markdown(_in_words(found, listed[place], place, len(listed)), width="content")
    _picture(found, settings, look.model, listed[place])
    st.caption(
        "Quality of a picture: the sum of OKS of people found over those annotated and those found "
        "who are nobody. KS (keypoint similarity) is 1 where a joint is exactly right, 0.5 "
        "where it is roughly there. The keys N and P step through the pictures."
    )


def _look(found: Found) -> Look:
    look: Look | None = st.session_state.get(_LOOK)
    if look is None or look.model not in found.models:
        look = Look(next(iter(found.models)), PICTURES)
    return look


def _choose(found: Found, look: Look) -> None:
    """The same choice as by a click on a bar, for the keyboard."""
    whats = [PICTURES, *KINDS[::-1], MISSED, BACKGROUND, *COCO_17.joints]
    whats += [f"{group}/{name}" for group, names in GROUPS.items() for name in names]
    what = f"{look.group}/{look.what}" if look.group else look.what
    whats += [what] if look.group == SCORES else []
    models = list(found.models)
    left, right = st.columns(2)
    # Not remembered by Streamlit under a key: a click on a bar sets them as well.
    model = left.selectbox(
        "Model", models, models.index(look.model), lambda m: found.models[m].title
    )
    chosen = right.selectbox("What", whats, whats.index(what), _named)
    if (model, chosen) != (look.model, what):
        group, _, name = chosen.rpartition("/")
        look_at(model, name, group)
        st.rerun()


def _named(what: str) -> str:
    group, _, name = what.rpartition("/")
    words = {
        **{kind: f"joints: {kind}" for kind in KINDS},
        MISSED: "people who are missed",
        BACKGROUND: "people who are nobody annotated",
        PICTURES: "whole pictures",
    }
    if group == SCORES:
        low, high = map(float, name.split())
        return f"joints with scores from {low:.2f} to {high:.2f}"
    if group:
        return f"part of the set: {group} {name}"
    return words.get(what, f"joint: {what.replace('_', ' ')}")


def _cases(found: Found, look: Look) -> Sequence[Case]:
    evaluation = found.evaluation
    if look.what == PICTURES:
        return picture_cases(found.measured, look.model)
    if look.group == SCORES:
        low, high = map(float, look.what.split())
        return score_cases(evaluation, look.model, low, high)
    if look.group:
        parts = {(s.group, s.name) for s in found.models[look.model].accuracy.slices}
        known = (look.group, look.what) in parts
        return slice_cases(evaluation, look.model, look.group, look.what) if known else []
    if look.what == MISSED:
        return missed_people(evaluation, look.model)
    if look.what == BACKGROUND:
        return invented_people(evaluation, look.model)
    if look.what in KINDS:
        return kind_cases(evaluation, look.model, look.what)
    return joint_cases(evaluation, look.model, look.what)


def _step(place: int) -> None:
    st.session_state[_PLACE] = place


def _in_words(found: Found, case: Case, place: int, total: int) -> str:
    image = found.image(case.image_id)
    about = [f"Case **{place + 1:,}** of {total:,}", escaped(image.file)]
    if case.joint:
        about.append(f"{case.joint.replace('_', ' ')}, KS {case.similarity:.2f}")
    elif case.person == case.prediction == NOBODY:
        about.append(f"quality {case.similarity:.2f}")
    elif case.person == NOBODY:
        about.append(f"score {case.similarity:.2f}")
    elif case.prediction != NOBODY:
        about.append(f"mean KS {case.similarity:.2f}")
    return " · ".join(about)


def _picture(found: Found, settings: Settings, model: str, case: Case) -> None:
    image = found.image(case.image_id)
    try:
        picture = _stage_picture(image)
    except InputError as error:
        st.error(said(error), icon=":material/broken_image:")
        return
    truth = _truth_layer(image)
    panels = []
    # The one that is asked about first, the others beside it.
    for key in (model, *(m for m in found.models if m not in (model, CONSENSUS))):
        shown = found.models[key]
        layers = [truth, _model_layer(found, settings, key, case)]
        panels.append(Panel(shown.title, "", layers, shown.colour, variant=shown.variant))
    with st.container(key="evaluate_picture"):
        command = _command(found, case, model, panels[0].layers[1])
        picture_viewer("evaluate", picture, panels, view_options(settings), command)


def _command(found: Found, case: Case, model: str, layer: Layer) -> Command:
    """Picks the joint, and zooms to the person with some room around."""
    seq = hash((case, model, st.session_state.get(_LOOK))) & 0x7FFFFFFF
    pick = None
    if case.joint:
        person = case.person + 1
        key = model if person in (layer.person_ids or ()) else _TRUTH
        pick = Pick(JointRef(key, person, case.joint), seq)
    image = found.image(case.image_id)
    if case.person == case.prediction == NOBODY:
        return Command(focus=(str(seq), (0.0, 0.0, float(image.width), float(image.height))))
    if case.person != NOBODY:
        box = joint_box(image.people[case.person].xy)
    else:
        box = joint_box(found.evaluation.tables[model].predictions.xy[case.prediction])
    if not np.isfinite(box).all():
        return Command(pick)
    room = 0.35 * float(max(box[2] - box[0], box[3] - box[1]))
    left, top, right, bottom = (box + np.array([-room, -room, room, room])).tolist()
    return Command(pick, (str(seq), (left, top, right, bottom)))


def _truth_layer(image: AnnotatedImage) -> Layer:
    people = [(n, p) for n, p in enumerate(image.people) if p.labelled.any()]
    xy = np.stack([p.xy for _, p in people]) if people else np.zeros((0, len(COCO_17), 2))
    seen = [np.where(p.visibility == VISIBLE, 1.0, 0.5) for _, p in people]
    score = np.stack(seen) if people else np.zeros((0, len(COCO_17)))
    poses = PoseSet(
        COCO_17,
        xy.astype(np.float32),
        np.where(np.isfinite(xy[..., 0]), score, 0.0).astype(np.float32),
        np.ones(len(people), np.float32),
    )
    ids = [n + 1 for n, _ in people]
    return Layer(_TRUTH, "Truth", TRUTH_COLOUR, poses, "confidence", 0.25, ids)


def _model_layer(found: Found, settings: Settings, model: str, case: Case) -> Layer:
    """Whom the model shows there over its threshold, and whoever the case is about."""
    tables = found.evaluation.tables[model]
    people, kinds = tables.predictions, tables.kinds
    pictures = [image.image_id for image in found.evaluation.truth.pictures]
    there = np.flatnonzero(people.picture == pictures.index(case.image_id))
    spec = MODELS.get(model)
    least = settings.pose_threshold(model) if spec is not None else 0.0
    there = there[(people.score[there] >= least) | (there == case.prediction)]
    numbers = {
        int(kinds.found[g]): int(found.evaluation.truth.person[g]) + 1
        for g in np.flatnonzero(kinds.found >= 0)
    }
    if case.prediction != NOBODY and case.person != NOBODY:
        numbers[case.prediction] = case.person + 1
    ids = [numbers.get(int(d), _ANYBODY + n) for n, d in enumerate(there)]
    poses = PoseSet(
        COCO_17,
        people.xy[there].astype(np.float32),
        np.nan_to_num(people.joint_score[there], nan=1.0).astype(np.float32),
        people.score[there].astype(np.float32),
    )
    shown = found.models[model]
    kind = spec.score_kind if spec is not None else "confidence"
    threshold = settings.joint_threshold(model) if spec is not None else 0.0
    own = Layer(model, shown.title, shown.colour, poses, kind, threshold, ids)
    return replace(own, variant=shown.variant)


def _stage_picture(image: AnnotatedImage) -> StagePicture:
    pictures = SetPictures(kept_bytes=0)
    digest = pictures.digest(image)
    file = folder() / f"{digest[:16]}.stage.jpg"
    if not file.is_file():
        write_stage_file(pictures.frame(image).image, file)
    return StagePicture(file, digest, (image.width, image.height))
