"""Modules of the browser code, joined into the one text that Streamlit takes of a component."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from pages.ui.scripts import modules, script

UI = Path(__file__).resolve().parents[2] / "pages/ui"
ENTRIES = sorted(p for p in UI.rglob("*.js") if "\nexport default " in p.read_text("utf-8"))
_DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
_MORE = re.compile(r"^(?:export )?const \w+ = [^,;{[(]+((?:, \w+ = [^,;]+)+);$", re.MULTILINE)


def declared(text: str) -> list[str]:
    """Names of a module's own scope, those after a comma too."""
    more = [name for rest in _MORE.findall(text) for name in re.findall(r", (\w+) =", rest)]
    return _DECLARED.findall(text) + more


def test_every_component_has_a_module_to_begin_with() -> None:
    assert {entry.stem for entry in ENTRIES} == {
        *("picture", "marker", "player"),
        *("charts", "connection", "theme"),
    }


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda path: path.stem)
def test_a_joined_script_is_one_module_with_every_name_once(entry: Path) -> None:
    joined = script(entry)
    assert not re.search(r"^import\b", joined, re.MULTILINE)
    assert re.findall(r"^export .*?(?=\()", joined, re.MULTILINE) == ["export default function "]
    names = Counter(name for text in modules(entry).values() for name in declared(text))
    assert [name for name, count in names.items() if count > 1] == []


def test_a_module_comes_once_and_after_what_it_needs(tmp_path: Path) -> None:
    files = {
        "a.js": 'import { b } from "./b.js";\nimport {\n  c,\n  d,\n} from "./c.js";\n\n'
        "export default function () { return b + c + d(); }\n",
        "b.js": 'import { c } from "./c.js";\nexport const b = c + 1;\n',
        "c.js": "// A comment: import { x } stays.\nexport const c = 1;\n"
        "export async function d() {}\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert script(tmp_path / "a.js") == (
        "// A comment: import { x } stays.\nconst c = 1;\nasync function d() {}\n"
        "\nconst b = c + 1;\n"
        "\n\nexport default function () { return b + c + d(); }\n"
    )


def test_a_module_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\n', encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"b\.js"):
        script(tmp_path / "a.js")


def test_names_are_imported_as_they_are_called() -> None:
    renamed = [
        f"{path.name}: {names}"
        for path in UI.rglob("*.js")
        for names in re.findall(r"^import \{([^}]*)\}", path.read_text("utf-8"), re.MULTILINE)
        if " as " in names
    ]
    assert renamed == []
