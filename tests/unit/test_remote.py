"""Pictures, annotations and results at addresses: read where they are needed, no secret written."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import fsspec
import pytest
from PIL import Image

from estimators.annotated import AnnotatedImage
from estimators.cli.inputs import given_files, is_clip, local_file, named
from estimators.cli.main import main
from estimators.datasets.content import PictureContent, read_content
from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError
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
        ("s3://bucket/x", "pip install s3fs"),
        ("gs://bucket/x", "pip install gcsfs"),
        ("nowhere://bucket/x", "no kind of address"),
        ("file:///dev/null/not/there", "nothing at|cannot be"),
    ],
)
@pytest.mark.parametrize("option", ["--images", "--annotations", "--output"])
def test_an_address_that_cannot_be_used_is_said_in_a_line(
    address: str, said: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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
