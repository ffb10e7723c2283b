"""What `compare` was given: files and models, checked before any model is loaded."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from estimators import registry, weights
from estimators.cli.streams import libraries_silenced
from estimators.cli.text import megabytes
from estimators.errors import InputError
from estimators.export.annotated_ids import SourcePicture
from estimators.media.kinds import kind_of
from estimators.media.names import printable
from estimators.media.pictures import open_picture, read_picture
from estimators.registry import ModelSpec
from estimators.types import Frame

_KEPT_BYTES = 300_000_000


def is_clip(path: Path) -> bool:
    """Whether `path` is a clip by its content; a GIF counts as a picture, its first frame.

    Raises:
        InputError: it is no ordinary file, or cannot be read.
    """
    return kind_of(path) == "clip"


def refuse_without_use(options: argparse.Namespace, clips: set[bool]) -> None:
    """Raises InputError for an option that says nothing of any given file.

    Args:
        clips: what there is among the files: clips (True), pictures (False), or both.
    """
    if clips == {True} and options.annotations is not None:
        raise InputError(
            "--annotations tells the ids of pictures, and only clips are given.",
            "Leave it out, or name pictures, too.",
        )
    of_clips = {
        "--start": options.start is not None,
        "--end": options.end is not None,
        "--stride": options.stride != 1,
        "--longest-side": options.longest_side is not None,
    }
    given = [name for name, is_given in of_clips.items() if is_given]
    if clips == {False} and given:
        raise InputError(
            f"{given[0]} is for clips, and only pictures are given.",
            "Leave it out, or name a clip, too.",
        )


class Pictures:
    """The pictures of one comparison by the name that files of results call them.

    Every picture is read once on construction, so that a bad one is told at once; as many as fit
    into 300 MB stay in memory, the others are read again for each model.

    Attributes:
        paths: where each lies.
        sizes: width and height, upright.
        notes: what is odd about a file; whole sentences.

    Raises:
        InputError: a file is absent or not a readable picture.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.paths = named(files)
        self.sizes: dict[str, tuple[int, int]] = {}
        self._orientations: dict[str, int] = {}
        self.notes: list[str] = []
        self._kept: dict[str, Frame] = {}
        self._room = _KEPT_BYTES
        with libraries_silenced():
            for name in self.paths:
                self._read(name)

    def __getitem__(self, name: str) -> Frame:
        return self._kept.get(name) or read_picture(self.paths[name], str(self.paths[name]))

    def _read(self, name: str) -> None:
        picture = open_picture(self.paths[name], str(self.paths[name]))
        frame = picture.frame
        self._orientations[name] = picture.orientation
        self.notes += [f"{name}: {note}" for note in picture.notes]
        self.sizes[name] = frame.full_size
        if frame.image.nbytes <= self._room:
            self._kept[name] = frame
            self._room -= frame.image.nbytes

    def sources(self) -> dict[str, SourcePicture]:
        """Each by its name, for comparison with annotations."""
        return {
            name: SourcePicture(path, self.sizes[name], self._orientations[name])
            for name, path in self.paths.items()
        }


def named(files: Sequence[Path]) -> Mapping[str, Path]:
    """Each file once, by its bare name, or by its path where two share a name.

    Raises:
        InputError: two would be called the same.
    """
    unique = list(dict.fromkeys(files))
    names = Counter(file.name for file in unique)
    called = [printable(f.name if names[f.name] == 1 else f.as_posix()) for f in unique]
    # A line break, and a backslash with an "n" behind it, for example.
    twice = [name for name, count in Counter(called).items() if count > 1]
    if twice:
        raise InputError(f"Two pictures would be called {twice[0]} in the results.", "Rename one.")
    return dict(zip(called, unique, strict=True))


def chosen_models(text: str | None) -> tuple[list[ModelSpec], list[str]]:
    """The variants that `--models` names, and what to tell about others.

    Without `--models` the `registry.default_models` whose weights are here; the notes name those
    left out.

    Raises:
        InputError: a name is unknown or given twice, or nothing is left.
    """
    if text is not None:
        keys = [key.strip() for key in text.split(",") if key.strip()]
        if not keys or len(set(keys)) < len(keys):
            raise InputError(f"--models {text!r} names no model or one twice.", "See `models`.")
        return [registry.get(key) for key in keys], []
    defaults = registry.default_models(
        lambda key: weights.state(registry.get(key).weights).path is not None
    )
    specs = [registry.get(key) for key in defaults]
    states = {spec.key: weights.state(spec.weights) for spec in specs}
    at_hand = [spec for spec in specs if states[spec.key].path is not None]
    if not at_hand:
        raise InputError("No default model has its weights here.", "Name others with --models.")
    return at_hand, [
        f"{spec.key} is left out: its weights ({megabytes(states[spec.key].size_bytes)}) are not "
        f"here; `python -m estimators weights fetch {spec.weights}` brings them."
        for spec in specs
        if spec not in at_hand
    ]
