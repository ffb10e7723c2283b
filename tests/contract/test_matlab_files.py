"""MPII's `.mat` is read in a process of its own, which damaged files may end."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError
from tests import annotated_factory as factory


def test_a_good_one(tmp_path: Path) -> None:
    images = factory.pictures(tmp_path / "i")
    assert read_annotated_set(images, factory.mpii_mat(tmp_path / "m.mat"))[1].people == 3


@pytest.mark.parametrize(
    ("at", "missing", "words"), [(4244, 12, "reading it failed"), (4256, 8, "Expecting matrix")]
)
def test_damaged_ones_end_in_words(tmp_path: Path, at: int, missing: int, words: str) -> None:
    """The first of these ends the process that reads it."""
    images, mat = factory.pictures(tmp_path / "i"), factory.mpii_mat(tmp_path / "m.mat")
    data = mat.read_bytes()
    mat.write_bytes(data[:at] + data[at + missing :])
    with pytest.raises(InputError, match=words):
        read_annotated_set(images, mat)
