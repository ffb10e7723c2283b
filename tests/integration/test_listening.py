"""Nobody on the network reaches the app unless the person who starts it says so."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest

from tests.unit.runtime_support import wait_until

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("switch", "local"), [((), True), (("--server.address", "0.0.0.0"), False)]
)
def test_the_app_listens_on_this_machine_only_unless_told(
    switch: tuple[str, ...], local: bool
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = ("-m", "streamlit", "run", "streamlit_app.py", "--server.headless", "true")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STREAMLIT_")}
    app = subprocess.Popen(
        [sys.executable, *run, "--server.port", str(port), *switch],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: listening(app.pid))
        addresses = [ip_address(address) for address in listening(app.pid)]
        assert all(address.is_loopback for address in addresses) == local
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            pass
    finally:
        app.terminate()
        app.wait()


def test_make_run_adds_no_address() -> None:
    command = ["make", "-n", "-o", ".venv/installed-requirements.txt", "run"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "streamlit run streamlit_app.py" in printed
    assert "address" not in printed


def listening(pid: int) -> list[str]:
    connections = psutil.Process(pid).net_connections("tcp")
    return [c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN]
