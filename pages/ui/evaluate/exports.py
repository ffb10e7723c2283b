"""Files to keep of an evaluation: the report to send to a colleague, and every number."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from estimators.datasets.health import HealthReport
from estimators.export.sinks import write_zip
from estimators.workflows.benchmark.result import Benchmark
from estimators.workflows.evaluate.files import report_files
from pages.ui.benchmark.work import measured_last
from pages.ui.evaluate.found import Found
from pages.ui.server.files import folder
from pages.ui.server.on_disk import made


def exports(found: Found, health: HealthReport) -> None:
    """What `python -m estimators evaluate` writes for the same set.

    What was measured on the Benchmark page of this session goes into the report.
    """
    speed = measured_last()
    with st.container(horizontal=True, key="evaluate_exports"):
        st.download_button(
            "Report",
            partial(_report, found, health, speed, folder()),
            "report.html",
            "text/html",
            key="download_report",
            on_click="ignore",
            icon=":material/summarize:",
            help="Saves report.html: tables, charts and the worst pictures in one file that opens "
            "without a network",
        )
        st.download_button(
            "All files",
            partial(_zip, found, health, speed, folder()),
            "evaluation.zip",
            "application/zip",
            key="download_evaluation",
            on_click="ignore",
            icon=":material/folder_zip:",
            help="Saves evaluation.zip: report.json and report.html, CSV tables, the verdict, and "
            "each model's predictions as COCO results and as a COCO dataset to correct",
        )


def _report(found: Found, health: HealthReport, speed: Benchmark | None, where: Path) -> bytes:
    write = dict(report_files(found.measured, health, None, speed))["report.html"]
    return made(write, where)


def _zip(found: Found, health: HealthReport, speed: Benchmark | None, where: Path) -> bytes:
    return made(partial(write_zip, report_files(found.measured, health, None, speed)), where)
