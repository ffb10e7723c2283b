"""A thin selection of the table of losses (`make kill` has all of it) with a real model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import kill_table
from tests.process_faults import killed, out_of_memory, stopped


@pytest.fixture(scope="module")
def subject() -> Iterator[kill_table.Subject]:
    with kill_table.subject_of("movenet-lightning") as found:
        yield found


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        (kill_table.loading, out_of_memory),
        (kill_table.estimating, stopped),
        (kill_table.in_a_clip, killed),
        (kill_table.in_a_live_stream, stopped),
        (kill_table.in_evaluate, killed),
    ],
)
def test_what_was_lost_is_told_and_the_next_answer_is_right(subject, state, fault) -> None:
    kill_table.cell(subject, state, fault)
