"""What comes along when a module is imported, in a fresh process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.frameworks import FRAMEWORKS, INTERFACE

ROOT = Path(__file__).parents[2]
CORE = (
    *("types", "skeletons", "errors", "registry", "runtime.api", "weights"),
    *("media.samples", "media.clips", "media.encode", "media.pictures"),
)


def loaded_by(modules: list[str]) -> dict[str, set[str]]:
    """For each module, the packages that are loaded once it was imported after those before it."""
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *modules], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    return {
        module: {name.split(".")[0] for name in line.split()}
        for module, line in zip(modules, lines, strict=True)
    }


def test_core_modules_import_quickly_and_alone() -> None:
    """Every page and every child process imports these: no framework may ride along."""
    loaded = loaded_by([f"estimators.{name}" for name in CORE])
    unwanted = {module: found & (FRAMEWORKS | INTERFACE) for module, found in loaded.items()}
    assert {module: found for module, found in unwanted.items() if found} == {}


def test_heavy_packages_are_imported_only_when_needed() -> None:
    names = ("analysis.clip_report", "analysis.facts", "export.coco", "export.files")
    loaded = loaded_by([f"estimators.{name}" for name in (*names, "export.tables")])
    heavy = {"scipy", "pandas", "pyarrow", "cv2"}
    assert {module: found & heavy for module, found in loaded.items() if found & heavy} == {}
