"""The sample pictures and clips that come with the product, described by their manifest."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from estimators.errors import InputError
from estimators.media.kinds import CLIP_ENDINGS

Kind = Literal["picture", "clip"]

FOLDER = Path(__file__).resolve().parents[2] / "sample_media"


@dataclass(frozen=True)
class Sample:
    """One sample picture or clip.

    Attributes:
        path: the file.
        title: a short name for a list.
        alt: what is to be seen, in words.
        kind: a picture or a clip.
        people: how many people can be seen at once.
        source, licence: where it comes from and under what terms.
        sha256: of the file, in hexadecimal.
    """

    path: Path
    title: str
    alt: str
    kind: Kind
    people: int
    source: str
    licence: str
    sha256: str


@cache
def samples(folder: Path = FOLDER) -> tuple[Sample, ...]:
    """All samples in the order of the manifest; the first of each kind is the default one.

    Raises:
        InputError: the manifest or a file that it names is absent or cannot be read.
    """
    manifest = folder / "manifest.toml"
    try:
        entries = tomllib.loads(manifest.read_text(encoding="utf-8"))["sample"]
        found = tuple(_sample(folder, entry) for entry in entries)
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise InputError(
            f"The list of samples {manifest.name} cannot be read ({error}).",
            "Fetch the repository's sample_media folder again.",
        ) from error
    for sample in found:
        if not sample.path.is_file():
            raise InputError(
                f"The sample {sample.path.name} is missing.",
                "Fetch the repository's sample_media folder again.",
            )
    return found


def pictures() -> tuple[Sample, ...]:
    """The sample pictures, the default one first."""
    return tuple(sample for sample in samples() if sample.kind == "picture")


def clips() -> tuple[Sample, ...]:
    """The sample clips, the default one first."""
    return tuple(sample for sample in samples() if sample.kind == "clip")


def _sample(folder: Path, entry: dict[str, str | int]) -> Sample:
    path = folder / str(entry["file"])
    return Sample(
        path=path,
        title=str(entry["title"]),
        alt=str(entry["alt"]),
        kind="clip" if path.suffix in CLIP_ENDINGS else "picture",
        people=int(entry["people"]),
        source=str(entry["source"]),
        licence=str(entry["licence"]),
        sha256=str(entry["sha256"]),
    )
