"""The terminal, or whatever stands in for it: it may be closed, full, or gone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

from estimators.media.names import printable


def prepare() -> bool:
    """Makes the standard streams usable; False where there is no standard output.

    Descriptors that are closed are taken by an empty device, so that no file gets their numbers.
    """
    here = [_is_open(descriptor) for descriptor in range(3)]
    for descriptor, is_open in enumerate(here):
        if not is_open:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != descriptor:
                os.close(opened)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for good
    if isinstance(sys.stdout, TextIOWrapper):
        # A name may have what this terminal's encoding has not, or be no text at all.
        sys.stdout.reconfigure(errors="backslashreplace")
    return sys.stdout is not None


def tell(text: str, files: Iterable[Path] = ()) -> None:
    """A report on standard output, and where each file is, whatever characters its name has.

    Raises:
        OSError: it cannot be written.
    """
    print(text, *(printable(str(file)) for file in files), sep="\n")


def complain(text: str) -> None:
    """One line on standard error, whatever characters a name in it has."""
    with suppress(OSError, ValueError):
        print(printable(" ".join(text.split())), file=sys.stderr, flush=True)


@contextmanager
def libraries_silenced() -> Iterator[None]:
    """Keeps off the terminal what libraries say about a damaged file, which our own line tells.

    libtiff and libjpeg write to the descriptor, past Python.
    """
    sys.stderr.flush()
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


def drop_unwritten() -> None:
    """Forgets what cannot be written: Python would complain again on exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
