"""What make says before it does anything."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_make_says_it_before_it_installs_anything(tmp_path: Path) -> None:
    """With a Python that runs the check for another machine."""
    python = tmp_path / "python3.14"
    python.write_text('#!/bin/sh\necho "This cannot be installed here." >&2\nexit 1\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "run", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "cannot be installed here" in done.stderr
    assert "Installing" not in done.stdout
    assert not (tmp_path / "venv").exists()
