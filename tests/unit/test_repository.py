"""The repository as a whole: what it holds, how big it is, what its manifests claim."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from estimators.media import samples

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    *("streamlit_app.py", "pages", "estimators", "sample_media", "tests", "benchmarks", "docs"),
    *("requirements.txt", "requirements-dev.txt", "requirements-ray.txt"),
    *("requirements-remote.txt", "packages.txt"),
    *("pyproject.toml", "Makefile", ".streamlit", ".ci", ".gitignore"),
    *("README.md", "LICENSE", "NOTICE", "SECURITY.md", "requirements.lock"),
}
# What the product imports: always, and for work on many machines.
PRODUCT = ("requirements.txt", "requirements-ray.txt")
MEGABYTE = 1_000_000
# Split so that this file does not find itself.
PRIVATE = re.compile("|".join(("/" + "work/", "/" + "root/", "/home" + r"/\w+/", "/" + "opt/")))
REGISTRY = re.compile(
    r"(?:index|extra-index)" + r"-url|https?://[\w.]*(?:py" + r"pi\.|artifactory)"
)


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    names = listing.stdout.decode().rstrip("\0").split("\0")
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def tracked_text() -> list[tuple[Path, str]]:
    texts = []
    for path in tracked_files():
        data = path.read_bytes()
        if b"\0" not in data[:8000] and len(data) < MEGABYTE:
            texts.append((path, data.decode("utf-8", "replace")))
    return texts


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_top_level_holds_only_what_was_agreed() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked_files()}
    assert names <= TOP_LEVEL
    assert names >= {"estimators", "sample_media", "tests", "requirements.txt", "LICENSE", "NOTICE"}


def test_no_path_of_a_machine_and_no_package_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path, text in tracked_text()
        for match in (*PRIVATE.finditer(text), *REGISTRY.finditer(text))
    ]
    assert found == []


def test_samples_are_what_their_manifest_says() -> None:
    listed = samples.samples()
    assert [sha256(sample.path) for sample in listed] == [sample.sha256 for sample in listed]
    manifest = tomllib.loads((ROOT / "sample_media/manifest.toml").read_text())
    assert [s.path.stat().st_size for s in listed] == [e["size_bytes"] for e in manifest["sample"]]
    on_disk = {path.name for path in (ROOT / "sample_media").iterdir()} - {"manifest.toml"}
    assert on_disk == {sample.path.name for sample in listed} | {manifest["annotations"]["file"]}


def test_samples_offer_enough_to_start_with() -> None:
    pictures, clips = samples.pictures(), samples.clips()
    assert len(pictures) >= 3
    assert len(clips) >= 2
    assert pictures[0].people > 1
    assert all(len(s.alt) > 40 and s.licence and s.source for s in samples.samples())


def test_notice_names_every_sample() -> None:
    notice = (ROOT / "NOTICE").read_text()
    assert [s.path.name for s in samples.samples() if s.path.name not in notice] == []
    assert "BSD 3-Clause" in notice
    assert "perfanalytics" in notice


def test_embedded_weights_are_what_their_manifest_says() -> None:
    folder = ROOT / "estimators/weights"
    manifest = tomllib.loads((folder / "manifest.toml").read_text())
    claimed = dict(_claimed_hashes(manifest))
    embedded = sorted((folder / "files").iterdir())
    assert embedded, "no embedded weights: the first run would need a network"
    assert {p.name: sha256(p) for p in embedded} == {p.name: claimed[p.name] for p in embedded}


def _claimed_hashes(node: object) -> list[tuple[str, str]]:
    """(file name, hash) of every table in the manifest that carries both."""
    if isinstance(node, list):
        return [pair for item in node for pair in _claimed_hashes(item)]
    if not isinstance(node, dict):
        return []
    name = node.get("file_name", node.get("file"))
    own = [(str(name), str(node["sha256"]))] if name and "sha256" in node else []
    return own + [pair for item in node.values() for pair in _claimed_hashes(item)]


def test_weights_and_media_stay_small() -> None:
    media = sum(p.stat().st_size for p in (ROOT / "sample_media").iterdir())
    weights = sum(p.stat().st_size for p in (ROOT / "estimators/weights/files").iterdir())
    assert media < 12 * MEGABYTE
    assert media + weights < 70 * MEGABYTE


def test_licence_is_the_apache_licence() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_requirements_are_pinned() -> None:
    for name in sorted(path.name for path in ROOT.glob("requirements*.txt")):
        lines = (ROOT / name).read_text().splitlines()
        packages = [line for line in lines if line and not line.startswith(("#", "-r"))]
        loose = [line for line in packages if "==" not in line]
        # The one exception is a ceiling that tensorflow-hub needs.
        assert [line for line in loose if not line.startswith("setuptools<")] == []


def test_every_package_that_the_product_imports_is_pinned() -> None:
    """Also those that come with another package, whose next version may bring another one."""
    lines = "\n".join((ROOT / name).read_text() for name in PRODUCT).splitlines()
    pinned = {re.split(r"\[|==", line)[0] for line in lines}
    distributions = packages_distributions()
    loose = {
        name
        for name in _imported() - sys.stdlib_module_names - {"estimators", "pages"}
        if not pinned & {distribution.lower() for distribution in distributions.get(name, ())}
    }
    assert loose == set()


def _imported() -> set[str]:
    """The top-level names that the product's modules import."""
    names = set()
    for path in (*ROOT.glob("estimators/**/*.py"), *ROOT.glob("pages/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("name", [".ci/run", ".ci/prepare"])
def test_scripts_can_be_executed(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o111
    assert "set -euo pipefail" in (ROOT / name).read_text()


def test_the_lock_has_what_is_pinned_each_with_its_hashes() -> None:
    """After a change of requirements.txt: make lock."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", lock, re.MULTILINE))
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", pins, re.MULTILINE):
        assert locked.get(name.lower()) == version, f"{name}: make lock"
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert len(entries) >= len(locked) > 100
    assert [e.splitlines()[0] for e in entries if "--hash=sha256:" not in e] == []
