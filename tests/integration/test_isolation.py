"""What a second visitor can reach of the first one's: nothing, by any key or address; and the log.

Real sessions over WebSockets, with real files.  Who has the same file may share the work on it, and
learns nothing else of whoever brought it.
"""

from __future__ import annotations

import re
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests import annotated_factory as factory
from tests import crowd
from tests.clip_factory import Recipe, make_clip
from tests.crowd import MODELS
from tests.unit.runtime_support import wait_until
from tests.viewer_driver import Visit

# A part of every name that the first visitor gives.
SECRET = "Grandma"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("isolation")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    (folder / "temporary").mkdir()
    with crowd.server(folder, TMPDIR=str(folder / "temporary")) as address:
        yield address


@pytest.fixture(autouse=True)
def nothing_in_the_log(url: str, folder: Path) -> Iterator[None]:
    """Whatever was done to it, the server says no name, no picture and nobody's address."""
    yield
    log = (folder / "server.log").read_text("utf-8", "replace")
    assert SECRET not in log
    assert "/media/" not in log
    assert "upload_file" not in log
    told = [line for line in log.splitlines() if "127.0.0.1" in line]
    assert all("URL: " in line for line in told), told  # its own, at the start


def code_of(address: str, method: str = "GET", body: bytes | None = None) -> int:
    try:
        request = urllib.request.Request(address, data=body, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def leads_nowhere(address: str, method: str = "GET") -> bool:
    """It is refused, or answered with the app's own page as every unknown address is."""
    try:
        request = urllib.request.Request(address, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = answer.read()
    except urllib.error.HTTPError as error:
        return error.code >= 400
    return method == "HEAD" or b"<html" in found


def kept(folder: Path) -> list[Path]:
    return [p for p in (folder / "temporary").rglob("*") if p.is_file()]


def private(path: Path, folder: Path) -> bool:
    """Whether it lies in a folder that nobody else may enter."""
    between = [p for p in path.parents if folder in p.parents]
    return any(not parent.stat().st_mode & 0o077 for parent in between)


def clip_bytes(folder: Path, frames: int = 24) -> bytes:
    return make_clip(folder / "clip.mp4", Recipe(pts=tuple(range(frames)))).read_bytes()


def open_clip(visit: Visit, name: str, content: bytes) -> None:
    visit.go_to("video")
    visit.choose("clip_source", 1)
    visit.upload("clip_upload", name, content)


def process(visit: Visit) -> None:
    if visit.has("run_clip"):  # else it is known, or somebody else has it processed
        visit.press("run_clip")
    visit.follow(lambda: not visit.has("cancel_clip"))
    visit.settle()


def test_what_one_brings_is_nobody_elses_and_goes_with_them(url: str, folder: Path) -> None:
    with Visit(url, MODELS) as mine, Visit(url, MODELS) as other:
        mine.settle()
        mine.choose("picture_source", 1)
        mine.upload("uploads", f"{SECRET} at the beach.png", crowd.picture(12_345))
        mine.settle()
        assert SECRET in mine.text()
        own = set(mine.media())
        other.choose("picture_source", 1)
        other.go_to("models")
        other.go_to("")
        assert SECRET not in other.text()
        assert not own & set(other.media())
        assert mine.session != other.session
        (address,) = [f"{url}{place}" for place in own if len(place) > 30]
        assert code_of(address) == 200
        assert code_of(address[:-10] + "0000" + address[-6:]) == 404
        assert kept(folder)
        assert all(not p.stat().st_mode & 0o077 or private(p, folder) for p in kept(folder))
        assert not any(SECRET in str(path) for path in kept(folder))
        faults = mine.faults + other.faults
    assert faults == []
    # Streamlit forgets the session, and with it goes all that it had.
    wait_until(lambda: code_of(address) == 404)


def test_what_another_one_uploaded_cannot_be_claimed(url: str) -> None:
    with Visit(url, MODELS) as mine, Visit(url, MODELS) as other:
        mine.choose("picture_source", 1)
        other.choose("picture_source", 1)
        place = mine.upload("uploads", f"{SECRET}.png", crowd.picture(1))
        before = set(other.media())
        other.claim("uploads", "x.png", place)
        other.settle()
        assert set(other.media()) <= before
        assert SECRET not in other.text()
        # And as a choice among one's own pictures.
        state = WidgetState(id="$$ID-0-chosen_upload")
        state.string_array_value.data.append(place.file_id)
        other._run(state)
        assert SECRET not in other.text()
        mine.settle()
        for method in ("GET", "HEAD", "POST"):
            assert leads_nowhere(url + place.upload_url, method)
        for method in ("PUT", "DELETE"):  # without what proves that it comes from the page
            assert code_of(url + place.upload_url, method, b"") >= 400
        assert mine.has("sample") or SECRET in mine.text()
        assert mine.faults == []


def test_addresses_that_were_not_given_lead_nowhere(url: str, folder: Path) -> None:
    with Visit(url, MODELS) as mine:
        mine.choose("picture_source", 1)
        mine.upload("uploads", f"{SECRET}.png", crowd.picture(2))
        mine.settle()
        files = len(kept(folder))
        names = [path.name for path in kept(folder)]
        guesses = [
            *(f"/media/{name}" for name in names),
            *(f"/media/{mine.session}/{name}" for name in names),
            *(f"/media/..%2f..%2f{name}" for name in names),
            "/media/",
            "/media/../../../../etc/passwd",
            "/media/%2e%2e/%2e%2e/etc/passwd",
            f"/_stcore/upload_file/{mine.session}/",
            f"/_stcore/upload_file/{mine.session}/{uuid.uuid4()}",
            "/component/../../../../etc/passwd",
            "/app/static/../../streamlit_app.py",
        ]
        found = [guess for guess in guesses if not leads_nowhere(url + guess)]
        assert found == []
        for session in (str(uuid.uuid4()), mine.session):  # of nobody, and without the proof
            guess = f"{url}/_stcore/upload_file/{session}/{uuid.uuid4()}"
            assert code_of(guess, "PUT", b"x" * 1000) >= 400
        assert len(kept(folder)) == files
        with urllib.request.urlopen(f"{url}/_pose/status", timeout=60) as answer:
            told = answer.read().decode()
        assert SECRET not in told
        assert mine.session not in told
        assert mine.faults == []


def test_the_same_clip_by_another_name_tells_nothing_of_who_had_it(url: str, folder: Path) -> None:
    content = clip_bytes(folder)
    with Visit(url, MODELS) as other:
        with Visit(url, MODELS) as mine:
            open_clip(mine, f"{SECRET} dances.mp4", content)
            mine.press("run_clip")
            open_clip(other, "x.mp4", content)  # while it is worked on
            assert SECRET not in other.text()
            process(other)
            mine.follow(lambda: not mine.has("cancel_clip"))
            mine.settle()
            assert SECRET in mine.text()
            assert SECRET not in other.text()
            assert not large(mine) & large(other)
            faults = list(mine.faults)
        process(other)
        assert SECRET not in other.text()
        for page in ("evaluate", "benchmark", "models", ""):
            other.go_to(page)
            assert SECRET not in other.text()
        assert faults + other.faults == []


def test_who_shares_the_work_keeps_it_when_the_other_one_leaves(url: str, folder: Path) -> None:
    content = clip_bytes(folder, 90)
    with Visit(url, MODELS) as other:
        with Visit(url, MODELS) as mine:
            open_clip(mine, "same.mp4", content)
            mine.press("run_clip")
            open_clip(other, "same.mp4", content)
            theirs = large(mine)
        process(other)
        assert other.has("make_video")
        assert not theirs & large(other)
        assert other.faults == []


def large(visit: Visit) -> set[str]:
    """Addresses of clips.  Those of equal numbers, and of equal pictures of a clip, are equal."""
    return {place for place in visit.media() if place.endswith((".mp4", ".webm"))}


def test_a_set_and_what_is_measured_on_are_ones_own(url: str, tmp_path: Path) -> None:
    factory.pictures(tmp_path)
    factory.write_json(factory.coco(), tmp_path / "person.json")
    with Visit(url, MODELS) as mine, Visit(url, MODELS) as other:
        mine.go_to("evaluate")
        mine.choose("set", 1)
        mine.upload(
            "evaluate_upload", f"{SECRET}s set.json", (tmp_path / "person.json").read_bytes()
        )
        mine.settle()
        assert SECRET in mine.text()
        for page in ("evaluate", "benchmark"):
            other.go_to(page)
            if page == "evaluate":
                other.choose("set", 1)
            assert SECRET not in other.text()
        assert other.faults == []


BAD = {
    "png": b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
    "jpg": b"\xff\xd8\xff\xe0 no picture",
    "mp4": b"\0\0\0\x18ftypmp42" + b"\0" * 4000,
    "zip": b"PK\x03\x04" + b"\xff" * 400,
    "json": b'{"images": [{"file_name": "Grandma.jpg"}], "annotations": 3}',
    "csv": b"=1+1",
}


@pytest.mark.parametrize(
    ("page", "source", "uploader"),
    [
        ("", "picture_source", "uploads"),
        ("video", "clip_source", "clip_upload"),
        ("evaluate", "set", "evaluate_upload"),
    ],
)
def test_bad_files_are_told_to_who_brought_them_alone(
    url: str, page: str, source: str, uploader: str
) -> None:
    with Visit(url, MODELS) as mine:
        mine.go_to(page)
        mine.choose(source, 1)
        for kind, content in BAD.items():
            mine.upload(uploader, f"{SECRET} <b>&{kind}.{kind}", content)
            mine.settle()
        assert any(SECRET in fault for fault in mine.faults), mine.faults
        assert not any(re.match(r"\w+(Error|Exception)\b", fault) for fault in mine.faults)


def test_values_that_no_widget_has_are_not_logged(url: str, folder: Path) -> None:
    for key in ("sample", "picture_source"):
        with Visit(url, MODELS) as mine:
            state = WidgetState(id=mine.widget(key).id)
            state.string_array_value.data.append(f"{SECRET}.png")
            mine._run(state)
            state.json_value = f'{{"{SECRET}": '
            mine._run(state)
            assert mine.faults
    log = (folder / "server.log").read_text("utf-8", "replace")
    assert "JSONDecodeError" in log
    assert "Expecting" not in log  # its words, which may be anything
