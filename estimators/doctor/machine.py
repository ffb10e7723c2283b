"""Libraries, processor, memory, disk and ports of this machine."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import stat
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from estimators import libraries
from estimators.doctor.packages import ROOT
from estimators.doctor.report import Finding

_MB = 1e6
# What the app's own process takes beside the models, and what a small set of models needs at least.
_APP_MB, _LEAST_MODELS_MB = 400, 300
# A clip of 500 MB and what is made of it; a first download.
_TEMP_MB, _CACHE_MB = 1500, 300
# The wheels of these packages are built with these, and end with SIGILL without.
_NEEDED = {"x86_64": ("sse4_1", "sse4_2", "avx"), "aarch64": ("asimd",)}
_TOLD = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "bf16", "asimddp")


def graphics() -> Iterator[Finding]:
    """The libraries that MediaPipe and OpenCV load and no package of Python brings."""
    if not sys.platform.startswith("linux"):
        return
    absent = {n: package for n, package in libraries.PACKAGES.items() if not libraries.opens(n)}
    if absent:
        yield Finding(
            "graphics libraries",
            "broken",
            f"{' and '.join(absent)} cannot be opened: MediaPipe (BlazePose) and OpenCV need them, "
            "though nothing is drawn on a screen",
            libraries.install(*absent.values()),
        )
    else:
        yield Finding("graphics libraries", "fine", ", ".join(libraries.PACKAGES))


def processor() -> Iterator[Finding]:
    """Cores that may be used, and instruction sets."""
    from estimators.runtime.machine import available_cores

    cores, total = available_cores(), os.cpu_count() or 1
    of = "" if cores == total else f" of {total}, as the container or the affinity says"
    few = cores < 2
    yield Finding(
        "cores",
        "note" if few else "fine",
        f"{cores}{of}",
        "Two or more let a model answer while the page is drawn." if few else "",
    )
    flags = cpu_flags()
    lacking = [f for f in _NEEDED.get(platform.machine(), ()) if flags and f not in flags]
    if lacking:
        yield Finding(
            "instruction sets",
            "broken",
            f"the processor lacks {', '.join(lacking)}, which the packages are built with",
            "Use another machine, or another kind of virtual processor (not `qemu64`).",
        )
    elif flags:
        found = ", ".join(flag for flag in _TOLD if flag in flags) or "none beyond the usual"
        yield Finding("instruction sets", "fine", found)


def cpu_flags() -> set[str]:
    """What Linux says of the processor; empty where it does not say."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return set(rest.split())
    return set()


def memory(budget: int) -> Iterator[Finding]:
    """The machine's memory against the budget of the models, in MB, and the app beside them."""
    from estimators.runtime.machine import memory_mb

    there = memory_mb()
    wanted = budget + _APP_MB
    found = f"{there.total:.0f} MB, {there.free:.0f} MB of them free; POSE_MEMORY_MB is {budget}"
    if wanted <= there.total:
        yield Finding("memory", "fine", found)
        return
    fits = int(max(_LEAST_MODELS_MB, there.total - _APP_MB) // 100 * 100)
    enough = there.total >= _APP_MB + _LEAST_MODELS_MB
    yield Finding(
        "memory",
        "note" if enough else "broken",
        f"{found}, and the app takes {_APP_MB} MB more",
        f"Set POSE_MEMORY_MB={fits}." if enough else "Use a machine with 1 GB or more.",
    )


def folders() -> Iterator[Finding]:
    """The folder of temporary files, which holds what visitors bring, and that for downloads."""
    from estimators.weights.places import places

    yield _folder("temporary files", Path(tempfile.gettempdir()), _TEMP_MB, "TMPDIR")
    yield _folder("downloads", places().downloads, _CACHE_MB, "POSE_CACHE_DIR")
    shared = Path("/dev/shm")
    if shared.is_dir() and (free := shutil.disk_usage(shared).free / _MB) < 64:
        yield Finding(
            "shared memory",
            "note",
            f"/dev/shm has {free:.0f} MB free: browsers of the tests need more, the app does not",
            "Start the container with `--shm-size=1g`.",
        )


def _folder(name: str, folder: Path, least_mb: float, variable: str) -> Finding:
    there = next((p for p in (folder, *folder.parents) if p.exists()), Path("/"))
    free = shutil.disk_usage(there).free / _MB
    elsewhere = f"Let {variable} name a folder elsewhere, or correct its permissions."
    try:
        with tempfile.TemporaryFile(prefix="pose-doctor-", dir=there) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError as error:
        reason = error.strerror or str(error)
        return Finding(name, "broken", f"{folder} cannot be written to: {reason}", elsewhere)
    mode = there.stat().st_mode
    if name == "temporary files" and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        words = f"{folder} lets every user remove the files of the others"
        return Finding(name, "note", words, f"`chmod +t {folder}`, or let {variable} name another.")
    if free < least_mb:
        return Finding(
            name,
            "note",
            f"{folder} has {free:.0f} MB free",
            f"Free {least_mb - free:.0f} MB, or let {variable} name a folder elsewhere.",
        )
    return Finding(name, "fine", f"{folder}, {free / 1000:.1f} GB free")


def port() -> Iterator[Finding]:
    """Whether the app's address can be listened on."""
    host, number = address()
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(where)
    except OSError as error:
        yield Finding(
            "port",
            "note",
            f"{host}:{number} is taken, perhaps by the app itself: {error.strerror or error}",
            f"Where it is another program: make run ARGS='--server.port {number + 1}'.",
        )
        return
    yield Finding("port", "fine", f"{host}:{number} is free")


def address() -> tuple[str, int]:
    """Where the app will listen: by environment, by `.streamlit/config.toml`, by default."""
    try:
        text = (ROOT / ".streamlit/config.toml").read_text(encoding="utf-8")
        server = tomllib.loads(text).get("server", {})
    except (OSError, tomllib.TOMLDecodeError):
        server = {}
    host = os.environ.get("STREAMLIT_SERVER_ADDRESS") or server.get("address", "localhost")
    number = os.environ.get("STREAMLIT_SERVER_PORT") or server.get("port", 8501)
    return str(host), int(number) if str(number).isdecimal() else 8501
