"""The files of an evaluation; docs/formats.md describes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from estimators.analysis.scale import above_thresholds, coco_xy
from estimators.datasets.health import HealthReport
from estimators.devices import Placement
from estimators.errors import InputError
from estimators.export.coco import write_coco
from estimators.export.coco_dataset import write_coco_dataset
from estimators.export.files import write_csv
from estimators.export.report_html.page import PICTURES_A_MODEL, write_report_html
from estimators.export.report_html.pictures import ReportPicture, small_jpeg
from estimators.export.sinks import Write
from estimators.workflows.benchmark.result import Benchmark
from estimators.workflows.evaluate.measure import Measured, image_ids, report_data
from estimators.workflows.evaluate.pictures import SetPictures
from estimators.workflows.verdicts import Verdicts

if TYPE_CHECKING:
    import pandas as pd


def report_files(
    measured: Measured,
    health: HealthReport,
    pictures: SetPictures | None = None,
    benchmark: Benchmark | None = None,
) -> Iterator[tuple[str, Write]]:
    """The name of each file, and what writes it.

    Args:
        pictures: that were read in the run.
        benchmark: how fast models are, where that was measured.
    """
    data = report_data(measured, health, benchmark)
    yield "report.json", partial(_json, data)
    worst = report_pictures(measured, pictures or SetPictures(kept_bytes=0))
    yield "report.html", partial(write_report_html, data, worst)
    yield "health.json", partial(_json, data["health"])
    yield "verdict.json", Verdicts((), (), measured.verdict).write
    for name, rows in tables(data).items():
        yield f"{name}.csv", partial(write_csv, rows)
    ids = image_ids(measured.outcome, as_annotated=True)
    for model, answers in measured.outcome.models.items():
        stem = (answers.placement or Placement()).named(model)
        yield f"{stem}.coco.json", partial(write_coco, answers.estimates, ids)
        limits = measured.thresholds[model]
        dataset = partial(write_coco_dataset, answers.estimates, ids, limits)
        yield f"{stem}.coco-dataset.json", dataset


def _json(data: Mapping[str, Any], sink: BinaryIO) -> None:
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    sink.write(text.encode())


def report_pictures(measured: Measured, read: SetPictures) -> list[ReportPicture]:
    """The pictures on which each model is worst, made small; those that can still be read."""
    outcome, truth = measured.outcome, measured.evaluation.truth
    quality = {model: measured.quality(model) for model in outcome.models}
    worst = {
        int(i)
        for values in quality.values()
        for i in np.argsort(values)[:PICTURES_A_MODEL]
        if np.isfinite(values[i])
    }
    places = {image.image_id: row for row, image in enumerate(outcome.annotated.images)}
    found = []
    for i in sorted(worst):
        image = truth.pictures[i]
        try:
            jpeg = small_jpeg(read.frame(image).image)
        except InputError:  # it is gone since the run
            continue
        people = [person.xy for person in image.people if person.judged]
        found.append(
            ReportPicture(
                image.file,
                (image.width, image.height),
                jpeg,
                np.array(people, np.float64).reshape(-1, 17, 2),
                {m: _shown(measured, m, places[image.image_id]) for m in outcome.models},
                {m: float(values[i]) for m, values in quality.items()},
            )
        )
    return found


def _shown(measured: Measured, model: str, row: int) -> Any:
    limits = measured.thresholds[model]
    poses = measured.outcome.models[model].estimates[row].poses(0)
    return coco_xy(above_thresholds(poses, limits.joint, limits.pose))


def tables(data: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """What `report.json` holds as tables, by name."""
    import pandas as pd

    models = data["models"]
    rows: dict[str, list[dict[str, Any]]] = {
        "figures": [row for model in models for row in _figures(model, models[model])],
        "joints": [
            {"model": model, **row, **_kinds(models[model], row["joint"])}
            for model in models
            for row in models[model]["joints"]
        ],
        "slices": [
            {"model": model, **_flat(row)} for model in models for row in models[model]["slices"]
        ],
        "thresholds": [
            {"model": model, "score_kind": models[model]["trust"]["kind"], **row}
            for model in models
            for row in models[model]["trust"]["thresholds"]
        ],
        "pictures": [
            {"image_id": p["image_id"], "file": p["file"], "people": p["people"], **each}
            for p in data["picture_list"]
            for each in _each(p["quality"])
        ],
    }
    return {name: pd.DataFrame(found) for name, found in rows.items() if found}


def _figures(model: str, numbers: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every figure that stands by itself, with its interval."""
    several: Sequence[tuple[str, Mapping[str, Any]]] = (
        ("", numbers),
        ("kind ", numbers["kinds"]["shares"]),
        ("", {"AP, best ranking": numbers["corrections"]["optimal_scores"]}),
        ("", {"recommended threshold": numbers["trust"]["recommended"]}),
        ("invented: ", numbers.get("invented") or {}),
    )
    for before, group in several:
        for name, value in group.items():
            if isinstance(value, Mapping) and "interval" in value:
                yield {"model": model, "figure": before + name, **_flat({"": value})}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row in which each figure has columns of its own: `pck`, `pck_low`, `pck_high`, …."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping) and "interval" in value:
            low, high = value["interval"] or (None, None)
            named = f"{name}_" if name else ""
            flat |= {name or "value": value["value"], f"{named}low": low, f"{named}high": high}
            flat[f"{named}count"] = value["count"]
        else:
            flat[name] = value
    return flat


def _kinds(numbers: Mapping[str, Any], joint: str) -> dict[str, int]:
    return dict(zip(numbers["kinds"]["shares"], numbers["kinds"]["by_joint"][joint], strict=True))


def _each(quality: Mapping[str, float | None]) -> Iterator[dict[str, Any]]:
    return ({"model": model, "quality": value} for model, value in quality.items())
