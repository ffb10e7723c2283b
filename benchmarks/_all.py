"""`make bench`: one benchmark after another, then one table: `python -m benchmarks._all [NAME …]`.

Each is run as briefly as its ratios allow: all together in under a quarter of an hour on a quiet
machine of two cores.  Run by itself, without these arguments, a benchmark takes longer and says
more.  One that fails is told, and the others go on.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from benchmarks import _limits

MOST_MINUTES = 15.0
PLAN: Mapping[str, str] = MappingProxyType(
    {
        "families": "--rounds 6 --seconds 3",
        "batch": "",
        "transport": "",
        "roi_align": "",
        "viewers": "",
        "clip": "--rounds 1 --frames 40",
        "long_clip": "",
        "first_visit": "--rounds 2",
        "pages": "--rounds 3",
        "startup": "--rounds 1",
        "memory": "--seeded",
        "clip_memory": "--long 3000",
        "clip_job_memory": "--long 1000",
        "render": "",
        "live": "--rounds 1 --seconds 5",
    }
)
# Not speed, or minutes each: by hand, after a change of what they are about.
BY_HAND = (
    "fit_verdict",
    "gpu",
    "keypoint_rcnn",
    "live_memory",
    "scale",
    "scale_plan",
    "upload_memory",
    "verdict",
)


def main(names: list[str]) -> int:
    """Runs them; the exit code is 1 where one has failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*PLAN, *BY_HAND)))
    names = parser.parse_args(names).names
    if unknown := ", ".join(sorted({*names} - {*PLAN, *BY_HAND})):
        parser.error(f"there is no benchmark {unknown}; there are {', '.join((*PLAN, *BY_HAND))}")
    failed = []
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "table")
        table.touch()
        os.environ[_limits.FILE] = str(table)
        for name in names or PLAN:
            print(f"== {name}", flush=True)
            since = time.monotonic()
            command = [sys.executable, "-m", f"benchmarks.{name}", *PLAN.get(name, "").split()]
            if subprocess.run(command, check=False).returncode:
                failed.append(name)
            print(f"-- {name}: {time.monotonic() - since:.0f} s", flush=True)
        minutes = (time.monotonic() - begun) / 60
        if not names:
            _limits.say("all benchmarks", minutes, most=MOST_MINUTES, unit="minutes")
        print(f"\n{_limits.here_text()}\n\n{_limits.told(table.read_text('utf-8'))}")
    for name in failed:
        print(f"{name} ended with an error", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
