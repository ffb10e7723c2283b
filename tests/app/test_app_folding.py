"""Where files are brought is folded away once some are here, on every page in one way."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from tests.app.visits import visit
from tests.clip_factory import Recipe, make_clip

ROOT = Path(__file__).resolve().parents[2]
PHOTO = ROOT / "sample_media/astronaut.jpg"


pytestmark = pytest.mark.usefixtures("server")


def page(script: str, **address: str) -> AppTest:
    return visit(script, **{"models": "movenet-lightning", **address}).run()


def box(at: AppTest) -> Block:
    """The one that holds the uploader."""
    (found,) = [e for e in at.expander if e.proto.icon == ":material/upload:"]
    assert found.get("file_uploader")
    return found


def bring(at: AppTest, name: str, content: bytes) -> None:
    box(at).get("file_uploader")[0].upload(name, content, "application/octet-stream")
    at.run()
    assert not at.exception


@pytest.mark.parametrize(
    ("script", "address"),
    [
        ("", {"picture_source": "upload"}),
        ("video", {"clip_source": "upload"}),
        ("benchmark", {"measured_on": "own"}),
    ],
)
def test_it_is_open_while_nothing_is_here_and_folded_afterwards(
    script: str, address: dict[str, str], tmp_path: Path
) -> None:
    at = page(script, **address)
    assert box(at).proto.expanded
    bring(at, "words.txt", b"these are words")
    if script == "video":
        bring(at, "*walk*.mp4", make_clip(tmp_path / "w.mp4", Recipe(pts=(0, 1, 2))).read_bytes())
    else:
        bring(at, "*walk*.jpg", PHOTO.read_bytes())
    assert not box(at).proto.expanded
    assert r"\*walk\*" in box(at).label


def test_why_a_file_is_refused_is_seen_however_it_is_folded() -> None:
    at = page("", picture_source="upload")
    bring(at, "one.jpg", PHOTO.read_bytes())
    bring(at, "words.png", b"these are words")
    assert not box(at).proto.expanded
    assert len(at.error) == 1
    assert not box(at).error
