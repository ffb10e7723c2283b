"""Child process that reads MPII's `.mat`: `python -m … FILE` writes its `annolist` as JSON.

SciPy ends the whole process on some damaged files.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

_OF_IMAGES = ("image", "annorect")
_OF_PEOPLE = ("x1", "y1", "x2", "y2", "scale", "objpos", "annopoints")


def annolist(path: str) -> dict[str, Any]:
    """`annolist`: for each image its `name` and `annorect`; or `error`: why it cannot be had."""
    from scipy.io import loadmat

    try:
        content = loadmat(path, simplify_cells=True)
    except NotImplementedError:
        return {"error": "7.3"}
    except Exception as error:  # noqa: BLE001 - SciPy raises whatever it meets in damaged files
        return {"error": f"damaged: {error}"}
    try:
        return {"annolist": [_image(entry) for entry in several(content["RELEASE"]["annolist"])]}
    except (KeyError, TypeError, IndexError, ValueError):
        return {"error": "other"}


def several(value: Any) -> list[Any]:
    """What MATLAB calls a struct array: a list, one alone, or nothing."""
    if isinstance(value, np.ndarray):
        return list(value.ravel())
    return value if isinstance(value, list) else [] if value is None else [value]


def _image(entry: Any) -> dict[str, Any]:
    image, people = (entry.get(key) for key in _OF_IMAGES)
    chosen = [
        {key: _plain(person[key]) for key in _OF_PEOPLE if key in person}
        for person in several(people)
        if isinstance(person, dict)
    ]
    return {"name": _plain(image.get("name")), "annorect": chosen}


def _plain(value: Any) -> Any:
    """As JSON holds it; what is no number, text or struct is None."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, np.ndarray)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (np.integer, np.floating, np.bool_)):
        value = value.item()
    return value if isinstance(value, (str, int, float)) else None


if __name__ == "__main__":
    json.dump(annolist(sys.argv[1]), sys.stdout)
