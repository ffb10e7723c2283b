"""What this product is, in the menu of every page."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


@cache
def about() -> str:
    """Version, licence, and where to read on; Markdown."""
    project = tomllib.loads(_PROJECT.read_text("utf-8"))["project"]
    return (
        f"**Pose comparison {project['version']}** · {project['license']}\n\n"
        "Which pose model should I use? MoveNet, BlazePose, PoseNet and Keypoint R-CNN on your own "
        "pictures and clips, side by side. All runs on the machine that serves this page.\n\n"
        "Help: each setting explains itself under its question mark; README.md and the folder "
        "docs of the product say what every number means. The models' weights have licences of "
        "their own: see the Models page."
    )
