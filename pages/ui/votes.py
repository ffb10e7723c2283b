"""Blind vote: two answers without names, and which of them is better."""

from __future__ import annotations

import hashlib
from itertools import combinations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from estimators.analysis.matching import oks_matrix
from estimators.analysis.votes import Vote, in_words
from estimators.skeletons import COCO_17
from estimators.types import PoseSet
from pages.ui.tabs import page_too
from pages.ui.truth import Scene
from pages.ui.viewer.panels import Layer, Panel
from pages.ui.viewer.picture import Command, picture_viewer

_VOTES = "blind_votes"
# Neither blue, orange nor green: no colour tells which model it is.
_INK = "#7C5CFF"
_NAMES = ("A", "B")
_AROUND = 0.25
_Ballot = tuple[int, str, str]


def votes() -> list[Vote]:
    """All votes of this session."""
    kept: list[Vote] = st.session_state.setdefault(_VOTES, [])
    return kept


def blind_vote(scene: Scene, come: int = 0) -> None:
    """The most disputed person that was not voted on, as two models see them, without names.

    Args:
        come: where it is a new number, the page scrolls to the pictures.
    """
    left = _open(scene)
    if left:
        _ballot(scene, left[0], come)
    else:
        st.info(_why_none(scene), icon=":material/how_to_vote:")
    lines = in_words(votes(), list(scene.shown))
    if lines:
        st.markdown("\n".join(f"- {line}" for line in lines))


def _why_none(scene: Scene) -> str:
    """Why there is no ballot, and what to do about it."""
    if len(scene.shown) < 2:
        return "A vote needs two answers to choose from: add a model."
    what = "picture" if scene.frame_index is None else "frame"
    if any(len(models) > 1 for models in scene.members.values()):
        return f"There is nothing left to vote on in this {what}: take another one, or add a model."
    return (
        f"A vote needs a person whom two models see, and this {what} has none: take another one, "
        "or add a model."
    )


def _vote(vote: Vote) -> None:
    votes().append(vote)
    page_too()


def _open(scene: Scene) -> list[_Ballot]:
    """(person, model, model) that nobody voted on, those who differ most first."""
    done = {(vote.place, frozenset(vote.models)) for vote in votes()}
    found = []
    for person, members in scene.members.items():
        for a, b in combinations(members, 2):
            if (_place(scene, person), frozenset((a, b))) not in done:
                found.append((_similarity(scene, person, (a, b)), person, a, b))
    return [(person, a, b) for _, person, a, b in sorted(found)]


def _similarity(scene: Scene, person: int, models: tuple[str, str]) -> float:
    members = scene.members[person]
    one, other = (scene.shown[model].select([members[model]]) for model in models)
    return float(np.nan_to_num(oks_matrix(one, other)[0, 0]))


def _place(scene: Scene, person: int) -> str:
    frame = "" if scene.frame_index is None else f":{scene.frame_index}"
    return f"{scene.digest}{frame}:{person}"


def _ballot(scene: Scene, ballot: _Ballot, come: int) -> None:
    person, *models = ballot
    place = _place(scene, person)
    # The same two are not always in the same order, and the order tells nothing.
    if hashlib.sha256(f"{place}{models}".encode()).digest()[0] % 2:
        models.reverse()
    layers = [
        _layer(scene, person, model, name) for model, name in zip(models, _NAMES, strict=True)
    ]
    apart, box = _disputed(*(layer.poses.xy[0] for layer in layers))
    st.markdown(f"**Person {person}: which is better?** They differ most at the {apart}.")
    pair = (models[0], models[1])
    # Above the pictures: on a phone these take the finger that would scroll the page.
    with st.container(horizontal=True):
        for name, winner in (*zip(_NAMES, models, strict=True), ("Neither", None)):
            st.button(
                f"{name} is better" if winner else "Neither",
                key=f"vote_{name}",
                on_click=_vote,
                args=(Vote(pair, winner, place),),
            )
    panels = [Panel(layer.title, "", [layer], _INK) for layer in layers]
    with st.container(key="ballot"):
        command = Command(None, (f"{place}{ballot}", box), come)
        picture_viewer("ballot_pictures", scene.picture, panels, None, command)


def _layer(scene: Scene, person: int, model: str, name: str) -> Layer:
    """One person on the joints that all models share, without scores that would give it away."""
    row = scene.members[person][model]
    pose = scene.shown[model].select([row]).to_skeleton(COCO_17)
    bare = PoseSet(COCO_17, pose.xy, np.where(np.isfinite(pose.xy[..., 0]), 1.0, 0.0))
    return Layer(f"ballot_{name}", name, _INK, bare, "confidence", 0.0)


def _disputed(
    one: NDArray[np.float32], other: NDArray[np.float32]
) -> tuple[str, tuple[float, float, float, float]]:
    """The joint on which two poses [17, 2] differ most, and what the pictures zoom to.

    That is the joints that lie at least half as far apart, with a quarter of the person around.
    """
    both = np.stack([one, other])
    apart = np.nan_to_num(np.linalg.norm(one - other, axis=-1), nan=-1.0)
    chosen = both[:, apart >= max(apart.max(), 0.0) / 2].reshape(-1, 2)
    near = chosen if np.isfinite(chosen).all(axis=-1).any() else both.reshape(-1, 2)
    size = np.nanmax(both, axis=(0, 1)) - np.nanmin(both, axis=(0, 1))
    room = _AROUND * float(size.max())
    left, top = (np.nanmin(near, axis=0) - room).tolist()
    right, bottom = (np.nanmax(near, axis=0) + room).tolist()
    name = COCO_17.joints[int(apart.argmax())].replace("_", " ")
    return name, (left, top, right, bottom)
