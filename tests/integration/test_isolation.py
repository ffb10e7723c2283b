"""What a second visitor can reach of the first one's: nothing, by any key or address; and the log.

Real sessions over WebSockets, with real files.  Who has the same file may share the work on it, and
learns nothing else of whoever brought it.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests import annotated_factory as factory
from tests import crowd
from tests.clip_factory import Recipe, make_clip
from tests.crowd import MODELS
from tests.unit.runtime_support import wait_until
from tests.viewer_driver import Visit

# A part of every name that the first visitor gives.
SECRET = "Grandma"
# Of a page: what to choose first, and the uploader that is there then.
UPLOADERS = [
    ("", "picture_source", "uploads"),
    ("video", "clip_source", "clip_upload"),
    ("evaluate", "set", "evaluate_upload"),
]


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
        (address,) = [f"{url}{place}" for place in own]
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
        own = other.upload("uploads", "own.png", crowd.picture(2))
        other.upload("uploads", "own.png", crowd.picture(3), own)
        other.settle()
        state = WidgetState(id=other.widget("chosen_upload").id)
        for chosen in (place.file_id, f"{SECRET}.png", ""):
            state.string_array_value.data[:] = [chosen]
            other._run(state)
            other.settle()
            assert "own.png" in other.text()
            assert SECRET not in other.text()
            assert not set(mine.media()) & set(other.media())
        mine.settle()
        for method in ("GET", "HEAD", "POST"):
            assert leads_nowhere(url + place.upload_url, method)
        for method in ("PUT", "DELETE"):  # without what proves that it comes from the page
            assert code_of(url + place.upload_url, method, b"") >= 400
        assert mine.has("sample") or SECRET in mine.text()
        assert mine.faults == []


@pytest.mark.parametrize(
    ("page", "source", "uploader"),
    [*UPLOADERS, ("benchmark", "", "benchmark_upload"), ("benchmark", "", "others_upload")],
)
def test_files_that_are_gone_are_no_error(url: str, page: str, source: str, uploader: str) -> None:
    """As a page names them that is still open after the server was restarted."""
    with Visit(url, f"{MODELS}&measured_on=own") as mine:
        mine.go_to(page)
        if source:
            mine.choose(source, 1)
        mine.claim(uploader, "gone.png", FileURLs(file_id=str(uuid.uuid4())))
        mine.settle()
        assert mine.has(uploader)
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


def set_bytes(path: Path, *pictures: bytes) -> bytes:
    """A ZIP with these pictures and a person in each."""
    content = factory.coco()
    images = [
        {"id": number, "file_name": f"{number}.png", "width": 512, "height": 512}
        for number in range(len(pictures))
    ]
    people = [
        content["annotations"][0] | {"id": number + 1, "image_id": number}
        for number in range(len(pictures))
    ]
    with zipfile.ZipFile(path, "w") as archive:
        for number, picture in enumerate(pictures):
            archive.writestr(f"{number}.png", picture)
        told = content | {"images": images, "annotations": people}
        archive.writestr("person.json", json.dumps(told))
    return path.read_bytes()


def require_own(
    mine: Visit, other: Visit, work: str, words: str, outcome: Callable[[Visit], bool]
) -> None:
    """Whoever has the same picture learns neither of the work nor of its outcome.

    Args:
        work: what its buttons are called after.
        words: which tell of somebody else's.
        outcome: whether it is shown.
    """
    mine.press(f"run_{work}")
    assert mine.has(f"cancel_{work}")
    for _ in range(2):  # while it goes on, and when it is over
        other._run()
        assert other.has(f"run_{work}")
        assert not other.has(f"cancel_{work}")
        assert words not in other.text()
        assert SECRET not in other.text()
        assert not outcome(other)
        mine.settle()
    assert not mine.has(f"cancel_{work}")
    assert outcome(mine)
    assert mine.faults + other.faults == []


def test_an_evaluation_of_ones_own_pictures_is_nobody_elses(url: str, tmp_path: Path) -> None:
    content = set_bytes(tmp_path / "set.zip", *map(crowd.picture, range(40, 52)))
    with Visit(url, MODELS) as mine, Visit(url, MODELS) as other:
        for visit in (mine, other):
            visit.go_to("evaluate")
            visit.choose("set", 1)
            visit.upload("evaluate_upload", "set.zip", content)
            visit.settle()
        require_own(mine, other, "evaluate", "being evaluated", lambda v: v.has("download_report"))


def test_what_one_measures_on_is_nobody_elses(url: str) -> None:
    query = f"{MODELS}&measured_on=own&benchmark_seconds=3&benchmark_threads=1"
    with Visit(url, query) as mine, Visit(url, query) as other:
        for visit, name in ((mine, f"{SECRET}.png"), (other, "x.png")):
            visit.go_to("benchmark")
            visit.upload("benchmark_upload", name, crowd.picture(77))
            visit.settle()
        require_own(
            mine, other, "benchmark", "being measured", lambda v: "JSON to keep" in v.text()
        )


BAD = {
    "png": b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
    "jpg": b"\xff\xd8\xff\xe0 no picture",
    "mp4": b"\0\0\0\x18ftypmp42" + b"\0" * 4000,
    "zip": b"PK\x03\x04" + b"\xff" * 400,
    "json": b'{"images": [{"file_name": "Grandma.jpg"}], "annotations": 3}',
    "csv": b"=1+1",
}


@pytest.mark.parametrize(("page", "source", "uploader"), UPLOADERS)
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
