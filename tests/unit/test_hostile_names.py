"""Names that attack: spreadsheets, terminals and Streamlit's Markdown take them as plain text."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from estimators.analysis.clip import ClipEstimates
from estimators.cli.inputs import Pictures, given_files
from estimators.errors import InputError
from estimators.export.cells import cell
from estimators.export.coco import image_ids
from estimators.export.files import to_bytes, write_csv
from estimators.export.tables import frame_table, joint_table
from estimators.media.names import printable
from estimators.registry import get
from estimators.types import Estimate, PoseSet, Timings
from pages.ui.text import escaped, said

FORMULAS = ("=1+1", "+1", "-1+1", "@SUM(A1)", "＝1+1", "a;=1+1;b", '=HYPERLINK("http://x","y")')


@pytest.mark.parametrize("name", FORMULAS)
def test_no_cell_is_a_formula(name: str) -> None:
    for file in (
        name,
        f" {name}",
        f"a; {name}",
        f"\u3000{name}",
        f"\t{name}",
        f"\r{name}",
        f"\n{name}",
    ):
        written = cell(file)
        for part in written.split(";"):
            assert part.lstrip()[:1] not in ("=", "+", "-", "@", "＝", "\t", "\r", "\n", "")
        assert written.replace("'", "") == printable(file)


def test_a_harmless_cell_stays_as_it_is() -> None:
    for name in ("0001.jpg", "a-b=c+d@2x.jpg", "Größe 3.png", "شخص\u200cها.jpg", "it's.png", ""):
        assert cell(name) == name


def test_numbers_in_csv_stay_numbers_and_names_are_no_formulas() -> None:
    name = '=cmd|"/c calc"!A1'
    spec = get("movenet-lightning")
    xy = np.full((1, 17, 2), -5.25, np.float32)
    poses = PoseSet(spec.skeleton, xy, np.full((1, 17), 0.5, np.float32))
    estimate = Estimate(poses, Timings(1.0, 2.0, 3.0))
    answers = [ClipEstimates.of_picture(spec.key, name, (64, 48), estimate)]
    failed = ClipEstimates(spec.key, spec.skeleton, "b.jpg", (64, 48))
    failed.append_failed(0, 0.0, "-1 \x1b[2J\nis wrong")
    tables = {"joints": joint_table(answers), "frames": frame_table([*answers, failed])}
    rows = {n: list(csv.DictReader(io.StringIO(text(t), newline=""))) for n, t in tables.items()}
    assert {row["file"] for row in rows["joints"]} == {f"'{name}"}
    assert {row["x_px"] for row in rows["joints"]} == {"-5.25"}
    assert rows["frames"][1]["error"] == r"'-1 \x1b[2J\nis wrong"
    assert tables["joints"]["file"].unique().tolist() == [name]  # the caller's table is its own


def text(table: object) -> str:
    return to_bytes(lambda sink: write_csv(table, sink)).decode()


def test_the_table_of_ids_has_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(image_ids(["=1+1.jpg", "b.jpg"]).table())))
    assert rows[1:] == [["1", "'=1+1.jpg"], ["2", "b.jpg"]]


def test_what_cannot_be_seen_is_shown() -> None:
    assert printable("a\x1b[31m\t\n\x9b\u202egpj.exe\u2028\ufeff") == (
        r"a\x1b[31m\t\n\x9b\u202egpj.exe\u2028\ufeff"
    )
    assert printable("👩\u200d💻 مي\u200cخواهم.png") == "👩\u200d💻 مي\u200cخواهم.png"


# What Streamlit 1.67 looks for in the text after Markdown's parsing, where escapes are gone, or
# before it, in the source.
AFTERWARDS = (
    *(r":material_(\w+):", r":streamlit:", r":[\w+-][\w_+-]*:", r":material/", r"www\."),
    *(r"(^|\s)(--|->|<-|<->|<=|>=|~=)(\s|$)", r"[-.\w+]+@[-\w]+(\.[-\w]+)+"),
)
NAMES = (
    *(":material/delete:", ":material_delete:", ":smile:.png", ":red[x]", ":blue-badge[a](b)"),
    *("**a** _b_ `c`", "[a](b)", "![a](b)", "<b>x</b>", "&amp;", "$x$", "# a", "- a", "1. a"),
    *("a -- b", "a -> b", "a <= b", "a@b.de", "www.a.de", "    code", "a\n# b", "> a", "~~a~~"),
    *("| a | b |", "\\*", ":streamlit:", "+ a", "* a", "\u202ea", "a\x1bb", "[^1]", "==a=="),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_never_markup(name: str) -> None:
    written = escaped(name)
    # Every character that means something to Markdown stands behind a backslash of its own.
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", written)
    assert not re.search(r"[\\`*_{}\[\]()#+\-.!|$:~<>&]", bare)
    assert "\n" not in written
    assert not written.startswith(" ")
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", written)
    assert shown.replace("\u2060", "") == printable(" ".join(name.split()))
    for pattern in AFTERWARDS:
        assert not re.search(pattern, shown)
        assert not re.search(pattern, written)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8080/a--b.task", "https://www.a.de:443", "http://me@a.de/x?y=1"]
)
def test_an_address_stays_as_it_is(address: str) -> None:
    written = escaped(f"a@b.de: {address} says -> no")
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", written)
    assert shown == f"a@\u2060b.de: {address} says -\u2060> no"


def test_what_an_error_quotes_is_shown_as_code_and_the_rest_as_it_is() -> None:
    error = InputError("a_b.json has no list `images`.", "Write `kpt_shape: [17, 3]`, *please*.")
    assert said(error) == (
        r"a\_b\.json has no list `images`\. Write `kpt_shape: [17, 3]`, \*please\*\."
    )
    assert said("a`b.json has no list `images`.") == r"a\`b\.json has no list `images`\."


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_what_an_error_says_is_no_markup_either(name: str) -> None:
    outside = re.sub(r"`[^`]*`", "", said(name).replace(r"\`", ""))
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", outside)
    assert not re.search(r"[\\`*_{}\[\]()#+\-.!|$:~<>&]", bare)


def test_all_texts_of_pages_that_hold_a_name_are_escaped() -> None:
    """`.name`, `.error` and `.message` in what is shown stand inside `escaped` or `said`."""
    pages = Path(__file__).parents[2] / "pages"
    shows = r"st\.(?:error|warning|info|success|markdown|caption)\(\s*f?\"[^\"]*\{([^{}]*)\}"
    bare = [
        f"{path.name}: {value}"
        for path in pages.rglob("*.py")
        if path.name != "frame.py"  # what is wrong with the server's own settings
        for value in re.findall(shows, path.read_text(encoding="utf-8"))
        if re.search(r"\.(name|error|message|advice)\b", value)
        and not re.search(r"\b(escaped|said)\(", value)
    ]
    assert bare == []


def test_two_pictures_that_would_be_called_the_same_are_refused(tmp_path: Path) -> None:
    for name in ("a\n.png", r"a\n.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    with pytest.raises(InputError, match=r"Two pictures would be called a\\n\.png"):
        Pictures(given_files([tmp_path / "a\n.png", tmp_path / r"a\n.png"]))
