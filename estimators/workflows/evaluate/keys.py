"""What tells one answer of a model from another: weights, options, device, code and machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from estimators import weights
from estimators.devices import CPU, Placement
from estimators.specs import ModelSpec
from estimators.types import EstimatorOptions
from estimators.workflows.provenance import machine, versions

_ESTIMATORS = Path(__file__).resolve().parents[2]


@cache
def machine_digest() -> str:
    """Short digest of `provenance.machine`: times of two machines are not put together."""
    return digest(machine())


def model_key(spec: ModelSpec, options: EstimatorOptions) -> dict[str, Any]:
    """Everything but the picture that decides a model's answer, JSON-ready.

    The adapters' code, how they resize, and the versions of their frameworks are in it: answers of
    another version are not taken for this one's.

    Args:
        options: with the device that it is on (`placing.held`); none is the CPU.
    """
    asked = asdict(options)
    device = Placement(asked.pop("device") or CPU).kind
    return {
        "model": spec.key,
        "weights": weights.entry(spec.weights).sha256 if spec.weights else "",
        "options": asked,
        "device": device,
        "code": digest([_code(), repr(sorted(spec.settings.items())), versions()]),
    }


@cache
def _code() -> str:
    read = hashlib.sha256()
    for module in (_ESTIMATORS / "geometry.py", *sorted((_ESTIMATORS / "models").glob("*.py"))):
        read.update(module.read_bytes())
    return read.hexdigest()


def digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
