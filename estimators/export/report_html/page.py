"""The page: sections from top to bottom, each from the part of the report that it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from estimators.export.report_html import details
from estimators.export.report_html.parts import bars, number, table, text, with_interval
from estimators.export.report_html.pictures import ReportPicture, figure, sources
from estimators.export.report_html.speed import speed
from estimators.export.sinks import Sink, opened
from estimators.numerals import counted, people

Report = Mapping[str, Any]
_STYLE = Path(__file__).with_name("style.css")
HEADLINE = ("AP", "AP50", "AP75", "APm", "APl", "AR", "PCK@0.2", "PCKh@0.5", "median_error")
PICTURES_A_MODEL = 6


def write_report_html(report: Report, pictures: Sequence[ReportPicture], sink: Sink) -> None:
    """Writes the page.

    Args:
        report: what `report.json` holds.
        pictures: those that are shown, of which each model's worst come first.
    """
    with opened(sink) as file:
        file.write(report_html(report, pictures).encode())


def report_html(report: Report, pictures: Sequence[ReportPicture] = ()) -> str:
    """The page as one text, without anything that would be fetched."""
    title = f"Accuracy on {report['set']['name']}"
    body = "".join(_sections(report, pictures, title))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{text(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE.read_text('utf-8')}{_colours(report)}</style></head>"
        f"<body>{body}</body></html>"
    )


def _colours(report: Report) -> str:
    def values(theme: str) -> str:
        each = enumerate(report["models"].values())
        return "".join(f"--model-{i}:{model['colours'][theme]};" for i, model in each)

    dark = f"@media(prefers-color-scheme:dark){{:root{{{values('dark')}}}}}"
    return f":root{{{values('light')}}}{dark}"


def _sections(report: Report, pictures: Sequence[ReportPicture], title: str) -> Iterator[str]:
    yield f"<h1>{text(title)}</h1>{_summary(report)}{_verdict(report)}"
    yield f"<h2>Accuracy</h2>{_headline(report)}"
    yield from details.sections(report)
    yield speed(report)
    yield _worst(report, pictures)
    yield details.provenance(report)


def _summary(report: Report) -> str:
    health, about = report["health"], report["set"]
    lines = [
        f"{counted(report['pictures'], 'picture')} with {people(report['people'])} and "
        f"{counted(report['joints'], 'labelled joint')} ({about['format']}). "
        f"{report['protocol_title']}.",
        *report["notes"],
    ]
    found = "".join(f"<li>{text(f['text'])}</li>" for f in health["findings"])
    health_list = f"<details><summary>About the annotations</summary><ul>{found}</ul></details>"
    paragraphs = "".join(f"<p>{text(line)}</p>" for line in lines)
    return paragraphs + (health_list if found else "")


def _verdict(report: Report) -> str:
    answer = report["verdict"]
    reasons = "".join(f"<li>{text(reason['text'])}</li>" for reason in answer["reasons"])
    headline = text(answer["headline"])
    return f'<div class="verdict"><strong>{headline}</strong><ul>{reasons}</ul></div>'


def _headline(report: Report) -> str:
    models = report["models"]
    shown = [m for m in HEADLINE if any(_known(model.get(m)) for model in models.values())]
    rows = [
        [
            details.name_of(report, key),
            *(with_interval(model.get(metric)) for metric in shown),
            number(model["latency_ms"], 1)
            + ("<small>busy</small>" if model["latency_busy"] else "")
            + _on_a_gpu(model.get("device")),
            number(model["memory_mb"], 0),
        ]
        for key, model in models.items()
    ]
    names = [details.METRIC_TITLES.get(metric, metric) for metric in shown]
    parts = [table(["Model", *map(text, names), "ms", "MB"], rows)]
    if "AP" in shown:
        each = [
            (details.name_of(report, key), details.colour_of(report, key), model["AP"])
            for key, model in models.items()
        ]
        parts.append(f"<h3>AP, with its 95 % interval</h3>{bars(each)}")
    parts += [f"<p>{text(sentence)}</p>" for sentence in report["sentences"]]
    return "".join(parts)


def _on_a_gpu(device: Mapping[str, Any] | None) -> str:
    """The GPU that a latency is of; nothing for the CPU, which the machine's line names."""
    if device is None or device["device"] == "cpu":
        return ""
    return f"<small>{text(device['name'] or device['device'])}</small>"


def _known(figure: Mapping[str, Any] | None) -> bool:
    return figure is not None and figure["value"] is not None


def _worst(report: Report, pictures: Sequence[ReportPicture]) -> str:
    if not pictures:
        return ""
    parts = [
        "<h2>Worst pictures</h2><p>The truth is white, what the model shows is in its colour. "
        "Quality is the sum of the OKS of the people found over the people annotated and those "
        "found who are nobody.</p>",
        sources(pictures),
    ]
    for key in report["models"]:
        judged = [i for i, picture in enumerate(pictures) if key in picture.quality]
        ranked = sorted(judged, key=lambda i: pictures[i].quality[key])[:PICTURES_A_MODEL]
        shown = "".join(figure(i, pictures[i], key, details.colour_of(report, key)) for i in ranked)
        if shown:
            name = details.name_of(report, key)
            parts.append(f'<h3>{name}</h3><div class="plots">{shown}</div>')
    return "".join(parts)
