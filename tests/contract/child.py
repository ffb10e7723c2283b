"""Runs code that imports an ML framework outside of the tests' own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def code(text: str, *arguments: str) -> str:
    """What a Python of its own prints on running `text`; it must end well and keep stderr empty."""
    return _output("-c", text, *arguments)


def script(name: str, *arguments: str) -> str:
    """The same for the script `name` of this folder."""
    return _output("-m", f"tests.contract.{Path(name).stem}", *arguments)


def _output(*arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
