"""`make` says at once where the packages cannot be installed, and README says where they can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from estimators import supported

ROOT = Path(__file__).parents[2]
GLIBC, MACOS = ("glibc", "2.36"), ("macOS", "14.0")


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (((3, 11), "Linux", "x86_64", GLIBC), ""),
        (((3, 13), "Linux", "aarch64", ("glibc", "2.28")), ""),
        (((3, 12), "Darwin", "arm64", MACOS), ""),
        (((3, 12), "Darwin", "arm64", ("macOS", "13.7.1")), "macOS 14"),
        (((3, 12), "Darwin", "x86_64", MACOS), "Intel Macs"),
        (((3, 14), "Linux", "x86_64", GLIBC), "3.14 does not do"),
        (((3, 10), "Linux", "x86_64", GLIBC), "3.10 does not do"),
        (((4, 0), "Darwin", "arm64", MACOS), "4.0 does not do"),
        (((3, 12), "Linux", "armv7l", GLIBC), "armv7l"),
        (((3, 12), "Linux", "x86_64", ("glibc", "2.17")), "glibc 2.28"),
        (((3, 12), "Linux", "x86_64", ("", "")), "Alpine"),
        (((3, 12), "Windows", "AMD64", ("", "")), "WSL"),
    ],
)
def test_where_the_packages_can_be_installed(place: tuple[Any, ...], told: str) -> None:
    said = supported.problem(*place)
    assert told in said
    assert bool(said) == bool(told)


def test_readme_names_the_same_versions() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    minors = range(supported.OLDEST[1], supported.NEWEST[1] + 1)
    assert "They need Python " + ", ".join(f"3.{m}" for m in minors[:-1]) in readme
    assert f" or 3.{minors[-1]}, `make`" in readme
    assert f"Python 3.{minors[-1] + 1}, and `make` says so" in readme
