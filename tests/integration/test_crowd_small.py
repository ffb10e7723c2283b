"""A small crowd over real sessions (`make crowd` has twenty)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import crowd
from tests.crowd import Outcome, Size
from tests.server_at_rest import connections

VIEWERS = 5
# A machine that does other things, too: twenty viewers are held to 2 by `make crowd`.
MOST_RATIO = 3.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with crowd.server(tmp_path_factory.mktemp("crowd")) as address:
        yield address


def test_a_small_crowd_is_served_alike(url: str) -> None:
    found = crowd.crowd(url, VIEWERS, rounds=1, clip=False, strict=False)
    assert found.faults == []
    assert len(found.medians) == VIEWERS
    assert found.actions == VIEWERS * (crowd.SAMPLES + 8)
    assert found.ratio < MOST_RATIO
    assert connections(url) == 0


def test_a_crowd_that_is_not_served_as_promised_is_told() -> None:
    rest = Size(200.0, 20, 40, 0)
    good = Outcome([0.5, 0.6], [], 24, 2.0, 300.0, rest, Size(209.0, 22, 42, 0))
    assert crowd.complaints(good, 2) == []
    bad = Outcome([0.1, 1.0], ["broken"], 24, 2.0, 900.0, rest, Size(215.0, 20, 40, 0))
    told = crowd.complaints(bad, 3)
    assert [line.split()[0] for line in told] == ["broken", "1", "the", "the", "it"]
    for more in (Size(200.0, 26, 40, 0), Size(200.0, 20, 60, 0), Size(200.0, 20, 40, 3)):
        assert not more.within(rest)
