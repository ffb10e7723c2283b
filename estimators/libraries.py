"""Shared libraries of the system that a package needs and does not bring: what to install."""

from __future__ import annotations

import ctypes
import re

# By the name that the loader asks for: the package of Debian and Ubuntu, as in `packages.txt`.
PACKAGES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
}
# Not in `packages.txt`, because every image with Python has them: named where one has not.
_OTHERS = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libstdc++.so.6": "libstdc++6",
    "libSM.so.6": "libsm6",
    "libXext.so.6": "libxext6",
}
# What the loader says: "<name>: cannot open shared object file", "<path>: file too short".
_NAMED = re.compile(r"\b(lib[\w+.-]*?\.so(?:\.\d+)*)")


def missing(error: BaseException | str) -> str:
    """The library that `error`, of an import, says cannot be opened; "" where it names none."""
    text = str(error)
    if "shared object" not in text and "file too short" not in text and "ELF" not in text:
        return ""
    found = _NAMED.search(text)
    return found.group(1) if found else ""


def cure(error: BaseException | str) -> str:
    """What to install where `error` is the want of a library of the system, else ""."""
    name = missing(error)
    if not name:
        return ""
    package = {**PACKAGES, **_OTHERS}.get(name)
    if package is None:
        return f"Install the system's package that holds {name}."
    return install(package)


def install(*packages: str) -> str:
    """How to install packages of Debian and Ubuntu."""
    return (
        f"Install the system's package {' and '.join(packages)} (Debian, Ubuntu: `apt-get install "
        f"{' '.join(packages)}`), then start anew."
    )


def opens(name: str) -> bool:
    """Whether the system's loader finds the library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
