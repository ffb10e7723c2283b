"""Commands on a head of Ray as people start one: by `ray://`, as jobs, and when the driver dies."""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from estimators.cli.codes import INTERRUPTED
from estimators.workflows.lines import read_lines
from tests.unit.cli_process import ROOT, SAMPLES, environment, estimators
from tests.unit.cli_untimed import compared, require_same

pytest.importorskip("ray", reason="needs requirements-ray.txt")
pytestmark = pytest.mark.timeout(600)
PATIENCE_S = 180.0  # for a runner that is busy
EVALUATE = ["evaluate", "--images", SAMPLES, "--annotations", SAMPLES / "annotations.json"]
EVALUATE += ["--models", "movenet-lightning,posenet", "--threads", "1"]
# MoveNet and BlazePose follow the person of a clip.
GIVEN = ("astronaut.jpg", "street.mp4", "balance.mp4")
COMPARE = ["--models", "movenet-lightning,blazepose-full", "--end", "0.2", "--no-video"]
COMPARE += ["--threads", "1", "--format", "json,csv,coco"]


class Store(SimpleHTTPRequestHandler):
    """Samples at an address, for who has the secret; tells of parts of files, as stores do."""

    secret = secrets.token_hex(16)
    refused = 0

    def send_head(self) -> io.BytesIO | None:
        if self.headers.get("Authorization") != f"Bearer {self.secret}":
            Store.refused += 1
            self.send_error(HTTPStatus.UNAUTHORIZED)
            return None
        content = (SAMPLES / self.path.rpartition("/")[2]).read_bytes()
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(part[1]), int(part[2] or len(content) - 1)) if part else (0, None)
        sent = content[first : None if last is None else last + 1]
        self.send_response(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK)
        self.send_header("Content-Length", str(len(sent)))
        self.send_header("Accept-Ranges", "bytes")
        if part:
            whole = f"bytes {first}-{first + len(sent) - 1}/{len(content)}"
            self.send_header("Content-Range", whole)
        self.end_headers()
        return io.BytesIO(sent)

    def copyfile(self, source: Any, outputfile: Any) -> None:
        with suppress(ConnectionError):  # who asked wanted no more
            super().copyfile(source, outputfile)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the samples lie that are compared."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


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
    # Credentials for what lies elsewhere come from the environment of each machine.
    env["FSSPEC_HTTP"] = json.dumps({"headers": {"Authorization": f"Bearer {Store.secret}"}})
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


def test_clips_and_pictures_at_an_address_in_a_job_that_outlives_the_terminal(
    head: Head, address: str, tmp_path: Path
) -> None:
    given = ["compare", *(address + name for name in GIVEN), *COMPARE]
    one = estimators(*given, "--output", tmp_path / "one", env=head.env)
    assert one.returncode == 0, one.stderr
    many = [*given, "--on", head.jobs, "--output", tmp_path / "many", "--detach"]
    detached = estimators(*many, env=head.env)
    assert detached.returncode == 0, detached.stderr
    told = re.search(r"^Come back: python -m estimators (.*)$", detached.stdout, re.MULTILINE)
    assert told is not None
    attached = estimators(*told[1].split(), env=head.env)
    assert attached.returncode == 0, attached.stdout + attached.stderr
    same = require_same(tmp_path / "one", tmp_path / "many")
    assert {"joints.csv", "street/joints.csv", "balance/blazepose-full.coco.json"} <= same
    said = "".join(text for run in (one, detached, attached) for text in (run.stdout, run.stderr))
    secret = Store.secret.encode()
    assert secret not in said.encode()
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert [p for p in files if secret in p.read_bytes()] == []
    unknown = {k: v for k, v in head.env.items() if k != "FSSPEC_HTTP"}
    refused = estimators(*given, "--output", tmp_path / "none", env=unknown)
    assert (refused.returncode, Store.refused > 0) == (2, True)
    assert "credentials" in refused.stderr


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
