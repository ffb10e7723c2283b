"""Evaluations that were started elsewhere, in shards or on a cluster: followed, and opened.

Only what whoever runs the server has put under `POSE_RESULTS` is offered, by its name: a visitor
chooses among folders and can name none.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from estimators.cluster.follow import Followed, follow
from estimators.media.names import printable
from estimators.numerals import counted
from estimators.registry import MODELS
from pages.ui.columns import explained
from pages.ui.polling import polled
from pages.ui.running import pace
from pages.ui.text import duration, escaped, said

_LOOK_S = 2.0
_MOST_RUNS = 200
_REPORT, _NUMBERS = "report.html", "report.json"
_FIGURES = ("AP", "AP50", "AP75", "AR")
_Rows = list[dict[str, Any]]
_STATES = {
    "waiting": ":material/schedule:",
    "running": ":material/play_arrow:",
    "done": ":material/check:",
    "cancelled": ":material/stop:",
    "failed": ":material/error:",
}


def show_runs(root: Path) -> None:
    """A run of the folder to look at: how far it is, or what it came to."""
    names = _runs(root)
    if not names:
        st.info(
            "There are no runs here yet: `python -m estimators evaluate … --shard 1/4`, or `--on`, "
            "into a folder in the server's folder of results.",
            icon=":material/folder_open:",
        )
        return
    name = st.selectbox("Run", names, format_func=printable, key="run")
    if name is None:
        return
    (_look_again if _goes_on(follow(root / name)) else _look)(root / name)


def _runs(root: Path) -> list[str]:
    """The newest first; links are passed over, since they may lead out of the folder."""
    try:
        folders = [f for f in root.iterdir() if f.is_dir() and not f.is_symlink()]
        newest = sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True)
    except OSError:
        return []
    return [f.name for f in newest[:_MOST_RUNS] if (f / _NUMBERS).is_file() or follow(f)]


@polled(_LOOK_S)
def _look_again(folder: Path) -> None:
    if not _goes_on(follow(folder)):
        st.rerun()  # drawn once more, and not again and again
    _look(folder)


def _goes_on(found: Followed | None) -> bool:
    return found is not None and found.progress.state in ("waiting", "running")


def _look(folder: Path) -> None:
    found = follow(folder)
    if found is not None:
        with st.container(border=True, key="run_progress"):
            _how_far(found)
    came_to = _came_to(folder)
    if came_to is not None:
        _show(folder, *came_to)
    elif found is not None and found.complete:
        st.caption("All is computed; `python -m estimators merge` makes the report.")
    elif found is not None and found.progress.state == "done":
        st.caption("What has begun is computed; other shards are not here yet.")


def _how_far(found: Followed) -> None:
    progress = found.progress
    answers = f"{progress.done:,} of {progress.total:,} answers" if progress.total else "Clips"
    of = f" of {found.of}" if found.of else ""
    shards = f" · {found.shards}{of} shards have begun" if max(found.shards, found.of) > 1 else ""
    asked = any(model.state in ("waiting", "running") for model in progress.models)
    clips = " · clips are left" if progress.state == "running" and not asked else ""
    st.progress(progress.share, f"{answers}{shards}{clips}")
    for model in progress.models:
        title = MODELS[model.model].title if model.model in MODELS else escaped(model.model)
        failed = f" · {model.failed:,} failed" if model.failed else ""
        left = model.left_s
        rate = f" · {pace(model.rate, left)}" if model.state == "running" and left else ""
        error = f" · {escaped(model.error)}" if model.error else ""
        st.markdown(
            f"{_STATES[model.state]} **{title}** {model.done:,} of {counted(model.total, 'answer')}"
            f"{failed}{rate}{error}"
        )
    if found.lost:
        st.warning(
            f"Nothing has been heard for {duration(found.age_s)}: whoever ran it is gone. The same "
            "command goes on from there.",
            icon=":material/warning:",
        )


def _came_to(folder: Path) -> tuple[_Rows, list[str]] | None:
    """What `report.json` says; None where it is not there yet, or not ours."""
    path = folder / _NUMBERS
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError):
        return None


@st.cache_data(max_entries=8, show_spinner=False)
def _read(path: Path, changed_ns: int) -> tuple[_Rows, list[str]]:
    """Each model's figures, and the notes; it lists every picture and may be large."""
    data = json.loads(path.read_bytes())
    if not str(data["format"]).startswith("pose-evaluation/"):
        raise ValueError("of another format")
    rows = [
        {"Model": str(about["title"]), **{name: about[name]["value"] for name in _FIGURES}}
        for about in data["models"].values()
    ]
    return rows, [str(note) for note in data["notes"]]


def _show(folder: Path, rows: _Rows, notes: list[str]) -> None:
    table = pd.DataFrame(rows)
    st.dataframe(
        table,
        hide_index=True,
        column_config=explained(
            table, {n: st.column_config.NumberColumn(format="%.3f") for n in _FIGURES}
        ),
    )
    for note in notes:
        st.caption(said(note))
    if (folder / _REPORT).is_file():
        st.download_button(
            "Report",
            partial((folder / _REPORT).read_bytes),
            _REPORT,
            "text/html",
            key="download_run",
            on_click="ignore",
            icon=":material/summarize:",
        )
