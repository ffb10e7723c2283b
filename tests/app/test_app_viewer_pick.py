"""A joint that was picked belongs to the picture it was picked on."""

from __future__ import annotations

import pytest

from estimators.skeletons import COCO_17
from estimators.types import PoseSet
from pages.ui.viewer import picture
from pages.ui.viewer.panels import JointRef, Layer, Panel

PANEL = Panel("M", layers=[Layer("m", "M", "#0072B2", PoseSet.empty(COCO_17), "confidence", 0.3)])
NOSE = {"model": "m", "person": 1, "joint": "nose"}


@pytest.mark.parametrize(
    ("told", "picked"),
    [
        ({**NOSE, "picture": "this"}, JointRef("m", 1, "nose")),
        ({**NOSE, "picture": "another"}, None),
        (NOSE, None),
        (None, None),
    ],
)
def test_a_pick_on_another_picture_is_over(told: object, picked: JointRef | None) -> None:
    assert picture._picked(told, "this", [PANEL]) == picked
