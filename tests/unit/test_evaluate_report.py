"""A report's numbers, words, tables and page, from answers whose accuracy is known."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from estimators.analysis.accuracy.coco_ap import STATS
from estimators.analysis.thresholds import Thresholds
from estimators.annotated import AnnotatedSet
from estimators.datasets.coco import from_coco
from estimators.datasets.health import HealthReport
from estimators.export.report_html.details import sections
from estimators.export.report_html.pictures import ReportPicture, figure, small_jpeg
from estimators.export.sinks import to_bytes, write_all
from estimators.registry import get
from estimators.types import Frame, PoseSet
from estimators.workflows.evaluate.answers import Evaluated
from estimators.workflows.evaluate.asks import EvaluateSettings
from estimators.workflows.evaluate.files import report_files
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.measure import (
    Measured,
    about_the_best,
    measure,
    notes,
    picture_cases,
    report_data,
)
from tests.unit.evaluate_stand import LIGHTNING, MULTI, StandInRunner, annotated_set, at, found

HEALTH = HealthReport("coco", "/somebody/s home/truth.json", 8, 8, 8, 136)


def poses(model: str, frame: Frame) -> PoseSet:
    """MultiPose is a little off, Lightning further; both miss nobody."""
    shade = int(frame.image[0, 0, 0])
    off = (0.4 if model == MULTI else 2.0) * (1 + shade % 3)
    x, y = (30, 12) if frame.width == 120 else (10, 10)
    return found(model, at(x + off, y), score=0.3 + shade / 20)


def outcome(truth: AnnotatedSet, **more: object) -> Evaluated:
    settings = EvaluateSettings((LIGHTNING, MULTI), **more)  # type: ignore[arg-type]
    job = EvaluateJob(StandInRunner(poses), truth, settings)
    job.run()
    assert job.outcome is not None
    return job.outcome


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> AnnotatedSet:
    return annotated_set(tmp_path_factory.mktemp("set"), 8)


@pytest.fixture(scope="module")
def measured(truth: AnnotatedSet) -> Measured:
    return measure(outcome(truth))


@pytest.fixture(scope="module")
def folder(measured: Measured, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every file of a report."""
    where = tmp_path_factory.mktemp("report")
    _, failed = write_all((where / n, w) for n, w in report_files(measured, HEALTH))
    assert failed is None
    return where


def coco_file(truth: AnnotatedSet, scale: float = 1.0) -> dict[str, object]:
    """The set as a COCO file, its pixels `scale` times as large."""
    annotations = []
    for image, person in truth.people():
        xy = (person.xy * scale) - 0.5
        assert person.box_xyxy is not None
        left, top, right, bottom = (side * scale for side in person.box_xyxy)
        annotations.append(
            {
                "id": person.annotation_id,
                "image_id": image.image_id,
                "category_id": 1,
                "iscrowd": 0,
                "num_keypoints": 17,
                "keypoints": np.column_stack([xy, person.visibility]).ravel().tolist(),
                "bbox": [left, top, right - left, bottom - top],
                "area": person.area * scale**2,
            }
        )
    images = [{"id": image.image_id, "file_name": image.file} for image in truth.images]
    categories = [{"id": 1, "name": "person"}]
    return {"images": images, "annotations": annotations, "categories": categories}


def by_pycocotools(truth: dict[str, object], results: Path, tmp_path: Path) -> np.ndarray:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(truth))
    with contextlib.redirect_stdout(io.StringIO()):
        annotations = COCO(str(path))
        evaluation = COCOeval(annotations, annotations.loadRes(str(results)), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


@pytest.mark.parametrize("model", [LIGHTNING, MULTI])
def test_ap_is_what_pycocotools_says_of_the_written_file(
    truth: AnnotatedSet, folder: Path, tmp_path: Path, model: str
) -> None:
    numbers = json.loads((folder / "report.json").read_text())["models"][model]
    stats = by_pycocotools(coco_file(truth), folder / f"{model}.coco.json", tmp_path)
    told = [numbers[name]["value"] for name in STATS]
    np.testing.assert_allclose([-1 if v is None else v for v in told], stats, atol=1e-9)
    assert 0 < numbers["AP"]["value"] <= 1
    low, high = numbers["AP"]["interval"]
    assert low <= numbers["AP"]["value"] <= high


def test_pictures_annotated_at_another_size_are_exported_in_their_pixels(
    truth: AnnotatedSet, tmp_path: Path
) -> None:
    twice = np.array([[2.0, 0, 0], [0, 2.0, 0]])
    images = tuple(replace(image, to_annotated=twice) for image in truth.images)
    again = measure(outcome(replace(truth, images=images), invented=False))
    files = dict(report_files(again, HEALTH))
    (tmp_path / "found.json").write_bytes(to_bytes(files[f"{MULTI}.coco.json"]))
    stats = by_pycocotools(coco_file(truth, 2.0), tmp_path / "found.json", tmp_path)
    told = [again.evaluation.report.models[MULTI].figures[name].value for name in STATS]
    np.testing.assert_allclose(np.nan_to_num(told, nan=-1), stats, atol=1e-9)
    assert stats[0] > 0.1


def test_the_better_model_is_said_to_be_better_and_recommended(measured: Measured) -> None:
    report = measured.evaluation.report
    assert report.models[MULTI].figures["AP"].value > report.models[LIGHTNING].figures["AP"].value
    assert measured.verdict.model == MULTI
    assert measured.verdict.tier == "truth"
    first, *others = map(str, measured.verdict.reasons)
    assert "MoveNet MultiPose is" in first
    assert "better than MoveNet Lightning" in first
    assert any("7.0 ms" in reason for reason in others)
    assert any("50 MB" in reason for reason in others)


def test_a_report_tells_where_its_numbers_come_from(measured: Measured) -> None:
    data = report_data(measured, HEALTH)
    assert data["format"] == "pose-evaluation/1"
    assert data["set"]["name"] == data["health"]["name"] == "truth.json"
    numbers = data["models"][MULTI]
    assert len(numbers["weights"]["sha256"]) == 64
    assert numbers["people_asked"] == 6
    assert data["versions"]["numpy"] == np.__version__
    assert data["machine"]["cores_available"] >= 1
    assert "home" not in json.dumps(data)
    listed = {p["file"]: p for p in data["picture_list"]}
    assert listed["3.png"]["image_id"] == 13
    assert listed["3.png"]["quality"][MULTI] > listed["3.png"]["quality"][LIGHTNING]


def test_that_pictures_are_too_few_is_said_once_of_all_models(truth: AnnotatedSet) -> None:
    report = measure(outcome(truth)).evaluation.report
    (d,) = [d for d in report.differences if d.metric == "AP"]
    unknown = [replace(d, other=m, low=np.nan) for m in (LIGHTNING, "posenet", "blazepose-lite")]
    assert about_the_best(replace(report, differences=unknown, sentences=("", "", ""))) == [
        "Too few pictures to tell MoveNet MultiPose from MoveNet Lightning, PoseNet and BlazePose "
        "lite: it takes 6 pictures with people."
    ]
    (said,) = about_the_best(report)
    assert said.startswith("MoveNet MultiPose is 0.")


@pytest.mark.parametrize("protocol", ["whole", "crop"])
def test_one_picture_is_called_no_set(tmp_path: Path, protocol: str) -> None:
    def said(pictures: int) -> str:
        found = measure(outcome(annotated_set(tmp_path, pictures), protocol=protocol))
        return found.verdict.headline + " ".join(map(str, found.verdict.reasons))

    assert "set of pictures" not in said(1)
    assert "set of pictures" in said(2)


def test_thresholds_hide_in_the_verdict_and_cut_nothing_from_ap(truth: AnnotatedSet) -> None:
    ran = outcome(truth, invented=False)
    plain = measure(ran)
    strict = measure(ran, {MULTI: Thresholds(0.9, -np.inf)})
    ap = [m.evaluation.report.models[MULTI].figures["AP"] for m in (plain, strict)]
    assert ap[0] == ap[1]
    assert plain.verdict.model == MULTI
    assert strict.verdict.model == LIGHTNING  # the other one shows nobody


def test_quality_is_oks_over_people_and_nobodies(truth: AnnotatedSet) -> None:
    def two(model: str, frame: Frame) -> PoseSet:
        return found(model, at(30, 12), at(95, 12))

    job = EvaluateJob(StandInRunner(two), truth, EvaluateSettings((MULTI,), invented=False))
    job.run()
    assert job.outcome is not None
    measured = measure(job.outcome)
    np.testing.assert_allclose(measured.quality(MULTI), 0.5, atol=1e-6)


def test_pictures_behind_a_model_come_the_worst_first(measured: Measured) -> None:
    for model in (MULTI, LIGHTNING):
        cases = picture_cases(measured, model)
        quality = measured.quality(model)
        assert [c.similarity for c in cases] == sorted(quality[np.isfinite(quality)])


def test_single_person_models_are_said_to_be_unfairly_judged(truth: AnnotatedSet) -> None:
    whole, crop = (outcome(truth, protocol=p, invented=False) for p in ("whole", "crop"))
    assert any("judges such models fairly" in note for note in notes(whole))
    assert not any("judges such models fairly" in note for note in notes(crop))


class Page(HTMLParser):
    """Collects tags that could fetch something, and checks that all are closed."""

    void = frozenset(("meta", "br", "image", "use", "path", "circle"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "iframe", "object", "embed")
        self.addresses += [v or "" for n, v in attrs if n in ("href", "src", "srcset")]
        self.ids += [v or "" for n, v in attrs if n == "id"]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self.open.pop() == tag


def test_the_page_stands_alone(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    page = Page(text)
    assert page.open == []
    assert all(a.startswith(("data:image/jpeg;base64,", "#")) for a in page.addresses)
    assert {a[1:] for a in page.addresses if a.startswith("#")} <= set(page.ids)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org)", text)
    data = json.loads((folder / "report.json").read_text())
    for numbers in data["models"].values():
        assert numbers["title"].replace("'", "&#x27;") in text
        assert f"{numbers['AP']['value']:.3f}" in text
    assert data["verdict"]["headline"] in text
    assert "prefers-color-scheme:dark" in text


def test_the_table_of_joints_has_one_column_a_model(folder: Path) -> None:
    """KS with PCK under it: two columns a model did not fit beside each other in a window."""
    html = (folder / "report.html").read_text("utf-8")
    table = html.split("<h2>Joints</h2>")[1].split("</table>")[0]
    models = json.loads((folder / "report.json").read_text("utf-8"))["models"]
    assert table.count('<th scope="col">') == 2 + len(models)
    assert table.count("<small>") == 17 * len(models)


def test_each_model_shows_its_six_worst_pictures_made_small(
    measured: Measured, folder: Path
) -> None:
    text = (folder / "report.html").read_text()
    for model in (LIGHTNING, MULTI):
        section = text.split(f'</span>{get(model).title}</h3><div class="plots"><figure>')[-1]
        section = section.split("</div>")[0]
        listed = re.findall(r"(\d)\.png<br>quality (0\.\d\d), 1 annotated, 1 shown", section)
        quality = np.round(measured.quality(model), 2)
        worst = np.sort(quality)[:6]
        assert len(listed) == 6
        np.testing.assert_allclose([float(q) for _, q in listed], worst)
    image = np.zeros((1000, 2000, 3), np.uint8)
    assert Image.open(io.BytesIO(small_jpeg(image))).size == (480, 240)
    assert Image.open(io.BytesIO(small_jpeg(image[:90, :120]))).size == (120, 90)


def test_names_are_text_in_page_and_tables(truth: AnnotatedSet) -> None:
    hostile = "=1+1<script>alert(1)</script>\n\udce9.png"
    first, *others = truth.images
    evil = replace(truth, images=(replace(first, file=hostile), *others), name="<b>truth</b>.json")
    files = dict(report_files(measure(outcome(evil, invented=False)), HEALTH))
    text = to_bytes(files["report.html"]).decode()
    Page(text)
    assert "&lt;script&gt;" in text
    assert "&lt;b&gt;truth&lt;/b&gt;" not in text  # a path: what is behind its last slash
    assert "<b>truth" not in text
    rows = to_bytes(files["pictures.csv"]).decode().splitlines()
    assert any(r"'=1+1<script>alert(1)</script>\n\udce9.png" in row for row in rows)
    for name, write in files.items():
        to_bytes(write).decode("utf-8"), name


def test_tables_hold_every_figure_of_the_report(folder: Path) -> None:
    data = json.loads((folder / "report.json").read_text())
    rows = list(csv.DictReader((folder / "figures.csv").open()))
    figures = {(row["model"], row["figure"]): row["value"] for row in rows}
    assert list(rows[0]) == ["model", "figure", "value", "low", "high", "count"]
    assert float(figures[MULTI, "AP"]) == pytest.approx(data["models"][MULTI]["AP"]["value"])
    assert (MULTI, "invented: ex_oks") in figures
    assert (MULTI, "kind swap") in figures
    joints = (folder / "joints.csv").read_text().splitlines()
    assert len(joints) == 1 + 17 * len(data["models"])
    assert "inversion" in joints[0]


def test_predictions_leave_as_a_dataset_to_be_corrected(truth: AnnotatedSet, folder: Path) -> None:
    """What it says is read as annotations again, of the same pictures."""
    data = json.loads((folder / f"{MULTI}.coco-dataset.json").read_text())
    assert [image["id"] for image in data["images"]] == [i.image_id for i in truth.images]
    read = from_coco((folder / f"{MULTI}.coco-dataset.json").read_bytes(), "found")
    assert [len(image.people) for image in read] == [1] * len(truth.images)


def test_every_key_and_file_is_described(folder: Path) -> None:
    described = (Path(__file__).parents[2] / "docs/formats.md").read_text()
    data = json.loads((folder / "report.json").read_text())
    about = {"family", "variant", "skeleton", "score_kind", "score_meaning", "runtime", "engine"}
    about |= {"default_threshold", "default_pose_threshold", "gives_3d", "same_weights_as"}
    keys = {*data, *data["models"][MULTI]} - about - {"licence"}  # of `manifest.json`
    assert {key for key in keys if f"`{key}`" not in described} == set()
    names = {file.name.replace(MULTI, "<model>") for file in folder.iterdir()}
    assert {n for n in names if LIGHTNING not in n and f"`{n}`" not in described} == set()


def test_a_set_in_which_nobody_is_found_is_reported(truth: AnnotatedSet, tmp_path: Path) -> None:
    def nobody(model: str, frame: Frame) -> PoseSet:
        return found(model).select([])

    job = EvaluateJob(StandInRunner(nobody), truth, EvaluateSettings((MULTI,)))
    job.run()
    assert job.outcome is not None
    measured = measure(job.outcome)
    _, failed = write_all((tmp_path / n, w) for n, w in report_files(measured, HEALTH))
    assert failed is None
    data = json.loads((tmp_path / "report.json").read_text())
    assert data["models"][MULTI]["AP"]["value"] == 0
    assert data["verdict"]["model"] is None
    Page((tmp_path / "report.html").read_text())


def test_poses_lie_in_the_pictures_of_the_report_where_they_were_found() -> None:
    here = np.full((1, 17, 2), np.nan)
    here[0, [5, 7]] = (10.26, 20.5), (30, 44)  # left shoulder and elbow
    picture = ReportPicture("a.jpg", (64, 48), b"", np.zeros((0, 17, 2)), {"x": here}, {})
    drawn = figure(0, picture, "x", "red")
    assert 'd="M10.3 20.5L30.0 44.0M10.3 20.5h.01M30.0 44.0h.01"' in drawn
    assert "0 annotated, 1 shown" in drawn


def test_the_report_shows_what_the_scores_of_the_others_are_worth(folder: Path) -> None:
    """The first model gives none; parts of the set have two decimals, as KS is read."""
    data = json.loads((folder / "report.json").read_text())
    first, second = list(data["models"])[:2]
    data["models"][first]["trust"]["best"] = None
    told = dict(re.findall(r"<h2>(.+?)</h2>(.*)", "\n".join(sections(data))))
    assert data["models"][second]["title"] in told["What the scores are worth"]
    assert "Recommended threshold" in told["What the scores are worth"]
    part = data["models"][second]["slices"][0]["mean_ks"]
    assert f"<td>{part['value']:.2f}<small>" in told["Parts of the set"]
