"""Python, the installed packages, and whether they can be imported.

Each framework is imported in a process of its own: they crash each other in one, and one that ends
its process must not end the examination.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

from estimators import libraries, supported
from estimators.doctor.report import INSTALL, Finding
from estimators.runtime.ends import exit_in_words

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 180
_PIN = re.compile(r"^([A-Za-z0-9_.-]+)\s*(==|<)\s*([0-9][\w.]*)", re.MULTILINE)
_CHILD = "estimators.doctor.imports_child"
# What is imported together, in one process; the first of a name is what is told.
TOGETHER = (
    *("numpy", "PIL.Image", "av", "cv2", "scipy.optimize", "pandas", "pyarrow", "yaml"),
    *("pycocotools.cocoeval", "plotly.graph_objects", "psutil", "platformdirs", "filelock"),
    *("pynvml", "requests", "aiortc", "streamlit", "streamlit_webrtc"),
)
# In a process each.  TensorFlow only runs the `-tfhub` variants, which check the others.
FRAMEWORKS = ("ai_edge_litert.interpreter", "mediapipe.tasks.python.vision", "torchvision")
OPTIONAL = ("tensorflow", "tensorflow_hub")
_ONLY_REFERENCES = "only the -tfhub variants need it"


def python() -> Iterator[Finding]:
    """Python's version, the system and the processor."""
    wrong = supported.problem_here()
    here = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    if wrong:
        yield Finding("Python", "broken", f"{here}: {wrong}", supported.ADVICE)
    else:
        yield Finding("Python", "fine", here)


def installed() -> Iterator[Finding]:
    """The versions of `requirements.txt` against those that are installed."""
    pins = _PIN.findall((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    absent: list[str] = []
    unused: list[str] = []
    other: list[str] = []
    for name, relation, version in pins:
        try:
            here = metadata.version(name)
        except metadata.PackageNotFoundError:
            (unused if name.replace("-", "_") in OPTIONAL else absent).append(name)
            continue
        # PyTorch's CPU build calls itself 2.14.1+cpu.
        if relation == "==" and here.partition("+")[0] != version:
            other.append(f"{name} {here} instead of {version}")
    if absent:
        yield Finding("packages", "broken", f"not installed: {', '.join(absent)}", INSTALL)
    if unused:
        words = f"not installed: {', '.join(unused)} ({_ONLY_REFERENCES})"
        yield Finding("packages", "note", words, INSTALL)
    if other:
        yield Finding("packages", "note", f"other versions: {', '.join(other)}", INSTALL)
    if not (absent or unused or other):
        yield Finding("packages", "fine", f"the {len(pins)} of requirements.txt")


def imports() -> Iterator[Finding]:
    """Whether every package can be imported."""
    groups = [TOGETHER, *((name,) for name in FRAMEWORKS), OPTIONAL]
    with ThreadPoolExecutor(2) as pool:
        failures = [failure for found in pool.map(_failures, groups) for failure in found.items()]
    for module, words in failures:
        optional = module in OPTIONAL
        yield Finding(
            f"import {module.partition('.')[0]}",
            "note" if optional else "broken",
            f"{words} ({_ONLY_REFERENCES})" if optional else words,
            libraries.cure(words) or INSTALL,
        )
    if not failures:
        yield Finding("imports", "fine", "every package can be imported")


def _failures(modules: Sequence[str]) -> dict[str, str]:
    """Why modules cannot be imported, by name, found out in a process of their own."""
    found = child(_CHILD, *modules)
    if isinstance(found, str):
        if len(modules) == 1:
            return {modules[0]: found}
        # One of them ends the process: each by itself tells which.
        return {name: words for each in modules for name, words in _failures([each]).items()}
    return found


def child(module: str, *arguments: str) -> dict[str, str] | str:
    """The JSON that `python -m module …` prints as its last line, or how the process ended."""
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return f"did not end within {_PATIENCE_S} s"
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        said = done.stderr.strip().splitlines()
        return f"its process was lost: {exit_in_words(done.returncode)}; {said[-1] if said else ''}"
    result: dict[str, str] = json.loads(lines[-1])
    return result
