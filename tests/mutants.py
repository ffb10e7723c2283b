"""Wrong numbers on purpose: changes the code a little, many times, and sees whether a test fails.

    python -m tests.mutants --minutes 20 --seed 1      what `make mutants` runs

A seeded sample of the mutants that cosmic-ray makes of the modules in `TARGETS`.  Each is put into
a copy of the repository, never into this one, and meets first the unit tests that import its
module, then those that reach it through other modules.  A survivor is a number that nothing
watches, or a change without a meaning; docs/mutants.md says which, for each that was looked at.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

import cosmic_ray.plugins
import parso.python.tree
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator

ROOT = Path(__file__).resolve().parents[1]
NOTES = ROOT / "docs/mutants.md"
TARGETS = (
    "estimators/analysis/**/*.py",
    "estimators/geometry.py",
    "estimators/export/**/*.py",
    "estimators/runtime/turns.py",
    "estimators/runtime/budget.py",
    "estimators/runtime/stats.py",
)
WANTED = 0.85
_PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--timeout=60")
# A mutant that makes a loop endless is as dead as one that fails a test.
_PATIENCE_S = 240.0
_ARITHMETIC = {"Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow"}
_NOT_LOOKED_AT = "not looked at yet"


class FractionScaler(Operator):
    """Makes a fraction half as large again, or halves it; cosmic-ray only adds and takes 1.

    Nothing, 0.0, stays what it is either way, and is left to cosmic-ray.
    """

    FACTORS = (1.5, 0.5)

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        number = isinstance(node, parso.python.tree.Number)
        if number and isinstance(value := _value(node), float) and value:
            for _ in self.FACTORS:
                yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        return parso.python.tree.Number(f" {_value(node) * self.FACTORS[index]}", node.start_pos)

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


def _value(node: Any) -> object:
    return ast.literal_eval(node.value)


def _operators() -> list[type[Operator]]:
    """Those whose change may mean something and does not end in a TypeError at once."""
    found: list[type[Operator]] = [FractionScaler]
    for name in cosmic_ray.plugins.operator_names():
        operator = cosmic_ray.plugins.get_operator(name)
        kind, _, pair = name.partition("Operator_")
        before, _, after = pair.partition("_")
        if operator.arguments() or name == "core/NoOp":
            continue
        if kind == "core/ReplaceBinary" and (before in _ARITHMETIC) != (after in _ARITHMETIC):
            continue  # bits of a float
        if kind == "core/ReplaceComparison" and (before[:2] == "Is") != (after[:2] == "Is"):
            continue  # `is None` and `== None` say the same
        found.append(operator)
    return found


@dataclass(frozen=True)
class Mutant:
    """A change of one line; `number` counts from 1."""

    file: str
    number: int
    before: str
    after: str

    def code(self, original: str) -> str:
        lines = original.splitlines(keepends=True)
        return "".join([*lines[: self.number - 1], self.after, *lines[self.number :]])


class Places:
    """Where a file can be changed, and how.  A place counts once, however many ways there are."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.source = (ROOT / file).read_text(encoding="utf-8")
        nodes, skipped = list(ast_nodes(get_ast(self.source))), list(_skipped(self.source))
        ways: dict[tuple[int, int], list[tuple[type[Operator], int]]] = defaultdict(list)
        for operator in _operators():
            changes = (at for node in nodes for at, _ in operator().mutation_positions(node))
            for occurrence, at in enumerate(changes):
                if not any(first <= at < last for first, last in skipped):
                    ways[at].append((operator, occurrence))
        self.ways = [ways[at] for at in sorted(ways)]

    def mutant(self, place: int, chance: random.Random) -> Mutant | None:
        """One of the changes at `place`; None where it is none, or takes more than a line."""
        operator, occurrence = chance.choice(self.ways[place])
        before = self.source.splitlines(keepends=True)
        after = (mutate_code(self.source, operator(), occurrence) or "").splitlines(keepends=True)
        apart = [i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b]
        if len(before) != len(after) or len(apart) != 1:
            return None
        return Mutant(self.file, apart[0] + 1, before[apart[0]], after[apart[0]])


_Range = tuple[tuple[int, int], tuple[int, int]]


def _skipped(source: str) -> Iterator[_Range]:
    """Where nothing that runs would change: types, and the guards of classes and of `zip`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield _range(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield _range(node.returns)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield _range(node)
        elif isinstance(node, ast.ClassDef):
            yield from map(_range, node.decorator_list)  # frozen, eq, slots
        elif isinstance(node, ast.keyword) and node.arg == "strict":
            yield _range(node)


def _range(node: ast.expr | ast.stmt | ast.keyword) -> _Range:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


def sample(seed: int, only: str, count: int) -> list[Mutant]:
    """`count` mutants of different places; the same ones for the same seed and code."""
    files = {path.relative_to(ROOT).as_posix() for t in TARGETS for path in ROOT.glob(t)}
    modules = [Places(file) for file in sorted(files) if only in file]
    everywhere = [(places, i) for places in modules for i in range(len(places.ways))]
    chance = random.Random(seed)
    chance.shuffle(everywhere)
    drawn = (places.mutant(place, chance) for places, place in everywhere)
    return [mutant for mutant, _ in zip(filter(None, drawn), range(count), strict=False)]


class Imports:
    """Which unit tests import a file, themselves or through others."""

    def __init__(self) -> None:
        paths = [*ROOT.glob("estimators/**/*.py"), *ROOT.glob("pages/**/*.py")]
        paths += [*ROOT.glob("tests/*.py"), *ROOT.glob("tests/unit/*.py")]
        self._files = {_module(path): path.relative_to(ROOT).as_posix() for path in paths}
        self._of = {file: self._imported(file) for file in self._files.values()}

    def _imported(self, file: str) -> set[str]:
        names = set()
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
                names.add(f"tests.unit.{node.module}")  # helpers beside the tests
        return {self._files[name] for name in names & self._files.keys()}

    def tests(self, file: str) -> tuple[list[str], list[str]]:
        """Tests that import `file` directly, and the others that reach it."""
        near, far = [], []
        for test in sorted(self._of):
            if not test.startswith("tests/unit/test_"):
                continue
            if file in self._of[test]:
                near.append(test)
            elif file in self._reached(test):
                far.append(test)
        return near, far

    def _reached(self, file: str) -> set[str]:
        found, left = {file}, [file]
        while left:
            new = self._of[left.pop()] - found
            found |= new
            left += new
        return found


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


class Copy:
    """A copy of the repository in which one module at a time is wrong."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        listing = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
        listed = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True)
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name)
        # Python tells compiled code's age by the second; every change gets one of its own.
        self._stamp_s = 1_000_000_000

    def passes(self, tests: Sequence[str]) -> bool:
        """Whether all tests pass, or there is none."""
        command = [sys.executable, *_PYTEST, *tests]
        try:
            return (
                not tests
                or not subprocess.run(
                    command, cwd=self._folder, capture_output=True, timeout=_PATIENCE_S, check=False
                ).returncode
            )
        except subprocess.TimeoutExpired:
            return False

    def kills(self, mutant: Mutant, stages: Sequence[Sequence[str]]) -> bool:
        original = (self._folder / mutant.file).read_text(encoding="utf-8")
        try:
            self._write(mutant.file, mutant.code(original))
            return not all(self.passes(tests) for tests in stages)
        finally:
            self._write(mutant.file, original)

    def _write(self, file: str, code: str) -> None:
        (self._folder / file).write_text(code, encoding="utf-8")
        self._stamp_s += 1
        os.utime(self._folder / file, (self._stamp_s, self._stamp_s))


def run(mutants: Sequence[Mutant], minutes: float, jobs: int) -> tuple[list[Mutant], list[Mutant]]:
    """The killed and the survivors of those that were begun in time; prints a line for each."""
    imports, until_s = Imports(), time.monotonic() + minutes * 60
    tests = {mutant.file: imports.tests(mutant.file) for mutant in mutants}
    killed: list[Mutant] = []
    alive: list[Mutant] = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: Queue[Copy] = Queue()
        for job in range(jobs):
            copies.put(Copy(Path(folder, str(job))))

        def one(mutant: Mutant) -> None:
            if time.monotonic() > until_s:
                return
            copy, begun_s = copies.get(), time.monotonic()
            died = copy.kills(mutant, tests[mutant.file])
            copies.put(copy)
            (killed if died else alive).append(mutant)
            word = f"{'killed' if died else 'ALIVE':8}{time.monotonic() - begun_s:5.1f} s"
            print(f"{word}  {mutant.file}:{mutant.number}  {mutant.after.strip()}", flush=True)

        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(one, mutants))
    return killed, alive


def notes() -> dict[tuple[str, str], str]:
    """What docs/mutants.md says of survivors, by file and changed line."""
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \| `(.+?)` \| (.+?) \|$", NOTES.read_text(), re.M)
    return {(file, _cell(after)): why for file, _, after, why in rows}


def _cell(code: str) -> str:
    """A line of code as a table shows it."""
    return " ".join(code.replace("\\|", "|").replace("`", "'").split()).replace("|", "\\|")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--minutes", type=float, default=20, help="begin none after so many")
    parser.add_argument("--mutants", type=int, default=150, help="how many at most")
    parser.add_argument("--seed", type=int, default=1, help="another one draws other mutants")
    parser.add_argument("--only", default="", metavar="TEXT", help="files with TEXT in their path")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at the same time")
    options = parser.parse_args()
    drawn = sample(options.seed, options.only, options.mutants)
    killed, alive = run(drawn, options.minutes, options.jobs)
    share = len(killed) / max(len(killed) + len(alive), 1)
    print(f"\n{len(killed)} of {len(killed) + len(alive)} killed: {share:.0%}\n")
    known = notes()
    for mutant in sorted(alive, key=lambda m: (m.file, m.number)):
        row = (mutant.file, _cell(mutant.before), _cell(mutant.after))
        why = known.get((row[0], row[2]), _NOT_LOOKED_AT)
        print("| " + " | ".join(f"`{cell}`" for cell in row) + f" | {why} |")
    return int(share < WANTED)


if __name__ == "__main__":
    sys.exit(main())
