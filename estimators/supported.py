"""Where the packages in the versions of requirements.txt can be installed: `make` asks first.

`python -m estimators.supported`, by the Python that is to be used, ends with one line where they
cannot.  Which wheels there are was looked up for these versions: look again when they change.
"""

from __future__ import annotations

import platform
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
MACHINES = {"Linux": ("x86_64", "aarch64"), "Darwin": ("arm64",)}
GLIBC, MACOS = (2, 28), (14,)
ADVICE = (
    "Use Python 3.11, 3.12 or 3.13 on Linux with glibc 2.28 or newer, or on a Mac with Apple "
    "silicon and macOS 14 or newer."
)


def problem(version: tuple[int, int], system: str, machine: str, base: tuple[str, str]) -> str:
    """What is wrong, "" where nothing is.

    Args:
        version: of Python, major and minor.
        system, machine: as `platform` tells them.
        base: name and version of the C library, on a Mac of macOS.
    """
    if system not in MACHINES:
        return f"{system} is neither Linux nor macOS; on Windows use WSL"
    if machine not in MACHINES[system]:
        name = "Intel Macs" if system == "Darwin" else f"{machine} processors"
        return f"TensorFlow and PyTorch do not come for {name}"
    if system == "Linux" and (base[0] != "glibc" or _numbers(base[1]) < GLIBC):
        return "glibc 2.28 or newer is needed, as in Debian 10 or Ubuntu 20.04; Alpine has another"
    if system == "Darwin" and _numbers(base[1]) < MACOS:
        return f"PyTorch needs macOS 14 or newer, this is {base[1]}"
    if not OLDEST <= version <= NEWEST:
        have = f"{version[0]}.{version[1]}"
        return (
            f"Python {have} does not do, TensorFlow comes for 3.11, 3.12 and 3.13; "
            "say which to take: make PYTHON=python3.12"
        )
    return ""


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


def problem_here() -> str:
    """As `problem`, of this machine and the Python that runs this."""
    system = platform.system()
    base = ("macOS", platform.mac_ver()[0]) if system == "Darwin" else platform.libc_ver()
    return problem(sys.version_info[:2], system, platform.machine(), base)


if __name__ == "__main__":
    wrong = problem_here()
    sys.exit(f"This cannot be installed here: {wrong}." if wrong else 0)
