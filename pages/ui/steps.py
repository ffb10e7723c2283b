"""What a person can do next where no model is recommended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from estimators.registry import DEFAULT_MODELS, MODELS, STAND_IN, voice
from pages.ui.engine import has_weights
from pages.ui.settings import MOST_MODELS
from pages.ui.sidebar import choose_models

Steps = dict[tuple[str, str], Callable[[], None]]
# Fewer families decide nothing between them.
_ENOUGH_VOICES = 3


def third_family(answered: Iterable[str], chosen: Sequence[str]) -> Steps:
    """Adds a model of another family, where that would be the third voice and is here.

    Args:
        answered: the models whose answers are compared.
        chosen: those that the sidebar names.
    """
    voices = {voice(m) for m in answered}
    if len(voices) >= _ENOUGH_VOICES or len(chosen) >= MOST_MODELS:
        return {}
    known = dict.fromkeys((*DEFAULT_MODELS, STAND_IN, *MODELS))
    others = [m for m in known if voice(m) not in voices and m not in chosen and has_weights(m)]
    if not others:
        return {}
    label = f"Add {MODELS[others[0]].title}, another family"
    return {(label, ":material/add:"): partial(choose_models, [*chosen, others[0]])}
