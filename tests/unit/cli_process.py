"""Runs the command line as a person does: a process of its own, from the repository's folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from estimators import settings

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_media"


def environment(cache: Path, **more: str) -> dict[str, str]:
    """The tests' environment with an empty cache in `cache`."""
    ours = {name for name, _, _ in settings.table()}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.lower().endswith("_proxy")  # what is asked is here
    }
    return {**kept, "POSE_CACHE_DIR": str(cache), "NO_PROXY": "127.0.0.1", **more}


def estimators(
    *arguments: object, env: dict[str, str], cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """`python -m estimators …`"""
    return subprocess.run(
        [sys.executable, "-m", "estimators", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
        check=False,
    )
