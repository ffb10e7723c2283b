"""The browser side of the components: ES modules and CSS beside their Python, nothing is built.

Streamlit takes one text of JavaScript a component and gives it an address of its own, from which
`import … from "./view.js"` would lead nowhere.  So a module and those it imports are joined into
one text here: dependencies first, each once, without their import lines and the word `export`.
This is right as long as modules only use `import { names } from "./file.js"` and `export` before a
declaration, and no two of them declare the same name; tests/js (eslint) and
tests/unit/test_scripts.py see to both.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[\w./]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) )", re.MULTILINE)
_NOTHING = re.compile(r"^export \{\};\n", re.MULTILINE)


@cache
def script(entry: Path) -> str:
    """`entry`, a module with an `export default`, with all that it imports.

    Raises:
        FileNotFoundError: a module is not there.
    """
    return "\n".join(
        _NOTHING.sub("", _EXPORT.sub("", _IMPORT.sub("", text))) for text in modules(entry).values()
    )


def modules(entry: Path) -> dict[Path, str]:
    """The text of every module that `entry` needs, itself last."""
    found: dict[Path, str] = {}

    def add(path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        for name in _IMPORT.findall(text):
            needed = (path.parent / name).resolve()
            if needed not in found:
                add(needed)
        found.setdefault(path, text)

    add(entry.resolve())
    return found


@cache
def texts(*paths: Path) -> str:
    """Files of HTML or CSS, one after the other."""
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)
