"""Commands on a head of Ray as people start one: by `ray://`, as jobs, and when the driver dies."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from estimators.cli.codes import INTERRUPTED
from estimators.workflows.lines import read_lines
from tests.unit.cli_process import ROOT, SAMPLES, environment, estimators
from tests.unit.cli_untimed import compared

pytest.importorskip("ray", reason="needs requirements-ray.txt")
pytestmark = pytest.mark.timeout(600)
PATIENCE_S = 180.0  # for a runner that is busy
EVALUATE = ["evaluate", "--images", SAMPLES, "--annotations", SAMPLES / "annotations.json"]
EVALUATE += ["--models", "movenet-lightning,posenet", "--threads", "1"]


@dataclass(frozen=True)
class Head:
    """A head that asks for a token; who connects has the token, but was not told to show it."""

    client: str
    jobs: str
    env: dict[str, str]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_for(true: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < until
        time.sleep(0.01)


def of_head(head: subprocess.Popen[bytes], token: Path) -> list[psutil.Process]:
    """Every process of the head, its jobs and workers, whoever has become its parent."""
    found = set()
    with suppress(psutil.Error):
        found.update(psutil.Process(head.pid).children(recursive=True))
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("RAY_AUTH_TOKEN_PATH") == str(token):
                found.add(process)
    return list(found)


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    folder = tmp_path_factory.mktemp("head")
    token = folder / "token"
    token.write_text(secrets.token_hex(32))
    env = environment(folder / "cache", RAY_USAGE_STATS_ENABLED="0", GRPC_ENABLE_FORK_SUPPORT="0")
    env = {k: v for k, v in env.items() if not k.startswith("RAY_") or "USAGE" in k}
    # The server of a client that is gone waits for it to come back: not long.
    env |= {"RAY_AUTH_TOKEN_PATH": str(token), "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "1"}
    ports = client, jobs, agent = free_port(), free_port(), free_port()
    there = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # paths of sockets are short
    command = [Path(sys.executable).with_name("ray"), "start", "--head", "--block", "--port=0"]
    command += [f"--ray-client-server-port={client}", f"--dashboard-port={jobs}"]
    command += [f"--dashboard-agent-listen-port={agent}", "--node-ip-address=127.0.0.1"]
    command += ["--num-cpus=2", "--object-store-memory=80000000", f"--temp-dir={there}"]
    with (folder / "log").open("wb") as log:
        told = {**env, "RAY_AUTH_MODE": "token", "RAY_raylet_start_wait_time_s": "150"}
        process = subprocess.Popen(command, env=told, stdout=log, stderr=log, cwd=folder)
    try:
        wait_for(lambda: all(map(answers, ports)), process)
        yield Head(f"ray://127.0.0.1:{client}", f"http://127.0.0.1:{jobs}", env)
    finally:
        while left := of_head(process, token):  # a raylet that is not killed yet starts more
            for each in left:
                with suppress(psutil.Error):
                    each.kill()
            process.wait(20)
            psutil.wait_procs(left, 20)
        shutil.rmtree(there, ignore_errors=True)


def answered(folder: Path) -> Counter[str]:
    """How often each question has been answered in the parts of a folder."""
    found: Counter[str] = Counter()

    def take(entry: dict[str, object]) -> None:
        if "picture" in entry:
            found[json.dumps([entry["of"], entry["picture"], entry["window"]])] += 1

    for path in folder.glob("shard-*/*.estimates"):
        if not path.name.startswith(("pictures", "clips")):
            read_lines(path.read_bytes(), take)
    return found


def test_a_driver_by_ray_client_that_is_killed_goes_on_where_it_was(
    head: Head, tmp_path: Path
) -> None:
    one = estimators(*EVALUATE, "--output", tmp_path / "one", env=head.env)
    assert one.returncode == 0, one.stderr
    many = tmp_path / "many"
    command = [*EVALUATE, "--workers", "1", "--on", head.client, "--output", many]
    driver = subprocess.Popen(
        [sys.executable, "-m", "estimators", *map(str, command)],
        cwd=ROOT,
        env=head.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: bool(answered(many)), driver)
    finally:
        driver.send_signal(signal.SIGKILL)
    assert driver.wait(20) == -signal.SIGKILL
    before = answered(many)
    again = estimators(*command, env=head.env)
    assert again.returncode == 0, again.stderr
    after = answered(many)
    assert set(before) < set(after)
    assert set(after.values()) == {1}  # nothing that was known was asked again
    known = [int(n) for n in re.findall(r"(\d+) known from an earlier run", again.stderr)]
    assert sum(known) == len(before)
    _, others = compared(tmp_path / "one", many)
    dated = {f"{model}.coco-dataset.json" for model in ("movenet-lightning", "posenet")}
    assert others <= {"report.html", "report.json", "verdict.json", *dated}  # they tell times
    told, there = (json.loads((f / "report.json").read_bytes()) for f in (tmp_path / "one", many))
    for name, model in told["models"].items():
        costs = {"latency_ms": None, "memory_mb": None}  # of shared nodes no times are told
        assert {**model, **costs} == {**there["models"][name], "memory_mb": None}


def test_a_job_that_is_cancelled_keeps_what_it_has(head: Head, tmp_path: Path) -> None:
    command = [*EVALUATE, "--on", head.jobs, "--output", tmp_path, "--detach"]
    detached = estimators(*command, env=head.env)
    job = re.search(r"--attach (\S+)", detached.stdout)
    assert job is not None, detached.stdout + detached.stderr
    cancelled = estimators("job", "--on", head.jobs, "--cancel", job[1], env=head.env)
    assert cancelled.returncode == 0, cancelled.stderr
    ended = estimators("job", "--on", head.jobs, "--attach", job[1], env=head.env)
    assert ended.returncode == INTERRUPTED, ended.stdout + ended.stderr


def test_a_head_whose_token_is_not_known_says_so(head: Head, tmp_path: Path) -> None:
    env = {**head.env, "RAY_AUTH_MODE": "disabled"}
    refused = estimators(*EVALUATE, "--on", head.jobs, "--output", tmp_path, env=env)
    assert refused.returncode == 2
    assert "set RAY_AUTH_MODE=token" in refused.stderr
    text = "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())
    secret = Path(head.env["RAY_AUTH_TOKEN_PATH"]).read_text()
    assert secret not in text + refused.stdout + refused.stderr
