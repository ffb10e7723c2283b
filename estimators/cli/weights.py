"""`weights`: list, fetch, rebuild-movenet."""

from __future__ import annotations

import argparse
from pathlib import Path

from estimators import registry, weights
from estimators.cli.codes import FAILED
from estimators.cli.streams import complain
from estimators.cli.text import megabytes, table
from estimators.errors import InputError, WeightsError


def run(options: argparse.Namespace) -> int:
    """Runs the chosen action; returns the exit code."""
    if options.action == "fetch":
        return _fetch([_weights_key(key) for key in options.keys])
    if options.action == "rebuild-movenet":
        return _rebuild(options.output)
    return _list()


def _list() -> int:
    rows = []
    for key, entry in weights.entries().items():
        state = weights.state(key)
        where = state.detail if state.state == "failed" else str(state.path or entry.url)
        name = state.state.replace("_", " ")
        rows.append((key, entry.kind, name, megabytes(entry.size_bytes), where))
    print(table(("WEIGHTS", "KIND", "STATE", "SIZE", "WHERE"), rows, right=(3,)))
    return 0


def _weights_key(key: str) -> str:
    """The weights that `key`, of weights or of a variant, names."""
    if key in weights.entries():
        return key
    if key in registry.MODELS:
        return registry.MODELS[key].weights
    raise InputError(
        f"There are no weights {key!r}.", f"Choose from: {', '.join(weights.entries())}."
    )


def _fetch(keys: list[str]) -> int:
    """Fetches one after the other; one that fails does not keep the others from coming."""
    from tqdm import tqdm

    failed = 0
    for key in dict.fromkeys(keys):
        with tqdm(desc=key, unit="B", unit_scale=True, leave=False, disable=None) as bar:

            def show(done: int, total: int, bar: tqdm[None] = bar) -> None:
                bar.total = total or None
                bar.update(done - bar.n)

            try:
                path: Path | None = weights.fetch(key, show)
            except WeightsError as error:
                failed, path = failed + 1, None
                with tqdm.external_write_mode():
                    complain(f"error: {error}")
        if path is not None:
            print(f"{key}: {path}")
    return FAILED if failed else 0


def _rebuild(output: Path) -> int:
    from estimators.maintenance.rebuild import rebuild_movenet
    from estimators.media.samples import pictures

    rebuild_movenet(output, print, [picture.path for picture in pictures()])
    print(f"written to {output}")
    return 0
