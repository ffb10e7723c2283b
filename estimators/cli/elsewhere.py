"""Results at an address: made in a folder here, and written there every minute and in the end."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from estimators.cli.streams import complain
from estimators.remote import Remote
from estimators.remote_folder import local_copy
from estimators.workflows.own_folder import own_folder


@contextmanager
def _written(output: Remote) -> Iterator[Path]:
    with local_copy(output, within=own_folder()) as folder:
        yield folder
    complain(f"The files are at {output}.")


def bring(options: argparse.Namespace, stack: ExitStack) -> None:
    """Puts folders here in the place of addresses that `--output` and `merge` name.

    What lies at the address of `--output` is brought first, so that a shard goes on from there;
    what is here in the end, also after an interruption, is written there when `stack` is left.

    Raises:
        InputError: an address cannot be used.
    """
    output = getattr(options, "output", None)
    options.told_output = "" if output is None else str(output)
    if isinstance(output, Remote):
        options.output = stack.enter_context(_written(output))
    options.folders = [
        folder
        if isinstance(folder, Path)
        else stack.enter_context(local_copy(folder, True, own_folder()))
        for folder in getattr(options, "folders", ())
    ]
