"""The manifest tells the truth about every file, and errors tell a person what to do."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from estimators import registry, weights
from estimators.errors import WeightsError
from estimators.weights import store

EMBEDDED = sorted(k for k, e in weights.entries().items() if e.kind == "embedded")
HASH = "a" * 64


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("POSE_WEIGHTS_DIR", "POSE_WEIGHTS_MANIFEST", "TFHUB_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("key", EMBEDDED)
def test_embedded_files_are_what_the_manifest_says(key: str) -> None:
    entry = weights.entry(key)
    file = store.EMBEDDED_DIR / entry.file_name
    assert hashlib.sha256(file.read_bytes()).hexdigest() == entry.sha256
    assert file.stat().st_size == entry.size_bytes
    assert weights.path(key) == file
    assert weights.state(key).state == "embedded"


def test_every_embedded_file_has_an_entry_and_every_model_its_weights() -> None:
    files = {p.name for p in store.EMBEDDED_DIR.iterdir()}
    assert files == {weights.entry(k).file_name for k in EMBEDDED}
    assert {spec.weights for spec in registry.MODELS.values()} == set(weights.entries())


def test_embedded_files_stay_small() -> None:
    files = {weights.entry(k).file_name: weights.entry(k).size_bytes for k in EMBEDDED}
    assert sum(files.values()) < 60e6


def test_official_address_of_keypoint_rcnn_is_torchvisions() -> None:
    import importlib.util

    found = importlib.util.find_spec("torchvision")
    if found is None or not found.submodule_search_locations:
        pytest.skip("torchvision is not installed")
    source = Path(found.submodule_search_locations[0], "models/detection/keypoint_rcnn.py")
    assert f'url="{weights.entry("keypointrcnn-coco-v1").url}"' in source.read_text()


def test_absent_weights_name_the_file_the_address_and_the_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        weights.path("blazepose-heavy")
    assert str(caught.value) == (
        "blazepose-heavy: pose_landmarker_heavy.task is not here. "
        "Run `python -m estimators weights fetch blazepose-heavy`, or put the file "
        "from https://storage.googleapis.com/mediapipe-models/"
        "pose_landmarker/pose_landmarker_heavy/float16/1/pose_landmarker_heavy.task into "
        f"{tmp_path / 'cache'} or any folder that POSE_WEIGHTS_DIR names."
    )
    state = weights.state("blazepose-heavy")
    assert (state.state, state.path, state.size_bytes) == ("to_download", None, 30_664_242)


def test_absent_weights_name_the_folder_that_a_person_chose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSE_WEIGHTS_DIR", str(tmp_path / "own"))
    advice = weights.state("blazepose-heavy").detail
    assert advice.endswith(f"into {tmp_path / 'own'}, the folder that POSE_WEIGHTS_DIR names.")


def test_unknown_weights_list_those_there_are() -> None:
    with pytest.raises(WeightsError, match="blazepose-heavy"):
        weights.path("nonsense")


def test_a_brought_file_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(weights.path("blazepose-lite"), own)
    monkeypatch.setenv("POSE_WEIGHTS_DIR", str(own))
    assert weights.path("blazepose-lite") == own / "pose_landmarker_lite.task"
    assert weights.state("blazepose-lite").state == "cached"
    assert weights.path("blazepose-full").parent == store.EMBEDDED_DIR


def test_a_brought_file_with_the_wrong_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pose_landmarker_heavy.task"
    file.write_bytes(b"something else")
    monkeypatch.setenv("POSE_WEIGHTS_DIR", str(tmp_path))
    for call in (weights.path, weights.fetch):
        with pytest.raises(WeightsError) as caught:
            call("blazepose-heavy")
        message = str(caught.value)
        assert str(file) in message
        assert "damaged, or of another version" in message
        assert str(caught.value.__cause__) == (
            f"SHA-256 expected {weights.entry('blazepose-heavy').sha256}, "
            f"found {hashlib.sha256(b'something else').hexdigest()}"
        )
    assert weights.state("blazepose-heavy").state == "failed"


def test_a_file_that_changes_is_hashed_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    first = store.digest(file)
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))  # coarse clocks may give both writes the same time
    assert first == hashlib.sha256(b"one").hexdigest()
    assert store.digest(file) == hashlib.sha256(b"two").hexdigest()


def test_tfhub_folder_is_found_by_the_handles_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "tfhub-movenet-singlepose-lightning"
    with pytest.raises(WeightsError, match=r"tfhub\.dev/google/movenet/singlepose/lightning/4"):
        weights.path(key)
    folder = tmp_path / "29fb93a7b6cbd61f33bf8c76777682f0a9b06839"
    folder.mkdir()
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    assert weights.state(key).state == "to_download"  # an empty folder is not a model
    (folder / "saved_model.pb").write_bytes(b"")
    assert weights.path(key) == folder
    assert weights.state(key).state == "cached"


def test_a_folder_has_the_sha256_of_what_sha256sum_prints(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    files = {"saved_model.pb": b"graph", "variables/variables.index": b"i"}
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    for name, data in {**files, ".DS_Store": b"left behind"}.items():
        (tmp_path / name).write_bytes(data)
    wanted = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert store.folder_digest(tmp_path) == wanted
    (tmp_path / "saved_model.cpb").write_bytes(b"TensorFlow would load this instead")
    assert store.folder_digest(tmp_path) != wanted


def test_a_savedmodel_that_changed_since_it_was_fetched_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    entry = weights.entry("tfhub-movenet-singlepose-lightning")
    store.target(entry).mkdir()
    graph = store.target(entry) / "saved_model.pb"
    graph.write_bytes(b"graph")
    store.record(entry)
    assert weights.path(entry.key) == graph.parent
    graph.write_bytes(b"other")
    os.utime(graph, ns=(1, 1))
    with pytest.raises(WeightsError, match="is damaged, or of another version"):
        weights.path(entry.key)
    assert weights.state(entry.key).state == "failed"


def test_another_manifest_overrides_single_fields_and_adds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = weights.entry("blazepose-heavy")
    file = tmp_path / "mirror.toml"
    file.write_text(
        '[blazepose-heavy]\nurl = "https://mirror.example/heavy"\n'
        f'[extra]\nkind = "download"\nurl = "https://mirror.example/extra"\nsha256 = "{HASH}"\n'
        'size_bytes = 3\nfile_name = "extra.bin"\nlicence = "MIT"\nsource = "us"\n'
    )
    monkeypatch.setenv("POSE_WEIGHTS_MANIFEST", str(file))
    after = weights.entry("blazepose-heavy")
    assert after.url == "https://mirror.example/heavy"
    assert (after.sha256, after.file_name) == (before.sha256, before.file_name)
    assert weights.entry("extra").size_bytes == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[broken", "cannot be read"),
        ("stray = 1", "expected only tables"),
        ('[x]\nkind = "download"\nurl = "u"', "missing fields"),
        ('[blazepose-heavy]\nurll = "u"', "urll"),
        ('[blazepose-heavy]\nkind = "ftp"', "ftp"),
        ('[blazepose-heavy]\nfile_name = "../x"', "bare name"),
    ],
)
def test_a_faulty_manifest_is_explained(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "m.toml"
    file.write_text(text)
    monkeypatch.setenv("POSE_WEIGHTS_MANIFEST", str(file))
    with pytest.raises(WeightsError, match=told):
        weights.entries()


def test_a_manifest_that_may_never_end_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        monkeypatch.setenv("POSE_WEIGHTS_MANIFEST", str(path))
        with pytest.raises(WeightsError, match="is no file"):
            weights.entries()


def test_a_missing_manifest_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_WEIGHTS_MANIFEST", str(tmp_path / "absent.toml"))
    with pytest.raises(WeightsError, match="POSE_WEIGHTS_MANIFEST"):
        weights.entries()
