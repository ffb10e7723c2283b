"""A small crowd over real sessions (`make crowd` has twenty), and what one sees of another."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import crowd
from tests.crowd import MODELS, Outcome, Size
from tests.unit.runtime_support import wait_until
from tests.viewer_driver import Visit

VIEWERS = 5
# A machine that does other things, too: twenty viewers are held to less by `make crowd`.
MOST_RATIO = 6.0
NAME = "Grandma at the beach.png"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crowd")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    (folder / "temporary").mkdir()
    with crowd.server(folder, TMPDIR=str(folder / "temporary")) as address:
        yield address


def code_of(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_what_one_brings_is_nobody_elses_and_goes_with_them(url: str, folder: Path) -> None:
    with Visit(url, MODELS) as mine, Visit(url, MODELS) as other:
        mine.settle()
        mine.choose("picture_source", 1)
        mine.upload("uploads", NAME, crowd.picture(12_345))
        mine.settle()
        assert "Grandma" in mine.text()
        own = set(mine.media())
        other.choose("picture_source", 1)
        other.go_to("models")
        other.go_to("")
        assert "Grandma" not in other.text()
        assert not own & set(other.media())
        assert mine.session != other.session
        (address,) = [f"{url}{place}" for place in own if len(place) > 30]
        assert code_of(address) == 200
        guessed = address[:-10] + "0000" + address[-6:]
        assert code_of(guessed) == 404
        kept = [p for p in (folder / "temporary").rglob("*") if p.is_file()]
        assert kept
        assert all(not p.stat().st_mode & 0o077 or private(p, folder) for p in kept)
        assert not any("Grandma" in str(path) for path in kept)
        faults = mine.faults + other.faults
    assert faults == []
    # Streamlit forgets the session, and with it goes all that it had.
    wait_until(lambda: code_of(address) == 404)
    log = (folder / "server.log").read_text("utf-8", "replace")
    assert "Grandma" not in log
    assert address.rsplit("/", 1)[1] not in log


def private(path: Path, folder: Path) -> bool:
    """Whether it lies in a folder that nobody else may enter."""
    between = [p for p in path.parents if folder in p.parents]
    return any(not parent.stat().st_mode & 0o077 for parent in between)


def test_a_small_crowd_is_served_alike(url: str) -> None:
    found = crowd.crowd(url, VIEWERS, rounds=1, clip=False, strict=False)
    assert found.faults == []
    assert len(found.medians) == VIEWERS
    assert found.actions == VIEWERS * (crowd.SAMPLES + 8)
    assert found.ratio < MOST_RATIO
    assert crowd.connections(url) == 0


def test_a_crowd_that_is_not_served_as_promised_is_told() -> None:
    rest = Size(200.0, 20, 40, 0)
    good = Outcome([0.5, 0.6], [], 24, 2.0, 300.0, rest, Size(209.0, 22, 42, 0))
    assert crowd.complaints(good, 2) == []
    bad = Outcome([0.1, 1.0], ["broken"], 24, 2.0, 900.0, rest, Size(215.0, 20, 40, 0))
    told = crowd.complaints(bad, 3)
    assert [line.split()[0] for line in told] == ["broken", "1", "the", "the", "it"]
    for more in (Size(200.0, 26, 40, 0), Size(200.0, 20, 60, 0), Size(200.0, 20, 40, 1)):
        assert not more.within(rest)
