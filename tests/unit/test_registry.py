"""What the registry knows of the variants."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from estimators.registry import FAMILIES, MODELS, voice

ROOT = Path(__file__).resolve().parents[2]
# Adapters know their own variants, the registry which ones are compared by default, and maintainers
# re-make certain files.
MAY_NAME_MODELS = ("estimators/models", "estimators/registry.py", "estimators/maintenance")


@pytest.mark.parametrize("key", MODELS)
def test_whose_weights_a_variant_uses_leads_to_weights_of_their_own(key: str) -> None:
    seen = []
    while (other := MODELS[key].same_weights_as) is not None:
        seen.append(key)
        assert other not in seen
        assert MODELS[key].skeleton == MODELS[other].skeleton
        key = other


@pytest.mark.parametrize("key", [key for key, spec in MODELS.items() if spec.reference_of])
def test_a_reference_runtime_has_the_weights_of_what_it_is_the_reference_of(key: str) -> None:
    assert MODELS[key].same_weights_as == MODELS[key].reference_of
    assert voice(key) == voice(MODELS[key].same_weights_as or "")


def test_variants_of_one_family_and_twins_are_one_voice() -> None:
    assert voice("movenet-lightning") == voice("movenet-multipose-512-tfhub")
    assert voice("keypointrcnn-fast") == voice("keypointrcnn-reference")
    voices = {voice(key) for key in ("movenet-thunder", "blazepose-lite", "keypointrcnn-fast")}
    assert len(voices) == 3


def test_a_single_person_model_is_one_that_returns_at_most_one() -> None:
    single = {key for key, spec in MODELS.items() if spec.single_person}
    assert {"movenet-lightning", "movenet-thunder-tfhub"} <= single
    assert single.isdisjoint({"movenet-multipose", "blazepose-full", "keypointrcnn-fast"})


def test_nothing_decides_by_the_name_of_a_model() -> None:
    """What code needs to know stands in the cards: another family would be missed by a name."""
    names = {*FAMILIES, *MODELS}
    paths = [path for room in ("estimators", "pages") for path in (ROOT / room).rglob("*.py")]
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
        for path in paths
        if not path.relative_to(ROOT).as_posix().startswith(MAY_NAME_MODELS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert len(paths) > 100
    assert found == []
