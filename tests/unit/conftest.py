"""Unit tests start no process: what needs one lies in tests/integration."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

_POPEN_INIT = subprocess.Popen.__init__


def _refused(self: subprocess.Popen[Any], args: Any, *more: Any, **named: Any) -> None:
    """Lets git list the repository's files, and nothing else."""
    if args[0] != "git":
        pytest.fail(f"{args} in a unit test: starting processes belongs into tests/integration")
    _POPEN_INIT(self, args, *more, **named)


@pytest.fixture(autouse=True)
def _no_process() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", _refused)
        yield
