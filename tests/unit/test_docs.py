"""README and docs against the code: names, commands, options, variables, files, figures."""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from estimators import settings, weights
from estimators.cli import output
from estimators.cli.codes import FORMATS
from estimators.cli.main import _parser as build_parser
from estimators.registry import MODELS
from estimators.workflows.clip import files

ROOT = Path(__file__).resolve().parents[2]
README_FILE = ROOT / "README.md"
README = README_FILE.read_text(encoding="utf-8")
DEPLOYMENT = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
DOCS = README + DEPLOYMENT
SHIPPED = {"MoveNet", "BlazePose", "Keypoint R-CNN", "PoseNet"}
VARIABLE = re.compile(r"\b(?:POSE|TFHUB)_[A-Z]+(?:_[A-Z]+)*\b")


def table_row(key: str) -> list[str]:
    rows = [line for line in README.splitlines() if line.startswith(f"| `{key}` |")]
    assert len(rows) == 1, f"README has {len(rows)} rows for {key}"
    return [cell.strip() for cell in rows[0].strip("|").split("|")]


def documented() -> list[str]:
    """The variants of the families that the README's table describes; others list themselves."""
    families = {spec.family for key, spec in MODELS.items() if f"| `{key}` |" in README}
    return [key for key, spec in MODELS.items() if spec.family in families]


@pytest.mark.parametrize("key", [key for key in documented() if not MODELS[key].reference_of])
def test_the_model_table_says_what_the_registry_says(key: str) -> None:
    spec, entry = MODELS[key], weights.entry(MODELS[key].weights)
    _, joints, people, score, held = table_row(key)
    assert joints.split(",")[0] == str(len(spec.skeleton))
    assert (people, score) == (str(spec.max_people), spec.score_kind)
    if held != "the same file":
        assert held.startswith(f"{entry.size_bytes / 1e6:.1f} MB")
        assert ("embedded" in held) == (entry.kind == "embedded")


def test_every_variant_and_no_other_is_named() -> None:
    assert {MODELS[key].family for key in documented()} >= SHIPPED
    first_words = "|".join({key.split("-")[0] for key in MODELS})
    named = set(re.findall(rf"`((?:{first_words})(?:-[a-z0-9-]+)?)`", DOCS))
    assert named == set(documented())


def test_every_score_kind_is_explained() -> None:
    for kind in {spec.score_kind for spec in MODELS.values()}:
        assert f"- **{kind}** (" in README


def shell_lines() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line]


def test_documented_commands_are_understood() -> None:
    lines = [line for line in shell_lines() if line.startswith("python -m estimators")]
    inline = re.findall(r"`(python -m estimators [^`]+)`", DOCS.replace("\n", " "))
    commands = {tuple(shlex.split(line)[3:]) for line in lines + inline}
    assert {command[0] for command in commands} == set(subcommands())
    for command in commands:
        build_parser().parse_args(command)


def test_documented_models_in_commands_exist() -> None:
    for line in shell_lines():
        words = shlex.split(line)
        if "--models" in words:
            assert set(words[words.index("--models") + 1].split(",")) <= MODELS.keys()
        if words[2:5] == ["estimators", "weights", "fetch"]:
            assert weights.entry(words[5]).key == words[5]


def subcommands() -> list[str]:
    actions = build_parser()._actions
    choices = [a.choices for a in actions if isinstance(a, argparse._SubParsersAction)]
    return [name for names in choices for name in names or ()]


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md")]
    for target in set(
        re.findall(r"(?:^|`)make ([a-z]+)", "\n".join([README, *pages]), re.MULTILINE)
    ):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_table_of_settings_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$", README, re.MULTILINE)
    assert rows == settings.table()


def test_no_other_variable_is_named_anywhere() -> None:
    """In the code's messages and in all pages, so that whoever follows them finds the setting."""
    known = {name for name, _, _ in settings.table()} | {"POSE_BROWSER"}
    texts = [README_FILE, *(ROOT / "docs").rglob("*.md")]
    for folder in ("estimators", "pages", "benchmarks"):
        texts += (ROOT / folder).rglob("*.py")
    for file in texts:
        assert set(VARIABLE.findall(file.read_text(encoding="utf-8"))) <= known, file


def test_streamlits_options_are_those_of_the_configuration() -> None:
    from streamlit import config

    named = set(re.findall(r"\b(server\.\w+)", DEPLOYMENT))
    assert named <= config.get_config_options().keys()
    server = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))["server"]
    assert f'fileWatcherType = "{server["fileWatcherType"]}"' in DEPLOYMENT
    assert f"{server['maxUploadSize']} MB (`server.maxUploadSize`" in DEPLOYMENT


def test_links_lead_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        links = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
        missing = [link for link in links if not (document.parent / link).exists()]
        assert missing == [], document.name


def test_files_named_in_the_readme_exist() -> None:
    named = set(re.findall(r"`((?:[\w.]+/)*[\w.]+\.(?:py|txt|toml|md))`", DOCS))
    assert [name for name in named if not (ROOT / name).exists()] == []
    modules = set(re.findall(r"python -m\s+(benchmarks\.\w+)", DOCS))
    assert [m for m in modules if not (ROOT / f"{m.replace('.', '/')}.py").exists()] == []


def test_every_format_is_written_for_pictures_and_clips_and_named_in_the_readme() -> None:
    told = re.search(r"`--format` takes (.*?);", README, re.DOTALL)
    assert told is not None
    named = re.findall(r"`([\w-]+)`", told[1])
    assert set(named) == set(FORMATS) == set(output._NAMED) == set(files.FORMATS)


def test_every_page_is_listed() -> None:
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*.py")}
    listed = set(re.findall(r"^\| \w+ \(`([\w/]+\.py)`\)", README, re.MULTILINE))
    assert listed == pages | {"streamlit_app.py"}


def test_versions_in_the_docs_are_the_pinned_ones() -> None:
    pinned = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for requirement in re.findall(r"\b[a-z-]+==[\w.]+", DOCS):
        assert requirement in pinned


def test_system_packages_are_those_of_packages_txt() -> None:
    listed = (ROOT / "packages.txt").read_text(encoding="utf-8").split()
    assert set(re.findall(r"`(lib\w+)`", DEPLOYMENT)) == set(listed)
    prepare = (ROOT / ".ci/prepare").read_text(encoding="utf-8")
    assert [name for name in listed if name not in prepare] == []


def test_the_walks_of_the_guide_name_what_is_there() -> None:
    """Files, and the names that are said to be in them; <name> and what the reader makes aside."""
    guide = (ROOT / "docs/contributing.md").read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", "", guide, flags=re.DOTALL)
    named = re.findall(r"`((?:\w+/)+\w+\.\w+)`(?: \(`(\w+)`\))?", text)
    own = {"estimators/models/cards/walker.toml", "estimators/models/walker.py"}
    assert len(named) > 25
    for file, name in named:
        assert file in own or (ROOT / file).is_file(), file
        if name:
            assert re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8")), name
