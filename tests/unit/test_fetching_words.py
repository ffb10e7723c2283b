"""What a person reads about a download that is under way."""

from __future__ import annotations

import pytest

from estimators.weights import WeightsState
from pages.ui.fetching import how_far


@pytest.mark.parametrize(
    ("size_bytes", "words"), [(237_034_793, "12 of 237 MB"), (0, "12 MB so far")]
)
def test_progress_tells_what_has_come(size_bytes: int, words: str) -> None:
    assert how_far(WeightsState("downloading", None, 12_300_000, size_bytes, "")) == words
