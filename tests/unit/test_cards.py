"""Model cards: what is said once holds for every variant, and what cannot be used is told."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from estimators import weights
from estimators.cards import FOLDER, read_card, read_cards
from estimators.errors import InputError
from estimators.registry import DEFAULT_MODELS, FAMILIES, MODELS, STAND_IN
from estimators.render.style import rgb
from estimators.skeletons import COCO_17

CARD = """
family = "Walker"
skeleton = "coco17"
score_kind = "confidence"
score_meaning = "how sure"
score_range = [0, 1]
default_threshold = 0.3
default_pose_threshold = 0
max_people = 1
runtime = "numpy"
engine = "LiteRT"
expected_mb = 100
stateful = false
adapter = "estimators.models.walker"
licence = "Apache-2.0"
training_data = "none"
limits = ["Made up."]

[colours]
light = ["#111111", "#222222"]
dark = ["#EEEEEE"]

[[variants]]
key = "walker-small"
title = "Walker small"
variant = "small"
summary = "The small one."
weights = "walker-small"
figures = [{ metric = "AP", value = 50, test_set = "COCO val2017", source = "its paper" }]
settings = { side = 192 }

[[variants]]
key = "walker-large"
like = "walker-small"
title = "Walker large"
variant = "large"
summary = "The large one."
weights = "walker-large"
max_people = 4
"""


def card(tmp_path: Path, text: str = CARD, name: str = "walker.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_card_tells_its_variants(tmp_path: Path) -> None:
    read = read_card(card(tmp_path))
    assert (read.family, read.colours["light"]) == ("Walker", ("#111111", "#222222"))
    small, large = read.variants
    assert (small.skeleton, small.score_range, small.expected_mb) == (COCO_17, (0.0, 1.0), 100.0)
    assert (small.max_people, large.max_people) == (1, 4)
    assert large.settings == small.settings == {"side": 192}
    assert large.figures == small.figures
    assert small.figures[0].value == 50.0
    with pytest.raises(TypeError):
        small.settings["side"] = 256  # type: ignore[index]  # the point of the test


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("family = ", "families = ", "'family' is missing"),
        ('family = "Walker"', "family = 7", "7 is none of"),
        ('key = "walker-small"', "", "'key' is missing"),
        ('summary = "The small one."', "", "missing fields ['summary']"),
        ("stateful", "statefull", "unknown fields ['statefull']"),
        ("stateful = false", "stateful = 0", "stateful: 0 is none of"),
        ("max_people = 1", "max_people = 1.5", "max_people: 1.5 is none of"),
        ('"coco17"', '"coco18"', "skeleton: 'coco18' is none of"),
        ('"confidence"', '"certainty"', "score_kind: 'certainty' is none of"),
        ("score_range = [0, 1]", "score_range = [0]", "score_range: expected 2 values"),
        ('like = "walker-small"', 'like = "walker"', "'walker' is missing"),
        ('dark = ["#EEEEEE"]', "", "'dark' is missing"),
        ('[colours]\nlight = ["#111111", "#222222"]\ndark = ["#EEEEEE"]', "", "'colours' is"),
        ('"#EEEEEE"', '"white"', "expected colours like #0072B2, got ['white']"),
        ('["#EEEEEE"]', "[]", "expected colours like #0072B2"),
        ("[[variants]]", "[[variants", "cannot be used"),
    ],
)
def test_what_is_wrong_with_a_card_is_told(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    assert old in CARD
    with pytest.raises(InputError) as caught:
        read_card(card(tmp_path, CARD.replace(old, new, 1)))
    assert problem in caught.value.message
    assert "walker.toml" in caught.value.message


def test_cards_stand_in_their_order_and_name_nothing_twice(tmp_path: Path) -> None:
    other = CARD.replace("Walker", "Runner").replace("walker-", "runner-")
    card(tmp_path, CARD)
    card(tmp_path, other, "runner.toml")
    assert [read.family for read in read_cards(tmp_path)] == ["Runner", "Walker"]
    card(tmp_path, "order = 3" + CARD)
    assert [read.family for read in read_cards(tmp_path)] == ["Walker", "Runner"]
    card(tmp_path, other.replace("runner-large", "walker-large"), "runner.toml")
    with pytest.raises(InputError, match="name 'walker-large'"):
        read_cards(tmp_path)


def test_every_card_is_in_the_registry_and_leads_to_what_it_names() -> None:
    assert len(FAMILIES) == len(list(FOLDER.glob("*.toml")))
    assert {spec.key for read in FAMILIES.values() for spec in read.variants} == MODELS.keys()
    for spec in MODELS.values():
        assert spec.weights in weights.entries(), spec.key
        assert find_spec(spec.adapter) is not None, spec.key
        assert spec.score_range[0] <= spec.default_threshold <= spec.score_range[1], spec.key
        assert {spec.reference_of, spec.same_weights_as} - {None} <= MODELS.keys(), spec.key
    for read in FAMILIES.values():
        assert all(map(rgb, [*read.colours["light"], *read.colours["dark"]]))


def test_the_order_of_lists() -> None:
    references = [spec.reference_of is not None for spec in MODELS.values()]
    assert references == sorted(references), "reference runtimes come last"
    assert next(iter(MODELS)) == DEFAULT_MODELS[0]
    assert {*DEFAULT_MODELS, STAND_IN} <= MODELS.keys()
