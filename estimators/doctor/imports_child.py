"""Child process: imports the modules it is given and prints which failed, as JSON by name."""

from __future__ import annotations

import importlib
import json
import os
import sys


def failures(names: list[str]) -> dict[str, str]:
    """Why those that cannot be imported cannot."""
    if any(name.startswith("mediapipe") for name in names):
        # As the adapter does: it imports TensorFlow for a documentation decorator.
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # documented use of None
    found = {}
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - packages raise whatever they meet
            found[name] = f"{type(error).__name__}: {error}"
    return found


if __name__ == "__main__":
    print("\n" + json.dumps(failures(sys.argv[1:])), flush=True)
    os._exit(0)  # frameworks may crash while they are torn down
