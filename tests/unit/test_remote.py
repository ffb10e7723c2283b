"""Pictures, annotations and results at addresses: read where they are needed, no secret written."""

from __future__ import annotations

import io
import json
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry
from PIL import Image

from estimators import remote_folder
from estimators.annotated import AnnotatedImage
from estimators.cli import elsewhere, inputs
from estimators.cli.inputs import given_files, is_clip, local_file, named
from estimators.cli.main import main
from estimators.datasets.content import PictureContent, read_content
from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError
from estimators.parts import new_part
from estimators.remote import Remote, files_at, place
from estimators.remote_folder import local_copy
from estimators.skeletons import COCO_17
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.seen import stamp_of
from tests.unit.evaluate_stand import LIGHTNING, SIZE, StandInRunner, at

SAMPLES = Path(__file__).parents[2] / "sample_media"


def png(shade: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", SIZE, (shade, shade, shade)).save(content, "PNG")
    return content.getvalue()


def look_at(image: AnnotatedImage) -> PictureContent:
    assert image.picture is not None
    return read_content(image.picture, image.file)


def truth() -> bytes:
    keypoints = [v for x, y in at(60, 12) for v in (float(x), float(y), 2)]
    images = [{"id": i, "file_name": f"{i}.png", "width": 120, "height": 90} for i in (1, 2, 3)]
    people = [
        {"id": i, "image_id": i, "category_id": 1, "iscrowd": 0, "area": 900, "num_keypoints": 17}
        | {"keypoints": keypoints, "bbox": [40, 5, 40, 75]}
        for i in (1, 2, 3)
    ]
    categories = [{"id": 1, "name": "person", "keypoints": COCO_17.joints}]
    return json.dumps({"images": images, "annotations": people, "categories": categories}).encode()


@pytest.fixture(autouse=True)
def _scratch(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process's own folder has a helper that removes it: a process, too."""
    for module in (elsewhere, inputs):
        monkeypatch.setattr(module, "own_folder", lambda: tmp_path_factory.mktemp("own"))


@pytest.fixture
def there() -> Iterator[str]:
    """An address with three pictures, their annotations and a ZIP of all that."""
    store, root = fsspec.filesystem("memory"), f"/{uuid.uuid4().hex}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in (1, 2, 3):
            store.pipe_file(f"{root}/pictures/{i}.png", png(i))
            archive.writestr(f"in/{i}.png", png(i))
        archive.writestr("truth.json", truth())
    store.pipe_file(f"{root}/truth.json", truth())
    store.pipe_file(f"{root}/pictures/.hidden/4.png", png(4))
    store.pipe_file(f"{root}/set.zip", packed.getvalue())
    yield f"memory:/{root}"
    store.rm(root, recursive=True)


def test_a_set_at_an_address_is_that_of_a_folder(there: str, tmp_path: Path) -> None:
    for name in ("1", "2", "3"):
        (tmp_path / f"{name}.png").write_bytes(png(int(name)))
    (tmp_path / "truth.json").write_bytes(truth())
    here, _ = read_annotated_set(tmp_path, tmp_path / "truth.json")
    for images, marked in (
        (f"{there}/pictures", f"{there}/truth.json"),
        (f"{there}/set.zip", f"{there}/truth.json"),
        (f"{there}/set.zip", None),
    ):
        wanted = None if marked is None else Remote(marked)
        found, report = read_annotated_set(Remote(images), wanted)
        assert [Path(i.file).name for i in found.images] == ["1.png", "2.png", "3.png"]
        assert [look_at(i) for i in found.images] == [look_at(i) for i in here.images]
        assert found.sha256 == here.sha256
        assert report.people == 3


def test_a_file_at_an_address_that_was_exchanged_is_noticed(there: str) -> None:
    def stamps() -> list[str]:
        return [stamp_of(file) for _, file in files_at(Remote(f"{there}/pictures"), 9)]

    before = stamps()
    assert before == stamps()
    assert all(before)
    fsspec.filesystem("memory").pipe_file(
        f"{there.removeprefix('memory:/')}/pictures/2.png", png(9)
    )
    assert [a == b for a, b in zip(before, stamps(), strict=True)] == [True, False, True]


def test_models_read_pictures_at_an_address(there: str) -> None:
    found, _ = read_annotated_set(Remote(f"{there}/pictures"), Remote(f"{there}/truth.json"))
    fsspec.filesystem("memory").rm(f"{there.removeprefix('memory:/')}/pictures/2.png")
    job = EvaluateJob(StandInRunner(), found, EvaluateSettings((LIGHTNING,), invented=False))
    job.run()
    assert job.outcome is not None
    assert [i.file for i in job.outcome.annotated.images] == ["1.png", "3.png"]
    assert set(job.outcome.unreadable) == {"2.png"}


def test_results_at_an_address_come_and_go(there: str) -> None:
    place_of = Remote(f"{there}/results")
    with local_copy(place_of) as folder:
        (folder / "shard-1-of-2").mkdir()
        (folder / "shard-1-of-2" / "shard.json").write_text("one")
    with suppress(KeyboardInterrupt), local_copy(place_of) as folder:
        assert (folder / "shard-1-of-2" / "shard.json").read_text() == "one"
        (folder / "shard-2-of-2.txt").write_text("two")
        raise KeyboardInterrupt  # what is done is kept
    with local_copy(place_of, required=True) as folder:
        names = sorted(p.name for p in folder.rglob("*") if p.is_file())
        (folder / "mine.txt").write_text("stays here")
    assert names == ["shard-2-of-2.txt", "shard.json"]
    assert [name for name, _ in files_at(place_of, 9)] == [
        "shard-1-of-2/shard.json",
        "shard-2-of-2.txt",
    ]
    with pytest.raises(InputError, match="no such folder"), local_copy(Remote(f"{there}/x"), True):
        pass


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://key:secret@bucket/x", "holds a user or password"),
        ("s3://bucket/x", "pip install -r requirements-remote.txt"),
        ("gs://bucket/x", "pip install -r requirements-remote.txt"),
        ("abfs://bucket/x", "pip install adlfs"),
        ("https://host/x.zip?X-Amz-Expires=9&X-Amz-Signature=secret", "(X-Amz-Signature)"),
        ("https://host/x.zip?sv=2&sig=secret", "(sig)"),
        ("https://host/x.zip?GoogleAccessId=me&Signature=secret", "(Signature)"),
        ("https://host/x.zip?access_token=secret", "(access_token)"),
        ("https://host/x.zip#access_token=secret", "(access_token)"),
        ("https://host/x.zip?auth=secret", "(auth)"),
        ("https://host/x.zip?code=secret", "(code)"),
        ("simplecache::https://me:secret@host/x.zip", "holds a user or password"),
        ("simplecache::s3://key:secret@bucket/x", "holds a user or password"),
        ("nowhere://bucket/x", "no kind of address"),
        ("file:///dev/null/not/there", "nothing at|cannot be"),
    ],
)
@pytest.mark.parametrize("option", ["--images", "--annotations", "--output"])
def test_an_address_that_cannot_be_used_is_said_in_a_line(
    address: str,
    said: str,
    option: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for package in ("s3fs", "gcsfs", "adlfs"):  # whatever is installed, or was imported before
        monkeypatch.setitem(sys.modules, package, None)
        for scheme in ("s3", "gs", "abfs"):
            monkeypatch.delitem(_registry, scheme, raising=False)
    options = {"--images": str(SAMPLES), "--annotations": str(SAMPLES / "annotations.json")}
    options |= {"--models": LIGHTNING, "--output": str(tmp_path / "out")} | {option: address}
    code = main(["evaluate", *(part for pair in options.items() for part in pair)])
    told = capsys.readouterr()
    assert code == 2
    assert len(told.err.splitlines()) == 1
    assert any(words in told.err for words in said.split("|")), told.err
    assert "secret" not in told.err


def test_folders_and_zips_give_their_pictures_and_clips(there: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(png(1))
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("a.png", png(2))
        archive.write(SAMPLES / "street.mp4", "clips/street.mp4")
    given = [tmp_path / "in", tmp_path / "b.zip", place(f"{there}/pictures"), place(there)]
    files = given_files([*given[:3], place(f"{there}/pictures/1.png")])
    by_name = named(files)
    mine = [f for n, f in by_name.items() if n.endswith(("in/a.png", "b.zip/a.png"))]
    assert [f.read(10**9) for f in mine] == [png(1), png(2)]
    assert {"2.png", "3.png", "street.mp4"} < set(by_name)
    assert is_clip(by_name["street.mp4"])
    assert not is_clip(by_name["2.png"])
    with local_file(by_name["street.mp4"]) as path:
        assert path.read_bytes() == (SAMPLES / "street.mp4").read_bytes()
    assert not path.exists()
    (tmp_path / "in" / "a.png").unlink()
    with pytest.raises(InputError, match="neither"):
        given_files([tmp_path / "in"])


def test_results_of_others_at_one_address_are_not_put_back(there: str) -> None:
    """Several shards write into one folder, each of them for hours."""
    results = Remote(f"{there}/results")
    with local_copy(results) as folder:
        (folder / "first.estimates").write_text("1")
    with local_copy(results) as second:
        with local_copy(results) as first:
            (first / "first.estimates").write_text("1 2 3")
        (second / "second.estimates").write_text("a")
    with local_copy(results, required=True) as folder:
        found = {p.name: p.read_text() for p in folder.iterdir()}
    assert found == {"first.estimates": "1 2 3", "second.estimates": "a"}


def test_results_are_there_while_they_grow(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is killed has lost what is new since a minute; what is only begun is not there."""
    monkeypatch.setattr(remote_folder, "KEPT_UP_S", 0.01)
    store = fsspec.filesystem("memory")
    root = f"{there.removeprefix('memory:/')}/results"
    written: list[str] = []
    put = MemoryFileSystem.put_file

    def noted(self: MemoryFileSystem, here: str, there: str) -> None:
        written.append(there)
        put(self, here, there)

    monkeypatch.setattr(MemoryFileSystem, "put_file", noted)

    def wait_for(content: bytes) -> None:
        until = time.monotonic() + 30
        while not (
            store.exists(f"{root}/a.estimates") and store.cat(f"{root}/a.estimates") == content
        ):
            assert time.monotonic() < until
            time.sleep(0.01)

    with local_copy(Remote(f"{there}/results")) as folder:
        (folder / "b.csv").write_bytes(b"whole")
        new_part(folder / "c.csv").write_bytes(b"begun")
        for content in (b"1", b"12"):
            (folder / "a.estimates").write_bytes(content)
            wait_for(content)
    assert [name for name, _ in files_at(Remote(f"{there}/results"), 9)] == ["a.estimates", "b.csv"]
    assert not any("c.csv" in name for name in written)
    assert sum(name.endswith("b.csv") for name in written) == 1  # once is enough


class Site(SimpleHTTPRequestHandler):
    """A web server with a picture, and a list of its files for a folder."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        found = {"/a.png": ("image/png", png(1)), "/in/": ("text/html", b"<a href=1.png>1</a>")}
        kind, content = found.get(self.path, ("", b""))
        self.send_response(200 if kind else 404)
        self.send_header("Content-Type", kind or "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_folder_of_a_web_server_is_refused_with_what_can_be_given(site: str) -> None:
    (file,) = given_files([Remote(f"{site}/a.png")])
    assert file.read(10**6) == png(1)
    for what in (f"{site}/in/", f"{site}/none/"):
        with pytest.raises(InputError) as refused:
            given_files([Remote(what)])
        assert what in str(refused.value)
        assert "Name a file there or a ZIP" in str(refused.value) or "no such file" in str(refused)
    for required in (True, False):  # to be merged, or written to
        with (
            pytest.raises(InputError, match="at s3:// or at gs://"),
            local_copy(Remote(f"{site}/in/"), required),
        ):
            pass
