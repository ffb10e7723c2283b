"""The walk "adding a model" of docs/contributing.md, in a copy of the code: three files, no more.

The blocks of the page are put where it says they belong; then the family is listed, answers from
the command line, and has every contract and passes it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.contracts import CONTRACTS

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/contributing.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```\w+ (estimators/\S+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))
FAMILY, KEY = "Walker", "walker-small"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with the new family; what is not changed is only linked."""
    tree = tmp_path_factory.mktemp("tree")
    for path in ROOT.iterdir():
        if path.name in ("estimators", "tests"):
            leave = shutil.ignore_patterns("__pycache__", "files")
            shutil.copytree(path, tree / path.name, ignore=leave)
        elif path.name != ".git":
            (tree / path.name).symlink_to(path)
    (tree / "estimators/weights/files").symlink_to(ROOT / "estimators/weights/files")
    for name, text in BLOCKS.items():
        with (tree / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}" if name.endswith("manifest.toml") else text)
    return tree


def run(tree: Path, *command: str) -> str:
    """What `python -m …` prints there."""
    environment = {**os.environ, "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=tree, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_family_is_three_files() -> None:
    assert set(BLOCKS) == {
        "estimators/weights/manifest.toml",
        "estimators/models/cards/walker.toml",
        "estimators/models/walker.py",
    }
    assert not (ROOT / "estimators/models/walker.py").exists()


def test_it_is_listed(tree: Path) -> None:
    listed = {
        entry["key"]: entry for entry in json.loads(run(tree, "estimators", "models", "--json"))
    }
    assert listed[KEY]["family"] == FAMILY
    assert KEY in run(tree, "estimators", "models")


def test_it_answers_from_the_command_line(tree: Path, tmp_path: Path) -> None:
    picture = sorted((ROOT / "sample_media").glob("*.jpg"))[0]
    models, output = f"{KEY},posenet", str(tmp_path)
    run(tree, "estimators", "compare", str(picture), "--models", models, "--output", output)
    assert KEY in "".join(file.read_text(encoding="utf-8") for file in tmp_path.glob("*.json"))


def test_it_has_every_contract_and_passes(tree: Path) -> None:
    told = run(
        tree, "pytest", "-p", "no:cacheprovider", "tests/contract/test_adapters.py", "-k", KEY
    )
    assert re.search(rf"\b{len(CONTRACTS)} passed", told), told
    assert "skipped" not in told


def test_the_checks_of_cards_and_docs_pass(tree: Path) -> None:
    tests = [f"tests/unit/test_{name}.py" for name in ("cards", "registry", "docs")]
    drawing = [f"tests/unit/test_{name}.py" for name in ("render_draw", "colours")]
    told = run(tree, "pytest", *tests, *drawing)
    assert "failed" not in told
