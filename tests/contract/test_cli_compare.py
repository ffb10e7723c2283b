"""`compare` with real models: the table, the files, a model that fails."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from estimators.cli.main import main
from estimators.media.pictures import read_picture
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from tests.unit.cli_process import SAMPLES, environment, estimators

MODELS = ("movenet-lightning", "movenet-multipose")
PICTURES = ("three_people_lab.jpg", "astronaut.jpg")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder and the terminal output of one comparison in every format."""
    folder = tmp_path_factory.mktemp("compared")
    done = estimators(
        *("compare", *(SAMPLES / name for name in PICTURES), "--models", ",".join(MODELS)),
        *("--output", folder / "out", "--format", "csv,coco", "--format", "json,parquet"),
        env=environment(folder / "cache"),
    )
    assert done.returncode == 0, done.stderr
    return folder / "out", done.stdout


def document(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "results.json").read_text())


def test_every_format_leaves_its_files(compared: tuple[Path, str]) -> None:
    folder, told = compared
    expected = {"results.json", "joints.csv", "frames.csv", "joints.parquet", "frames.parquet"}
    expected |= {"summary.json", "summary.csv", "summary.parquet", "verdict.json"}
    expected |= {"image_ids.csv", *(f"{model}.coco.json" for model in MODELS)}
    assert {file.name for file in folder.iterdir()} == expected
    assert all(str(folder / name) in told for name in expected)


def test_the_verdict_is_told_and_written(compared: tuple[Path, str]) -> None:
    folder, told = compared
    verdict = json.loads((folder / "verdict.json").read_text())
    assert len(verdict["pictures"]) == 2
    for answer in (*verdict["pictures"], verdict["all"]):
        assert answer["model"] in (*MODELS, None)
        assert answer["tier"] in ("consensus", "plausibility", "requirements", "none")
        assert answer["reasons"]
        assert set(answer["expected_quality"]) | set(answer["out"]) == set(MODELS)
    assert verdict["all"]["headline"] in told
    assert all(reason["text"] in told for reason in verdict["all"]["reasons"])


def test_the_table_names_people_scores_and_agreement(compared: tuple[Path, str]) -> None:
    _, told = compared
    lightning = next(line.split() for line in told.splitlines() if line.startswith(MODELS[0] + " "))
    assert lightning[1] == "2"  # one person a picture, and both pictures show somebody
    assert lightning[3] == "confidence"
    assert 0.2 < float(lightning[2]) < 1
    *figures, device = lightning[4:]
    assert len(figures) >= 3
    assert all(float(cell) > 0 for cell in figures)
    assert device == "cpu"
    pair = told.split("AGREEMENT OF")[1].splitlines()[1].split()
    assert tuple(pair[:2]) == MODELS
    assert int(pair[2]) == 2
    assert 0.5 < float(pair[3]) <= 1
    assert 0 < float(pair[4]) < 0.5


def test_files_hold_what_the_models_say(compared: tuple[Path, str]) -> None:
    """Nothing is thresholded or moved between the runner and the file."""
    results = document(compared[0])["results"]
    assert [(r["model"], r["file"]) for r in results] == [(m, p) for m in MODELS for p in PICTURES]
    runner = ProcessRunner(Settings())
    with contextlib.closing(runner):
        for result in results:
            frame = read_picture(SAMPLES / result["file"])
            poses = runner.estimate(result["model"], frame).estimate.poses
            assert (result["width"], result["height"]) == (frame.width, frame.height)
            people = result["frames"][0]["people"]
            assert len(people) == len(poses)
            xy = np.array([person["xy_px"] for person in people])
            # Another number of threads may add up in another order.
            np.testing.assert_allclose(xy, poses.xy, atol=0.05)


def test_tables_and_document_agree(compared: tuple[Path, str]) -> None:
    import pandas as pd

    folder, _ = compared
    people = {
        (r["model"], r["file"]): len(r["frames"][0]["people"]) for r in document(folder)["results"]
    }
    joints = list(csv.DictReader((folder / "joints.csv").open()))
    frames = list(csv.DictReader((folder / "frames.csv").open()))
    assert {(f["model"], f["file"]): int(f["returned"]) for f in frames} == people
    assert len(joints) == 17 * sum(people.values())
    assert len(pd.read_parquet(folder / "joints.parquet")) == len(joints)
    assert len(pd.read_parquet(folder / "frames.parquet")) == len(frames)
    assert all(float(f["inference_ms"]) > 0 for f in frames)


def test_files_say_who_is_the_same_person_in_both_models(compared: tuple[Path, str]) -> None:
    people = {
        (r["model"], r["file"]): [p["identity"] for p in r["frames"][0]["people"]]
        for r in document(compared[0])["results"]
    }
    for picture in PICTURES:
        (one,) = people[MODELS[0], picture]
        assert one in people[MODELS[1], picture]
    several = [number for number in people[MODELS[1], PICTURES[0]] if number is not None]
    assert len(set(several)) == len(several) >= 2


def test_coco_holds_everybody_under_running_numbers(compared: tuple[Path, str]) -> None:
    folder, _ = compared
    table = {
        int(r["image_id"]): r["file"] for r in csv.DictReader((folder / "image_ids.csv").open())
    }
    assert table == {1: PICTURES[0], 2: PICTURES[1]}
    for result in document(folder)["results"]:
        coco = json.loads((folder / f"{result['model']}.coco.json").read_text())
        mine = [c for c in coco if table[c["image_id"]] == result["file"]]
        assert len(mine) == len(result["frames"][0]["people"]) > 0
        assert all(len(c["keypoints"]) == 51 for c in mine)


def test_coco_results_are_evaluated_by_pycocotools(shared: Path, tmp_path: Path) -> None:
    """The ids come from the annotations, not from the file names, and the joints lie right.

    The first picture is annotated at twice its size, as after shrinking a data set.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    source = shared / "data" / "coco4"
    annotations = json.loads((source / "person_keypoints.json").read_text())
    for number, image in enumerate(annotations["images"], 9001):
        for person in annotations["annotations"]:
            person["image_id"] = number if person["image_id"] == image["id"] else person["image_id"]
        image["id"] = number
    first = annotations["images"][0]
    first["width"], first["height"] = 2 * first["width"], 2 * first["height"]
    for person in annotations["annotations"]:
        if person["image_id"] == first["id"]:
            x, y, v = np.reshape(person["keypoints"], (17, 3)).T
            person["keypoints"] = np.stack([2 * x + 0.5, 2 * y + 0.5, v], 1).ravel().tolist()
            person["bbox"] = [2 * side for side in person["bbox"]]
            person["area"] *= 4
    (tmp_path / "truth.json").write_text(json.dumps(annotations))
    done = estimators(
        *("compare", *sorted(source.glob("*.jpg")), "--models", "movenet-multipose-512"),
        *("--output", tmp_path / "out", "--format", "coco"),
        *("--annotations", tmp_path / "truth.json"),
        env=environment(tmp_path / "cache"),
    )
    assert done.returncode == 0, done.stderr
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(tmp_path / "truth.json"))
        found = truth.loadRes(str(tmp_path / "out" / "movenet-multipose-512.coco.json"))
        evaluation = COCOeval(truth, found, "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert set(found.getImgIds()) == {image["id"] for image in annotations["images"]}
    assert evaluation.stats[0] > 0.3
    assert done.stderr.count("annotated at another size") == 1


def test_annotations_that_do_not_know_a_picture(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text('{"images": [{"id": 3, "file_name": "other.jpg"}]}')
    done = estimators(
        *("compare", SAMPLES / "astronaut.jpg", "--output", tmp_path, "--format", "coco"),
        *("--annotations", tmp_path / "truth.json"),
        env=environment(tmp_path / "cache"),
    )
    assert done.returncode == 2
    assert "astronaut.jpg" in done.stderr


def test_a_model_that_fails_lets_the_others_go_on(tmp_path: Path) -> None:
    done = estimators(
        *("compare", SAMPLES / "astronaut.jpg", "--models", "keypointrcnn-fast,movenet-lightning"),
        *("--output", tmp_path / "out", "--format", "csv,coco"),
        env=environment(tmp_path / "cache"),
    )
    assert done.returncode == 1
    assert "keypointrcnn_resnet50_fpn_coco-fc266e95.pth" in done.stderr
    assert "keypointrcnn-fast  failed" in done.stdout
    assert not (tmp_path / "out" / "keypointrcnn-fast.coco.json").exists()
    assert json.loads((tmp_path / "out" / "movenet-lightning.coco.json").read_text())
    rows = {r["model"]: r for r in csv.DictReader((tmp_path / "out" / "frames.csv").open())}
    assert "is not here" in rows["keypointrcnn-fast"]["error"]
    assert rows["movenet-lightning"]["error"] == ""


def test_default_models_whose_weights_are_not_here_are_left_out(tmp_path: Path) -> None:
    done = estimators("compare", SAMPLES / "astronaut.jpg", env=environment(tmp_path / "cache"))
    assert done.returncode == 0
    assert "keypointrcnn-fast is left out" in done.stderr
    assert "movenet-lightning" in done.stdout
    assert "blazepose-full" in done.stdout
    assert "posenet" in done.stdout


def test_equal_names_are_told_apart_and_numbers_become_ids(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(SAMPLES / "astronaut.jpg", tmp_path / folder / "x.jpg")
    shutil.copy(SAMPLES / "astronaut.jpg", tmp_path / "000000000785.jpg")
    common = ("--models", "movenet-lightning", "--format", "coco", "--output")
    env = environment(tmp_path / "cache")
    files = (tmp_path / "a" / "x.jpg", tmp_path / "b" / "x.jpg")
    assert estimators("compare", *files, *common, tmp_path / "1", env=env).returncode == 0
    rows = list(csv.DictReader((tmp_path / "1" / "image_ids.csv").open()))
    assert [r["file"] for r in rows] == [file.as_posix() for file in files]
    numbered = tmp_path / "000000000785.jpg"
    assert estimators("compare", numbered, *common, tmp_path / "2", env=env).returncode == 0
    results = json.loads((tmp_path / "2" / "movenet-lightning.coco.json").read_text())
    assert {r["image_id"] for r in results} == {785}


def test_nobody_in_the_picture(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "grey").save(tmp_path / "empty.png")
    done = estimators(
        *("compare", tmp_path / "empty.png", "--models", ",".join(MODELS)),
        env=environment(tmp_path / "cache"),
    )
    assert done.returncode == 0, done.stderr
    for model in MODELS:
        row = next(line.split() for line in done.stdout.splitlines() if line.startswith(model))
        assert row[1:3] == ["0", "-"]


def test_what_was_marked_decides_for_pictures_and_clips(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    truth = SAMPLES / "annotations.json"  # as the page saves marks
    files = [str(SAMPLES / name) for name in ("grace_hopper.jpg", "balance.mp4")]
    models = "movenet-lightning,blazepose-full"
    arguments = ["compare", *files, "--models", models, "--truth", str(truth), "--stride", "10"]
    assert main([*arguments, "--no-video", "--output", str(tmp_path / "out")]) == 0
    said = capfd.readouterr()
    assert "marked images are none of the files given" in said.err
    for file, tier in (("verdict.json", None), ("balance/verdict.json", "truth")):
        verdict = json.loads((tmp_path / "out" / file).read_text())["all"]
        reasons = [reason["text"] for reason in verdict["reasons"]]
        (told,) = [text for text in reasons if " joints marked, " in text]
        assert told in said.out
        assert verdict["tier"] == (tier or verdict["tier"])
