"""The embedded MoveNet files can be made anew from TF Hub, and are what they say."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pytest

from estimators import weights
from estimators.errors import InputError, WeightsError
from estimators.maintenance import rebuild
from estimators.media.samples import FOLDER

# The release that made the embedded files; another may give other bytes with the same answers.
TENSORFLOW = "2.21.0"


@pytest.fixture(scope="module")
def rebuilt(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[rebuild.Rebuilt, ...]:
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFHUB_CACHE_DIR", str(shared / "models" / "tfhub_modules"))
        folder = tmp_path_factory.mktemp("rebuilt")
        made = rebuild.rebuild_movenet(folder, lines.append, sorted(FOLDER.glob("*.jpg")))
    assert len(lines) == 2 * len(made)
    assert sorted(path.name for path in folder.iterdir()) == sorted(m.path.name for m in made)
    return made


def test_every_file_is_made_again(rebuilt: tuple[rebuild.Rebuilt, ...]) -> None:
    assert [made.key for made in rebuilt] == list(rebuild.CANVASES)
    assert {made.key for made in rebuilt} == {
        key
        for key, e in weights.entries().items()
        if e.file_name.endswith(".tflite") and key.startswith("movenet")
    }


def test_both_runtimes_agree_within_a_pixel(rebuilt: tuple[rebuild.Rebuilt, ...]) -> None:
    for made in rebuilt:
        assert made.joints >= 40, made.key
        assert made.worst_px < 1.0, made.key


@pytest.mark.skipif(version("tensorflow") != TENSORFLOW, reason=f"needs TensorFlow {TENSORFLOW}")
def test_the_same_tensorflow_makes_the_same_bytes(rebuilt: tuple[rebuild.Rebuilt, ...]) -> None:
    for made in rebuilt:
        assert made.same_as_manifest, made.key
        assert made.path.read_bytes() == weights.path(made.key).read_bytes()


def test_a_shifted_joint_is_measured_in_pixels_of_a_512_pixel_picture() -> None:
    rng = np.random.default_rng(0)
    single = rng.uniform(0.3, 0.9, (1, 1, 17, 3)).astype(np.float32)
    moved = single.copy()
    moved[0, 0, 4, :2] += (3 / 512, 4 / 512)  # (y, x)
    assert max(rebuild._distances(moved, single, (192, 192))) == pytest.approx(5, abs=0.01)
    multi = rng.uniform(0.3, 0.9, (1, 6, 56)).astype(np.float32)
    multi[0, 3:, 55] = 0.01
    moved = multi.copy()
    moved[0, 2, 6:8] += (3 / 288, 4 / 512)
    moved[0, 4, 6:8] += 0.5  # of a slot that holds nobody
    assert max(rebuild._distances(moved, multi, (288, 512))) == pytest.approx(5, abs=0.01)


def test_a_file_that_answers_otherwise_is_noticed() -> None:
    """Answers to a turned picture are not those to the picture."""
    frame = rebuild._read(FOLDER / "two_people_outdoors.jpg")
    canvas = rebuild._letterbox("movenet-lightning", frame).apply(frame)
    turned = np.rot90(canvas).copy()
    file = weights.path("movenet-lightning")
    (answer,) = _answers(file, turned)
    joints, worst_px = rebuild._compare(file, [canvas], [answer])
    assert joints > 0
    assert worst_px > 20
    (answer,) = _answers(file, canvas)
    assert rebuild._compare(file, [canvas], [answer])[1] == 0


def _answers(file: Path, *canvases: np.ndarray) -> list[np.ndarray]:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(file)).get_signature_runner()
    return [next(iter(runner(input=canvas[None].astype(np.int32)).values())) for canvas in canvases]


def test_a_file_that_is_no_picture_is_told(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no picture")
    with pytest.raises(InputError, match=r"notes\.txt is not a picture"):
        rebuild.rebuild_movenet(tmp_path / "out", lambda line: None, [text])
    assert rebuild.main([str(tmp_path / "out"), str(text)]) == 2


def test_without_a_picture_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no picture to compare"):
        rebuild.rebuild_movenet(tmp_path / "out", lambda line: None, [])
    assert not (tmp_path / "out").exists()


def test_a_file_compared_on_no_joint_is_not_kept(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(shared / "models" / "tfhub_modules"))
    nobody = tmp_path / "nobody.png"
    cv2.imwrite(str(nobody), np.full((240, 320, 3), 127, np.uint8))
    lines: list[str] = []
    with pytest.raises(WeightsError, match="nothing could be compared"):
        rebuild.rebuild_movenet(tmp_path / "out", lines.append, [nobody])
    assert len(lines) == 1  # what was begun, and no summary
    assert list((tmp_path / "out").iterdir()) == []


def test_joints_that_are_no_numbers_do_not_agree() -> None:
    file = weights.path("movenet-lightning")
    canvas = np.zeros((192, 192, 3), np.uint8)
    answer = np.full((1, 1, 17, 3), np.nan, np.float32)
    answer[..., 2] = 1
    joints, worst_px = rebuild._compare(file, [canvas], [answer])
    with pytest.raises(WeightsError, match="differ by nan pixels"):
        rebuild._require_agreement("movenet-lightning", joints, worst_px)


def test_a_conversion_that_takes_too_long_is_stopped_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "_TIMEOUT_S", 0.1)
    with pytest.raises(WeightsError, match=r"had not converted the SavedModel after .* seconds"):
        rebuild._convert("movenet-lightning", *(tmp_path / name for name in "abc"))
