"""Dependencies point one way, frameworks stay in their own process, modules stay small."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from tests.frameworks import FRAMEWORKS, INTERFACE

ROOT = Path(__file__).resolve().parents[2]

IMPORT = re.compile(r"^ *(?:from|import) ([\w.]+)(?: import (.*))?$", re.MULTILINE)

# Rank of each room: a module may import its own rank and lower ones.
RANKS = {
    "streamlit_app": 7,
    "pages": 7,
    "pages.ui": 6,
    "estimators.__main__": 5,
    "estimators.cli": 5,
    "estimators.maintenance": 5,
    "estimators.doctor": 4,
    "estimators.cluster": 4,
    "estimators.workflows": 4,
    "estimators.runtime": 3,
    "estimators.analysis": 3,
    "estimators.render": 3,
    "estimators.export": 3,
    "estimators.datasets": 3,
    "estimators.decode": 3,
    "estimators.media": 3,
    "estimators.registry": 2,
    "estimators.models": 1,
    "estimators.weights": 0,
    "estimators.types": 0,
    "estimators.stages": 0,
    "estimators.skeletons": 0,
    "estimators.annotated": 0,
    "estimators.specs": 0,
    "estimators.parts": 0,
    "estimators.cards": 0,
    "estimators.errors": 0,
    "estimators.libraries": 0,
    "estimators.supported": 0,
    "estimators.memory": 0,
    "estimators.settings": 0,
    "estimators.setting_readers": 0,
    "estimators.devices": 0,
    "estimators.geometry": 0,
    "estimators.kept": 0,
    "estimators.numerals": 0,
    "estimators.typed": 0,
    "estimators.remote": 0,
    "estimators.remote_folder": 0,
}


def sources() -> list[Path]:
    found = [*(ROOT / "estimators").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    return sorted(found + [p for p in [ROOT / "streamlit_app.py"] if p.exists()])


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room(module: str) -> str | None:
    """The room of a module of this product; None for other packages and for the bare package."""
    parts = module.split(".")
    if parts[0] == "pages":
        return "pages.ui" if parts[1:2] == ["ui"] else "pages"
    if parts[0] == "estimators":
        return ".".join(parts[:2]) if len(parts) > 1 else None
    return module if module == "streamlit_app" else None


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path, types: bool = False) -> tuple[str, ...]:
    """Full names of everything that the module imports when it runs, in functions too.

    Args:
        types: what it imports for its types alone as well.
    """
    return tuple(_imported(path, types))


def _imported(path: Path, types: bool) -> Iterator[str]:
    tree = parsed(path)
    for_types = {n for block in ast.walk(tree) if is_type_checking(block) for n in ast.walk(block)}
    for node in ast.walk(tree):
        if node in for_types and not types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module_name(path).split(".")
                package = package if path.name == "__init__.py" else package[:-1]
                base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [base])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def test_every_module_has_a_place() -> None:
    rooms = {room(module_name(path)) for path in sources()} - {None}
    assert rooms - RANKS.keys() == set()
    assert rooms >= {"estimators.types", "estimators.registry", "estimators.media"}


def test_dependencies_point_one_way() -> None:
    wrong = [
        f"{module_name(path)} imports {name}"
        for path in sources()
        for name in imported(path)
        if (here := room(module_name(path))) and (there := room(name))
        if RANKS.get(there, -1) > RANKS[here]
    ]
    assert wrong == [], "\n".join(wrong)


def test_rooms_do_not_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in sources():
        here = room(module_name(path))
        if here:
            others = {there for name in imported(path) if (there := room(name))} - {here}
            graph.setdefault(here, set()).update(others)
    assert len(list(TopologicalSorter(graph).static_order())) >= len(graph)


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    """Imports for types alone count too: a reader has to follow them."""
    modules = {module_name(path): path for path in sources()}
    graph = {
        name: {
            # A name taken from a module leads to that module.
            found
            for there in imported(path, types=True)
            if (found := there if there in modules else there.rpartition(".")[0]) in modules
        }
        - {name}
        for name, path in modules.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) >= len(graph)


def test_nothing_below_the_pages_knows_streamlit() -> None:
    wrong = [
        f"{module_name(path)} imports {name}"
        for path in sources()
        for name in imported(path)
        if path.is_relative_to(ROOT / "estimators") and name.split(".")[0] in INTERFACE
    ]
    assert wrong == [], "\n".join(wrong)


def test_frameworks_are_imported_by_adapters_alone() -> None:
    # The doctor imports them in children of its own, to see whether that can be done.
    allowed = (
        *("estimators.models", "estimators.weights", "estimators.maintenance"),
        "estimators.doctor",
    )
    wrong = [
        f"{module_name(path)} imports {name}"
        for path in sources()
        for name in imported(path)
        if name.split(".")[0] in FRAMEWORKS and room(module_name(path)) not in allowed
    ]
    assert wrong == [], "\n".join(wrong)


def test_modules_stay_small() -> None:
    lengths = {module_name(p): len(p.read_text(encoding="utf-8").splitlines()) for p in sources()}
    assert {name: n for name, n in lengths.items() if n >= 300} == {}


def test_pages_only_read_call_and_show() -> None:
    pages = [p for p in sources() if room(module_name(p)) in ("pages", "streamlit_app")]
    assert {p.name: n for p in pages if (n := len(p.read_text().splitlines())) >= 80} == {}
    assert [p.name for p in pages if "numpy" in imported(p)] == []


def test_functions_stay_small() -> None:
    wrong = []
    for path in sources():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines, parameters = code_lines(node), parameter_count(node)
                if lines >= 40 or parameters > 5:
                    wrong.append(f"{path.name}:{node.name}: {lines} lines, {parameters} parameters")
    assert wrong == [], "\n".join(wrong)


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring, which may be as long as it has to be."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def parameter_count(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    arguments = node.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def test_every_module_of_the_tests_is_imported_by_one_name() -> None:
    """Under two it exists twice, with its fixtures and all that it keeps."""
    paths = sorted((ROOT / "tests").rglob("*.py"))
    long = {path.stem: module_name(path) for path in paths}
    used: dict[str, set[str]] = {name: {name} for name in long if name.startswith("test_")}
    for path in paths:
        if path.name == "free_colours.py":  # a command: pytest never loads it
            continue
        for base, names in IMPORT.findall(path.read_text(encoding="utf-8")):
            for name in (base, *(f"{base}.{name}" for name in re.findall(r"\w+", names))):
                stem = name.rpartition(".")[2]
                if name in (stem, long.get(stem)) and stem in long:
                    used.setdefault(stem, set()).add(name)
    assert {stem: names for stem, names in used.items() if len(names) > 1} == {}
