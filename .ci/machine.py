"""Ends with one line where the packages in the versions of requirements.txt cannot be installed.

Run by the Python that is to be used.  Which wheels there are was looked up for these versions: look
again when they change.
"""

from __future__ import annotations

import platform
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
MACHINES = {"Linux": ("x86_64", "aarch64"), "Darwin": ("arm64",)}
GLIBC = (2, 28)


def problem(version: tuple[int, int], system: str, machine: str, libc: tuple[str, str]) -> str:
    """What is wrong, "" where nothing is.

    Args:
        version: of Python, major and minor.
        system, machine: as `platform` tells them.
        libc: its name and version, of `platform.libc_ver`.
    """
    if system not in MACHINES:
        return f"{system} is neither Linux nor macOS; on Windows use WSL"
    if machine not in MACHINES[system]:
        name = "Intel Macs" if system == "Darwin" else f"{machine} processors"
        return f"TensorFlow and PyTorch do not come for {name}"
    if system == "Linux" and (libc[0] != "glibc" or _numbers(libc[1]) < GLIBC):
        return "glibc 2.28 or newer is needed, as in Debian 10 or Ubuntu 20.04; Alpine has another"
    if not OLDEST <= version <= NEWEST:
        have = f"{version[0]}.{version[1]}"
        return (
            f"Python {have} does not do, TensorFlow comes for 3.11, 3.12 and 3.13; "
            "say which to take: make PYTHON=python3.12"
        )
    return ""


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


if __name__ == "__main__":
    found = problem(
        sys.version_info[:2], platform.system(), platform.machine(), platform.libc_ver()
    )
    sys.exit(f"This cannot be installed here: {found}." if found else 0)
