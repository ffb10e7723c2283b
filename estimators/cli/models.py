"""`models`: the variants and the state of their weights."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from estimators import registry, weights
from estimators.cli.text import megabytes, table
from estimators.export.metadata import model_metadata


def run(options: argparse.Namespace) -> int:
    """Prints every variant; returns the exit code."""
    states = {key: weights.state(key) for key in {s.weights for s in registry.MODELS.values()}}
    if options.json:
        described = [_described(s, states[s.weights]) for s in registry.MODELS.values()]
        print(json.dumps(described, indent=2, ensure_ascii=False))
        return 0
    header = ("MODEL", "FAMILY", "JOINTS", "PEOPLE", "SCORE", "WEIGHTS", "SIZE")
    rows = [_row(spec, states[spec.weights]) for spec in registry.MODELS.values()]
    print(table(header, rows, right=(2, 3, 6)))
    return 0


def _row(spec: registry.ModelSpec, state: weights.WeightsState) -> tuple[str, ...]:
    return (
        spec.key,
        spec.family,
        str(len(spec.skeleton)),
        str(spec.max_people),
        spec.score_kind,
        state.state.replace("_", " "),
        megabytes(state.size_bytes),
    )


def _described(spec: registry.ModelSpec, state: weights.WeightsState) -> dict[str, Any]:
    source = weights.entry(spec.weights)
    return {
        "key": spec.key,
        **model_metadata(spec.key),
        "summary": spec.summary,
        "joints": list(spec.skeleton.joints),
        "max_people": spec.max_people,
        "single_person": spec.single_person,
        "expected_mb": spec.expected_mb,
        "stateful": spec.stateful,
        "training_data": spec.training_data,
        "limits": list(spec.limits),
        "figures": [asdict(figure) for figure in spec.figures],
        "reference_of": spec.reference_of,
        "weights": {
            "key": source.key,
            "state": state.state,
            "path": None if state.path is None else str(state.path),
            "url": source.url,
            "sha256": source.sha256 or None,
            "size_bytes": source.size_bytes or None,
            "detail": state.detail,
        },
    }
