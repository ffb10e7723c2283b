"""Streamlit's secrets count for the whole server from its start, and for its children."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_START = """
import json, os, sys, streamlit_app
from estimators.decode.pool import pool
from estimators.media.limits import allowed
from estimators.workflows.room import room

print(json.dumps([room().total_mb, pool()._patience_s, allowed().megapixels]))
print(json.dumps(dict(os.environ)))
sys.stdout.flush()
pool().close()
os._exit(0)
"""


def start(folder: Path, secrets: str) -> tuple[list[float], dict[str, str]]:
    """Budget of work, patience and megapixels of a server started here; its environment."""
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit/secrets.toml").write_text(secrets)
    clean = {n: v for n, v in os.environ.items() if not n.startswith("POSE_")}
    ran = subprocess.run(
        [sys.executable, "-c", _START],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT), "POSE_WORK_MB": "700"},
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    told, environment = ran.stdout.splitlines()[-2:]
    return json.loads(told), json.loads(environment)


def test_a_secret_counts_from_the_start(tmp_path: Path) -> None:
    secrets = 'POSE_DECODE_S = 7\nPOSE_WORK_MB = "800"\nPOSE_MAX_MEGAPIXELS = 9\n'
    told, environment = start(tmp_path, f"{secrets}[other]\nPOSE_MEMORY_MB = 5\n")
    assert told == [800, 7.0, 9]
    assert environment["POSE_MAX_MEGAPIXELS"] == "9"  # of the decoders, too


def test_a_server_whose_secrets_are_wrong_starts_to_say_so(tmp_path: Path) -> None:
    told, _ = start(tmp_path, 'POSE_DECODE_S = "long"\n')
    assert told[:2] == [700, 120]  # what the environment says counts all the same
