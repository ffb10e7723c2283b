"""One of a thing is not called by the word for many."""

import pytest

from estimators.numerals import counted, people


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 joints"), (1, "1 joint"), (2, "2 joints"), (1200, "1,200 joints")]
)
def test_one_joint_two_joints(number: int, told: str) -> None:
    assert counted(number, "joint") == told


def test_one_person_is_no_people() -> None:
    assert [people(n) for n in (0, 1, 1000)] == ["0 people", "1 person", "1,000 people"]
