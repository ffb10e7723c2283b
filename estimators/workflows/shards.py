"""Pictures and clips dealt out over machines, so that each works on its own and all fit together.

Whose a picture or clip is, its name alone decides: the first eight bytes of the SHA-256 of the name
that results call it by (UTF-8, composed as NFC), as a big-endian number, modulo the number of
shards.  So nothing is read to deal it out, and no machine need know of another.  A shard leaves a
folder of its own: `shard.json` says what it is of, beside it lie its parts.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from estimators.errors import InputError
from estimators.export.sinks import opened
from estimators.media.names import printable

FORMAT = "pose-shard/1"
FILE = "shard.json"
MOST_SHARDS = 100_000
_OF_A_MODEL = {
    "weights": "other weights",
    "options": "other options",
    "device": "another device",
    "code": "another version of the code or of its libraries",
}
_OF_A_JOB = {
    "annotations": "other annotations",
    "pictures": "other pictures, or fewer",
    "files": "other files",
    "clips": "other settings for clips",
    "thresholds": "other thresholds",
    "people": "other numbers of people",
}
_ADVICE = "Give it as I/N, such as 2/8 for the second of eight."


@dataclass(frozen=True)
class Shard:
    """One part of so many.

    Attributes:
        number: from 1.
        of: how many there are.
    """

    number: int = 1
    of: int = 1

    def has(self, name: str) -> bool:
        """Whether a picture or clip of that name belongs to it."""
        return self.of == 1 or number_of(name, self.of) == self.number

    @property
    def folder(self) -> str:
        """The name of its folder."""
        return f"shard-{self.number}-of-{self.of}"

    def __str__(self) -> str:
        return f"shard {self.number} of {self.of}"


WHOLE = Shard()


def number_of(name: str, of: int) -> int:
    """Which of so many shards a picture or clip belongs to, from 1."""
    plain = unicodedata.normalize("NFC", name).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(plain).digest()[:8], "big") % of + 1


def parse_shard(text: str) -> Shard:
    """`"2/8"` as a shard.

    Raises:
        InputError: it is none.
    """
    parts = [part.strip() for part in text.split("/")]
    shown = printable(text[:40])
    if len(parts) != 2 or not all(p.isascii() and p.isdecimal() and len(p) < 8 for p in parts):
        raise InputError(f"--shard {shown!r} is no shard.", _ADVICE)
    shard = Shard(int(parts[0]), int(parts[1]))
    if not 1 <= shard.number <= shard.of <= MOST_SHARDS:
        raise InputError(f"--shard {shown!r}: there is no such shard.", _ADVICE)
    return shard


@dataclass(frozen=True)
class ShardRun:
    """What a shard is of.

    Attributes:
        command: that made it.
        job: all that decides what is said, JSON-ready; the same in all shards of one job.
        arguments: of the command line, for whoever has to run it again.
        sources: where pictures and annotations lay.
        items: what `command` needs to know of the shard's own pictures and clips.
    """

    shard: Shard
    command: str
    job: Mapping[str, Any]
    arguments: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    items: tuple[Any, ...] = ()

    def write(self, folder: Path) -> None:
        """Writes `shard.json`; OSError where it cannot be."""
        data = {"format": FORMAT, **asdict(self)}
        with opened(folder / FILE) as sink:
            sink.write(json.dumps(data, ensure_ascii=False, indent=1).encode())

    @classmethod
    def read(cls, path: Path) -> ShardRun:
        """Reads it; ValueError, KeyError, TypeError or OSError where it is damaged."""
        data = json.loads(path.read_bytes())
        if data.pop("format") != FORMAT:
            raise ValueError("of another format")
        shard = Shard(int(data["shard"]["number"]), int(data["shard"]["of"]))
        if not (1 <= shard.number <= shard.of) or not isinstance(data["job"], dict):
            raise ValueError("there is no such shard")
        arguments, items = (tuple(data[name]) for name in ("arguments", "items"))
        return cls(
            shard, str(data["command"]), data["job"], arguments, dict(data["sources"]), items
        )

    def again(self, shard: Shard | None = None) -> str:
        """The command line that makes it, or another shard of the same job."""
        wanted = shard or self.shard
        given, value = list(self.arguments), f"{wanted.number}/{wanted.of}"
        for at, argument in enumerate(given):
            if argument == "--shard" and at + 1 < len(given):
                given[at + 1] = value
            elif argument.startswith("--shard="):
                given[at] = f"--shard={value}"
        return shlex.join(["python", "-m", "estimators", *given])

    def difference(self, other: ShardRun) -> str:
        """What keeps it from being merged with another, in words; "" where nothing does."""
        if self.command != other.command:
            return f"one is of `{self.command}`, the other of `{other.command}`"
        if self.shard.of != other.shard.of:
            return f"one is of {self.shard.of} shards, the other of {other.shard.of}"
        a, b = self.job, other.job
        models = [list(job.get("models", {})) for job in (a, b)]
        if models[0] != models[1]:
            return "they are of other models"
        for model, key in a.get("models", {}).items():
            for name, words in _OF_A_MODEL.items():
                if key.get(name) != b["models"][model].get(name):
                    return f"they are of {words} of {model}"
        names = [name for name in {**a, **b} if a.get(name) != b.get(name)]
        return f"they are of {_OF_A_JOB.get(names[0], f'another {names[0]}')}" if names else ""


@dataclass(frozen=True)
class Parts:
    """The shards of one job, as they lie in folders.

    Attributes:
        run: of the first shard that is there.
        folders: by number of the shard, each folder that says it is that shard, with its run.
    """

    run: ShardRun
    folders: Mapping[int, tuple[tuple[Path, ShardRun], ...]]

    @property
    def of(self) -> int:
        """How many shards the job has."""
        return self.run.shard.of

    def again(self, number: int) -> str:
        """The command line that makes a shard."""
        here = self.folders.get(number)
        run = here[0][1] if here else self.run
        return run.again(replace(self.run.shard, number=number))

    def absent(self) -> Iterator[str]:
        """What to say of each shard of which there is no folder."""
        for number in range(1, self.of + 1):
            if number not in self.folders:
                shard = Shard(number, self.of)
                yield f"{shard} is missing: there is no {shard.folder}. Run: {self.again(number)}"


def find_parts(folders: Sequence[Path]) -> Parts:
    """The shards that lie in `folders`, or are these folders.

    Raises:
        InputError: there are none, one cannot be read, or they are not of one job.
    """
    places = sorted({place.resolve(): place for folder in folders for place in _places(folder)})
    if not places:
        shown = ", ".join(printable(str(folder)) for folder in folders[:3])
        raise InputError(
            f"There are no shards in {shown}.", "Name the folders that `--shard` wrote into."
        )
    runs: list[tuple[Path, ShardRun]] = [(place, _read(place)) for place in places]
    first = runs[0][1]
    for place, run in runs[1:]:
        if difference := first.difference(run):
            raise InputError(
                f"{printable(str(place))} and {printable(str(runs[0][0]))} cannot be merged: "
                f"{difference}.",
                "Run one of them again as the other was, or name only those that fit together.",
            )
    found: dict[int, tuple[tuple[Path, ShardRun], ...]] = {}
    for place, run in runs:
        found[run.shard.number] = (*found.get(run.shard.number, ()), (place, run))
    return Parts(first, found)


def _places(folder: Path) -> Iterator[Path]:
    if (folder / FILE).is_file():
        yield folder
    elif folder.is_dir():
        yield from (file.parent for file in sorted(folder.glob(f"shard-*-of-*/{FILE}")))
    else:
        raise InputError(f"There is no folder {printable(str(folder))}.", "Check the path.")


def _read(place: Path) -> ShardRun:
    try:
        return ShardRun.read(place / FILE)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{printable(str(place / FILE))} is damaged, so that nothing tells what is in there.",
            "Run the command of that shard again; answers that are there are taken as they are.",
        ) from error
