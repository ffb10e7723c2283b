"""What `compare` was given: files and models, checked before any model is loaded."""

from __future__ import annotations

import argparse
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from estimators import registry, weights
from estimators.cli.marks import sha256_of
from estimators.cli.streams import libraries_silenced
from estimators.cli.text import megabytes
from estimators.datasets.archives import is_archive, read_member
from estimators.datasets.files import PICTURES, GivenFile, files_of
from estimators.datasets.health import Findings
from estimators.errors import InputError
from estimators.export.annotated_ids import SourcePicture
from estimators.media.kinds import CLIP_ENDINGS, kind_of
from estimators.media.names import printable
from estimators.media.pictures import PictureFile, open_picture
from estimators.registry import ModelSpec
from estimators.remote import Remote, RemoteFile, fetched
from estimators.runtime.machine import available_cores
from estimators.types import Frame
from estimators.workflows.kept_frames import KeptFrames
from estimators.workflows.own_folder import own_folder
from estimators.workflows.together import ahead

_MOST_BYTES = 1_000_000_000  # of a picture file
_MEDIA = PICTURES | frozenset(CLIP_ENDINGS)


def given_files(files: Sequence[Path | Remote]) -> list[GivenFile]:
    """Each file, and every picture and clip of a folder or ZIP, by its path or address.

    Raises:
        InputError: something is not there, or holds neither pictures nor clips.
    """
    found: list[GivenFile] = []
    for given in dict.fromkeys(files):
        if isinstance(given, Path) and not given.is_dir() and not is_archive(given):
            found.append(GivenFile(given.as_posix(), given))
            continue
        inside = [f for f in files_of(given, Findings()) if f.ending in _MEDIA]
        if not inside:
            raise InputError(f"{given} holds neither pictures nor clips.", "Name another.")
        before = str(given).rstrip("/")
        alone = isinstance(inside[0].source, RemoteFile) and inside[0].source.url == before
        found += [f if alone else replace(f, name=posixpath.join(before, f.name)) for f in inside]
    return found


def is_clip(file: GivenFile) -> bool:
    """Whether it is a clip by its content; a GIF counts as a picture, its first frame.

    In a ZIP or at an address its name's ending tells: each look would take time.

    Raises:
        InputError: it is no ordinary file, or cannot be read.
    """
    if isinstance(file.source, Path):
        return kind_of(file.source) == "clip"
    return file.ending in CLIP_ENDINGS


@contextmanager
def local_file(file: GivenFile) -> Iterator[Path]:
    """Where a clip lies here; a copy of one in a ZIP or at an address.

    Raises:
        InputError: it cannot be read, or not be copied.
    """
    if isinstance(file.source, Path):
        yield file.source
    elif isinstance(file.source, RemoteFile):
        with fetched(file.source, own_folder()) as path:
            yield path
    else:
        with TemporaryDirectory(prefix="pose-clip-", dir=own_folder()) as folder:
            path = Path(folder, posixpath.basename(file.name))
            try:
                path.write_bytes(read_member(file.source, printable(file.name)))
            except OSError as error:
                raise InputError(f"{printable(file.name)}: {error.strerror}.") from error
            yield path


def refuse_without_use(options: argparse.Namespace, clips: set[bool]) -> None:
    """Raises InputError for an option that says nothing of any given file, or goes with no other.

    Args:
        clips: what there is among the files: clips (True), pictures (False), or both.
    """
    if options.truth is not None and options.shard is not None:
        raise InputError("--truth is not kept in shards.", "Leave out --truth or --shard.")
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

    def __init__(self, files: Sequence[GivenFile]) -> None:
        self.paths = named(files)
        self.sizes: dict[str, tuple[int, int]] = {}
        self._orientations: dict[str, int] = {}
        self.notes: list[str] = []
        self._kept = KeptFrames()
        with libraries_silenced(), closing(ahead(self.paths, self._open, available_cores())) as all:
            for name, picture in zip(self.paths, all, strict=True):
                self._orientations[name] = picture.orientation
                self.notes += [f"{name}: {note}" for note in picture.notes]
                self.sizes[name] = picture.frame.full_size
                self._kept.keep(name, picture.frame)

    def __getitem__(self, name: str) -> Frame:
        return self._kept.get(name, lambda: self._open(name).frame)

    def _open(self, name: str) -> PictureFile:
        return open_picture(*self._content(name))

    def _content(self, name: str) -> tuple[Path | bytes, str]:
        """A picture, or its content, and what to call it in messages."""
        file = self.paths[name]
        if isinstance(file.source, Path):
            return file.source, str(file.source)
        return file.read(_MOST_BYTES), file.name

    def digests(self) -> dict[str, str]:
        """The SHA-256 of each file, by its name."""
        return {name: sha256_of(self._content(name)[0]) for name in self.paths}

    def sources(self) -> dict[str, SourcePicture]:
        """Each by its name, for comparison with annotations."""
        return {
            name: SourcePicture(Path(file.path), self.sizes[name], self._orientations[name])
            for name, file in self.paths.items()
        }


def named(files: Sequence[GivenFile]) -> Mapping[str, GivenFile]:
    """Each file once, by its bare name, or by its path where two share a name.

    Raises:
        InputError: two would be called the same.
    """
    unique = list(dict.fromkeys(files))
    short = [posixpath.basename(file.name) for file in unique]
    names = Counter(short)
    called = [
        printable(name if names[name] == 1 else file.name)
        for name, file in zip(short, unique, strict=True)
    ]
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
            raise InputError(f"{text!r} names no model or one twice.", "See `models`.")
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
