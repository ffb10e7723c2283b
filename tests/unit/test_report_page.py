"""A report's page from a report made by hand: each number where it belongs."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from estimators.export.report_html.details import provenance, sections
from estimators.export.report_html.page import report_html
from estimators.export.report_html.pictures import ReportPicture, figure, small_jpeg, sources


def number(value: float | None, *interval: float, count: int = 0) -> dict[str, Any]:
    return {"value": value, "interval": interval or None, "count": count}


def model(title: str, **parts: Any) -> dict[str, Any]:
    kinds = {"good": 0.6, "jitter": 0.2, "inversion": 0.1, "swap": 0.05, "miss": None}
    return {
        "title": title,
        "kinds": {
            "shares": {kind: number(share) for kind, share in kinds.items()},
            "joints": 1234,
            "missed_people": 3,
            "background_people": 5,
        },
        "corrections": {
            "optimal_scores": number(0.5, 0.4, 0.6),
            "gains": [{"kind": "swap", "alone": 0.0126}, {"kind": "score", "alone": None}],
        },
        "joints": [
            {"joint": "nose", "labelled": 1500, "mean_similarity": 0.4567, "pck": None},
            {"joint": "left_knee", "labelled": 12, "mean_similarity": 0.8, "pck": 0.7894},
        ],
        "trust": {
            "best": {"coverage": 0.8125, "precision": 0.9375},
            "recommended": number(0.314, 0.25, 0.375),
            "reliability": [{"score": 0.25, "right": 0.5}, {"score": 0.75, "right": 1.0}],
            "thresholds": [{"coverage": 1.0, "precision": 0.5}],
            "kind": "confidence",
            "ece": 0.0625,
        },
        "slices": [
            {
                "group": "size",
                "name": "<large>",
                "people": 1100,
                "joints": 17000,
                "mean_ks": number(0.7, 0.625, 0.75),
            }
        ],
        **parts,
    }


def report(*models: dict[str, Any], **parts: Any) -> dict[str, Any]:
    found = {f"model-{i}": model for i, model in enumerate(models)}
    return {"models": found, "agreement": [], **parts}


def page_report(*models: dict[str, Any], **parts: Any) -> dict[str, Any]:
    machine = {"processor": "", "cores_available": 2, "memory_gb": 8, "system": "", "python": ""}
    about = {"name": "truth.json", "sha256": "", "format": "coco"}
    more = {"health": {"findings": []}, "notes": [], "sentences": [], "protocol_title": "Whole"}
    counts = {"pictures": 1200, "people": 3400, "joints": 56000, "draws": 1000, "seed": 1}
    verdict = {"headline": "A is best", "reasons": [{"text": "It is."}]}
    where = {"set": about, "machine": machine, "versions": {}, "created": "today"}
    return report(*models, **more, **counts, **where, verdict=verdict) | parts


def page_model(title: str, **parts: Any) -> dict[str, Any]:
    colours = {"light": f"{title}-light", "dark": f"{title}-dark"}
    cost = {"latency_ms": 12.345, "latency_busy": False, "memory_mb": 345.6}
    return model(title, colours=colours, **cost) | parts


def section(given: dict[str, Any], title: str) -> str:
    return part("\n".join(sections(given)), title)


def part(page: str, title: str) -> str:
    return page.split(f"<h2>{title}</h2>")[1].split("<h2>")[0]


def cells(section: str) -> list[list[str]]:
    """The rows of its table, what is small behind a slash."""
    rows = re.findall("<tr>(.*?)</tr>", section)
    each = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    return [
        [html.unescape(re.sub("<.*?>", "", c.replace("<small>", "/"))) for c in r] for r in each
    ]


def test_kinds_of_mistakes() -> None:
    """A kind that is unknown has no length; the corrections keep their order."""
    drawn = section(report(model("A"), model("B")), "Kinds of mistakes")
    widths = re.findall('<i class="(.+?)" style="width:(.+?)"', drawn)
    assert widths == 2 * [
        ("good", "60.00%"),
        ("jitter", "20.00%"),
        ("inversion", "10.00%"),
        ("swap", "5.00%"),
        ("miss", "0.00%"),
    ]
    assert drawn.count("of 1,234 joints") == 2
    assert cells(drawn) == [
        ["Model", "People missed", "Background", "AP, best ranking", "+\xa0swap", "+\xa0ranking"],
        ["A", "3", "5", "0.500/0.400 to 0.600", "0.013", "–"],
        ["B", "3", "5", "0.500/0.400 to 0.600", "0.013", "–"],
    ]


def test_joints() -> None:
    assert cells(section(report(model("A"), model("B")), "Joints")) == [
        ["Joint", "Labelled", "A", "B"],
        ["nose", "1,500", "0.46/–", "0.46/–"],
        ["left knee", "12", "0.80/78.9 %", "0.80/78.9 %"],
    ]


def test_what_scores_are_worth() -> None:
    drawn = section(report(model("A")), "What the scores are worth")
    assert (
        "Recommended threshold 0.31 (0.25 to 0.38) shows 81.2 % of the joints, of which 93.8 % are "
        "within KS 0.5. Expected calibration error 0.062.</p>"
    ) in drawn
    assert drawn.count('class="ideal"') == 1  # of the scores; shares of joints have no ideal
    assert 'd="M113.5,102.0L256.5,10.0"' in drawn
    assert 'aria-label="within KS 0.5 against confidence of a joint"' in drawn


@pytest.mark.parametrize(("kind", "diagonals"), [("visibility", 1), ("heatmap logit", 0)])
def test_only_probabilities_are_compared_with_themselves(kind: str, diagonals: int) -> None:
    trust = {**model("A")["trust"], "kind": kind, "ece": None}
    drawn = section(report(model("A", trust=trust)), "What the scores are worth")
    assert drawn.count('class="ideal"') == diagonals
    assert "calibration" not in drawn


def test_without_scores_nothing_is_said_of_them() -> None:
    trust = {**model("A")["trust"], "best": None}
    drawn = section(report(model("A", trust=trust)), "What the scores are worth")
    assert drawn.strip() == "<p>No model gives scores to its joints.</p>"


def test_parts_of_the_set() -> None:
    assert cells(section(report(model("A"), model("B")), "Parts of the set")) == [
        ["Part", "People", "Joints", "A", "B"],
        ["size: <large>", "1,100", "17,000", "0.70/0.62 to 0.75", "0.70/0.62 to 0.75"],
    ]


def test_invented_joints_of_the_models_that_were_asked() -> None:
    invented = {
        "crops": 1200,
        "joints": 3400,
        "invented": number(0.25),
        "guessed": number(0.5),
        "left_out": number(0.125),
        "invented_depth": 0.375,
        "ex_oks": number(0.75),
        "oks": number(0.875),
    }
    given = report(model("A"), model("B", invented=invented))
    assert cells(section(given, "Invented joints"))[1:] == [
        ["B", "1,200", "3,400", "0.250", "0.500", "0.125", "0.38", "0.750", "0.875"]
    ]
    assert "Invented joints" not in "".join(sections(report(model("A"))))


def test_what_agreement_is_worth() -> None:
    rows = [
        {"model": None, "correlation": number(0.5, 0.375, 0.625, count=2000)},
        {"model": "model-1", "correlation": number(None, count=3)},
    ]
    given = report(model("A"), model("B"), agreement=rows)
    assert cells(section(given, "What agreement is worth")) == [
        ["Model", "Rank correlation", "Joints"],
        ["All models", "0.50/0.38 to 0.62", "2,000"],
        ["B", "–", "3"],
    ]
    assert "agreement" not in "".join(sections(report(model("A"))))


def test_where_the_numbers_come_from() -> None:
    given = report(
        model("A", weights={"sha256": "12ab"}, runtime="onnx"),
        model("B", weights={"sha256": None}, runtime="torch"),
        model("C"),
        set={"name": "truth.json", "sha256": "34cd"},
        machine={
            "processor": "Abacus",
            "cores_available": 2,
            "memory_gb": 8,
            "system": "Linux",
            "python": "3.11",
        },
        versions={"numpy": "1.0", "scipy": "2.0"},
        created="today",
        draws=1000,
        seed=7,
    )
    drawn = provenance(given)
    assert re.findall("<p>(.*?)</p>", drawn) == [
        "Made today from truth.json (SHA-256 34cd).",
        "Abacus, 2 cores, 8 GB, Linux, Python 3.11.",
        "numpy 1.0, scipy 2.0.",
        "Intervals: 1,000 bootstrap draws of pictures, 95 %, seed 7.",
    ]
    assert cells(drawn) == [
        ["Model", "Weights (SHA-256)", "Runtime"],
        ["model-0", "12ab", "onnx"],
        ["model-1", "unknown", "torch"],
    ]


def test_the_first_figures_with_what_a_model_costs() -> None:
    """Columns of which some model knows the value, in the order of the headline."""
    a = page_model("A", AP=number(0.5, 0.4, 0.6), median_error=number(0.125), AR=number(None))
    where = {"device": "cuda:0", "name": "<A100>"}
    b = page_model("B", AP=number(0.25), latency_busy=True, memory_mb=None, device=where)
    a |= {"device": {"device": "cpu", "name": ""}}
    drawn = part(report_html(page_report(a, b, sentences=["A > B"])), "Accuracy")
    assert cells(drawn) == [
        ["Model", "AP", "median error (torsos)", "ms", "MB"],
        ["A", "0.500/0.400 to 0.600", "0.125", "12.3", "346"],
        ["B", "0.250", "–", "12.3/busy/<A100>", "–"],
    ]
    assert re.findall('style="width:(.+?)"', drawn) == ["50.00%", "25.00%"]
    assert drawn.endswith("<p>A &gt; B</p>")
    without = part(report_html(page_report(page_model("A", AR=number(0.5)))), "Accuracy")
    assert cells(without)[0] == ["Model", "AR", "ms", "MB"]
    assert "AP, with" not in without


def test_the_top_of_the_page() -> None:
    given = page_report(page_model("A"), page_model("B"), notes=["Two left out."])
    page = report_html(given)
    assert "<title>Accuracy on truth.json</title>" in page
    assert ":root{--model-0:A-light;--model-1:B-light;}" in page
    assert "@media(prefers-color-scheme:dark){:root{--model-0:A-dark;--model-1:B-dark;}}" in page
    assert (
        "<h1>Accuracy on truth.json</h1><p>1,200 pictures with 3,400 people and 56,000 labelled "
        'joints (coco). Whole.</p><p>Two left out.</p><div class="verdict"><strong>A is best'
        "</strong><ul><li>It is.</li></ul></div>"
    ) in page
    assert "About the annotations" not in page
    given["health"] = {"findings": [{"text": "One box lacks."}, {"text": "<b>"}]}
    assert (
        "<details><summary>About the annotations</summary><ul><li>One box lacks.</li>"
        "<li>&lt;b&gt;</li></ul></details>"
    ) in report_html(given)


def picture(name: str, **quality: float) -> ReportPicture:
    nobody = np.zeros((0, 17, 2))
    return ReportPicture(
        name, (320, 240), b"jpeg", nobody, {}, {f"model-{k}": q for k, q in quality.items()}
    )


def test_six_worst_pictures_of_each_model() -> None:
    of_both = [picture(f"{i}.jpg", **{"0": i / 10}) for i in (7, 3, 1, 6, 2, 5, 4)]
    given = page_report(page_model("A"), page_model("B"))
    drawn = part(report_html(given, of_both), "Worst pictures")
    shown = re.findall(r'href="#picture-(\d)".*?<figcaption>(\d)\.jpg<br>quality (0\.\d\d),', drawn)
    assert shown == [
        ("2", "1", "0.10"),
        ("4", "2", "0.20"),
        ("1", "3", "0.30"),
        ("6", "4", "0.40"),
        ("5", "5", "0.50"),
        ("3", "6", "0.60"),
    ]
    assert "<h3>" not in drawn.split("</h3>", 1)[1]  # nothing is known of B
    assert "Worst pictures" not in report_html(given)


def test_a_picture_with_truth_and_found_drawn_over_it() -> None:
    """Lines get thicker with the picture: its longer side is 160 pens."""
    truth, found = np.full((1, 17, 2), np.nan), np.full((2, 17, 2), np.nan)
    truth[0, 0], found[0, [5, 7]] = (1.26, 2), ((10, 20), (30, 40))
    drawn = figure(3, ReportPicture("a.jpg", (240, 320), b"", truth, {"m": found}), "m", "red")
    assert re.findall('<path class="(.+?)" stroke-width="(.+?)" d="(.*?)"', drawn) == [
        ("rim", "3.80", "M1.3 2.0h.01"),
        ("truth", "2.40", "M1.3 2.0h.01"),
        ("pose", "1.60", "M10.0 20.0L30.0 40.0M10.0 20.0h.01M30.0 40.0h.01"),
    ]
    assert '<svg viewBox="0 0 240 320"' in drawn
    assert '<use href="#picture-3"/>' in drawn
    assert "a.jpg<br>quality –, 1 annotated, 2 shown" in drawn
    assert "0 annotated, 0 shown" in figure(0, picture("b.jpg"), "m", "red")


def test_the_pixels_of_each_picture_stand_once() -> None:
    drawn = sources([picture("a.jpg"), picture("b.jpg")])
    each = re.findall('id="(.+?)" width="(.+?)" height="(.+?)".*?base64,(.+?)"', drawn)
    assert each == [
        ("picture-0", "320", "240", "anBlZw=="),
        ("picture-1", "320", "240", "anBlZw=="),
    ]


@pytest.mark.parametrize(
    ("height", "width", "small"),
    [(480, 100, (100, 480)), (962, 100, (50, 480)), (2, 4000, (480, 1)), (4000, 2, (1, 480))],
)
def test_copies_are_small(height: int, width: int, small: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    copy, usual = Image.open(io.BytesIO(small_jpeg(noise))), io.BytesIO()
    Image.new("RGB", small).save(usual, "JPEG", quality=72)
    assert (copy.format, copy.size) == ("JPEG", small)
    assert copy.quantization == Image.open(usual).quantization  # type: ignore[attr-defined]
