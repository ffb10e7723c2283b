"""What `doctor` says of a machine that lacks something; nothing is imported or started here."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from estimators import libraries, supported, weights
from estimators.cli.doctor import in_words
from estimators.doctor import live, machine, models, packages
from estimators.doctor.media_child import devices_told
from estimators.doctor.report import Check, Finding, guarded
from estimators.errors import InputError
from estimators.runtime import whereabouts
from estimators.runtime.machine import MachineMemory, memory_mb
from estimators.settings import Settings
from estimators.weights import store
from tests.in_process import InProcessRunner
from tests.unit import fake_adapters as fake
from tests.unit import fake_devices
from tests.unit.fake_devices import FakeDevices

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("said", "library", "package"),
    [
        (
            "libEGL.so.1: cannot open shared object file: No such file or directory",
            "libEGL.so.1",
            "libegl1",
        ),
        (
            "ImportError: libGL.so.1: cannot open shared object file: No such file or directory.",
            "libGL.so.1",
            "libgl1",
        ),
        ("/usr/lib/x86_64-linux-gnu/libGLESv2.so.2: file too short", "libGLESv2.so.2", "libgles2"),
        ("/usr/lib/libEGL.so.1: invalid ELF header", "libEGL.so.1", "libegl1"),
        (
            "libgthread-2.0.so.0: cannot open shared object file: No such file",
            "libgthread-2.0.so.0",
            "libglib2.0-0",
        ),
        ("libodd.so.7: cannot open shared object file", "libodd.so.7", "that holds libodd.so.7"),
        ("No module named 'mediapipe'", "", ""),
        ("model libEGL.so.1 is unknown", "", ""),
    ],
)
def test_a_missing_library_is_told_with_its_package(said: str, library: str, package: str) -> None:
    assert libraries.missing(OSError(said)) == library
    assert package in libraries.cure(said)
    assert bool(libraries.cure(said)) == bool(package)


def test_the_libraries_are_those_of_packages_txt() -> None:
    listed = (ROOT / "packages.txt").read_text(encoding="utf-8").split()
    assert sorted(libraries.PACKAGES.values()) == sorted(listed)


def _raises(error: Exception) -> Check:
    def check() -> Iterator[Finding]:
        raise error
        yield

    return check


@pytest.mark.parametrize(
    ("error", "found", "repair"),
    [
        (InputError("No such setting.", "Unset it."), "No such setting.", "Unset it."),
        (ModuleNotFoundError("No module named 'psutil'"), "psutil", "requirements.txt"),
        (ImportError("libGL.so.1: cannot open shared object file"), "libGL.so.1", "libgl1"),
        (ValueError("odd"), "ValueError: odd", ""),
    ],
)
def test_a_check_that_fails_is_a_finding(error: Exception, found: str, repair: str) -> None:
    (finding,) = guarded("memory", _raises(error))
    assert finding.state == "broken"
    assert finding.name == "memory"
    assert found in finding.found
    assert repair in finding.repair


def test_findings_before_the_fault_are_kept() -> None:
    def check() -> Iterator[Finding]:
        yield Finding("a", "fine", "there")
        raise OSError("gone")

    assert [f.state for f in guarded("a", check)] == ["fine", "broken"]


def test_what_can_be_repaired_is_told_in_a_second_line() -> None:
    assert in_words(Finding("cores", "fine", "2")) == "ok      cores: 2"
    assert in_words(Finding("port", "broken", "taken", "free it")).splitlines() == [
        "BROKEN  port: taken",
        "        -> free it",
    ]


def test_a_wrong_python_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supported, "problem_here", lambda: "Python 3.14 does not do")
    (finding,) = packages.python()
    assert (finding.state, finding.repair) == ("broken", supported.ADVICE)
    assert "3.14" in finding.found


def test_absent_and_other_packages_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    here, absent = {"numpy": "1.0", "torch": "2.14.1+cpu"}, {"av"}

    def version(name: str) -> str:
        if name in absent:
            raise packages.metadata.PackageNotFoundError(name)
        return here.get(name, pins[name])

    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = {name: number for name, _, number in packages._PIN.findall(text)}
    assert {"numpy", "av", "streamlit", "setuptools"} <= pins.keys()
    assert len(pins) == sum(1 for line in text.splitlines() if line and line[0] not in "#-")
    monkeypatch.setattr(packages.metadata, "version", version)
    broken, note = packages.installed()
    assert (broken.state, broken.found) == ("broken", "not installed: av")
    assert note.state == "note"
    assert note.found == f"other versions: numpy 1.0 instead of {pins['numpy']}"
    here, absent = {"torch": "2.14.1+cpu"}, {"tensorflow", "tensorflow-hub"}
    (note,) = packages.installed()
    assert note.state == "note"
    assert "tensorflow, tensorflow-hub (only the -tfhub variants" in note.found


def test_one_package_that_ends_its_process_is_found_among_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def child(module: str, *names: str) -> dict[str, str] | str:
        return "its process was lost: killed by signal 4 (SIGILL)" if "av" in names else {}

    monkeypatch.setattr(packages, "child", child)
    (finding,) = packages.imports()
    assert (finding.name, finding.state) == ("import av", "broken")
    assert "SIGILL" in finding.found


def test_tensorflow_is_only_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    def child(module: str, *names: str) -> dict[str, str]:
        return {name: "No module named it" for name in names if name == "tensorflow"}

    monkeypatch.setattr(packages, "child", child)
    (finding,) = packages.imports()
    assert finding.state == "note"
    assert "-tfhub" in finding.found


def test_missing_graphics_libraries_name_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.sys, "platform", "linux")
    monkeypatch.setattr(libraries, "opens", lambda name: name == "libGL.so.1")
    (finding,) = machine.graphics()
    assert finding.state == "broken"
    assert "libEGL.so.1 and libGLESv2.so.2" in finding.found
    assert "apt-get install libegl1 libgles2" in finding.repair
    monkeypatch.setattr(libraries, "opens", lambda name: True)
    assert [f.state for f in machine.graphics()] == ["fine"]


def test_a_library_that_is_not_there_does_not_open() -> None:
    assert not libraries.opens("libnobody-has-this.so.9")


@pytest.mark.parametrize(
    ("total", "budget", "state", "repair"),
    [
        (8000, 2000, "fine", ""),
        (2400, 2000, "fine", ""),
        (2399, 2000, "note", "POSE_MEMORY_MB=1900"),
        (1000, 2000, "note", "POSE_MEMORY_MB=600"),
        (650, 2000, "broken", "1 GB"),
    ],
)
def test_the_budget_is_held_against_the_memory(
    monkeypatch: pytest.MonkeyPatch, total: int, budget: int, state: str, repair: str
) -> None:
    monkeypatch.setattr(
        "estimators.runtime.machine.memory_mb", lambda: MachineMemory(total, total / 2)
    )
    (finding,) = machine.memory(budget)
    assert finding.state == state
    assert repair in finding.repair
    assert bool(repair) == bool(finding.repair)


def test_a_container_counts_more_than_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("estimators.runtime.machine._CGROUP", tmp_path)
    whole = memory_mb().total
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    assert memory_mb().total == whole
    (tmp_path / "memory.max").write_text("9000000\n")
    assert memory_mb() == MachineMemory(9.0, 8.0)


def test_processors_without_what_the_packages_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(machine, "cpu_flags", lambda: {"sse4_1", "sse4_2", "avx2"})
    assert "lacks avx," in next(f for f in machine.processor() if f.state == "broken").found
    monkeypatch.setattr(machine, "cpu_flags", lambda: {"sse4_1", "sse4_2", "avx", "avx2"})
    assert [f.found for f in machine.processor()][-1] == "avx2"


@pytest.mark.skipif(os.geteuid() != 0 and not Path("/proc").is_dir(), reason="needs /proc")
def test_a_folder_that_takes_no_file_is_broken(tmp_path: Path) -> None:
    closed = Path("/proc/1")  # nobody can write there, not even root
    finding = machine._folder("downloads", closed, 1, "POSE_CACHE_DIR")
    assert finding.state == "broken"
    assert "POSE_CACHE_DIR" in finding.repair
    full = machine._folder("downloads", tmp_path / "not" / "made", 1e12, "POSE_CACHE_DIR")
    assert full.state == "note"
    assert machine._folder("downloads", tmp_path, 0.001, "POSE_CACHE_DIR").state == "fine"


def test_everybody_may_write_but_only_remove_their_own(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert machine._folder("temporary files", tmp_path, 0.001, "TMPDIR").state == "note"
    tmp_path.chmod(0o1777)
    assert machine._folder("temporary files", tmp_path, 0.001, "TMPDIR").state == "fine"


def test_a_port_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "127.0.0.1")
        monkeypatch.setenv("STREAMLIT_SERVER_PORT", str(number))
        (finding,) = machine.port()
        assert finding.state == "note"
        assert str(number + 1) in finding.repair
    assert [f.state for f in machine.port()] == ["fine"]


def test_the_address_is_that_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STREAMLIT_SERVER_ADDRESS", raising=False)
    monkeypatch.delenv("STREAMLIT_SERVER_PORT", raising=False)
    assert machine.address() == ("localhost", 8501)


def test_weights_that_are_not_what_they_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "posenet-mobilenet075-stride16-513.tflite").write_bytes(b"other")
    monkeypatch.setenv("POSE_WEIGHTS_DIR", str(tmp_path))
    broken = [f for f in models.weights_here() if f.state == "broken"]
    assert len(broken) == 1
    assert "posenet" in broken[0].found
    monkeypatch.delenv("POSE_WEIGHTS_DIR")
    monkeypatch.setattr(store, "EMBEDDED_DIR", tmp_path)
    lost = [f.found for f in models.weights_here() if f.state == "broken"]
    assert any("movenet-lightning" in words for words in lost)


Server = Callable[[Callable[[bytes], bytes]], str]


@pytest.fixture
def server() -> Iterator[Server]:
    """Makes a server of datagrams that answers the first one; gives its place."""
    sockets: list[socket.socket] = []

    def make(reply: Callable[[bytes], bytes]) -> str:
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        sockets.append(listening)

        def serve() -> None:
            asked, whence = listening.recvfrom(1500)
            listening.sendto(reply(asked), whence)

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{listening.getsockname()[1]}"

    yield make
    for each in sockets:
        each.close()


def test_a_turn_server_answers_with_what_it_was_asked(server: Server) -> None:
    right = server(lambda asked: b"\x01\x01\x00\x00" + asked[4:20])
    wrong = server(lambda asked: b"\x01\x01\x00\x00" + asked[4:8] + b"\0" * 12)
    assert live.answers(f"turn:{right}")
    assert not live.answers(f"turn:{wrong}")


def test_turn_over_tcp_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        place = f"127.0.0.1:{listening.getsockname()[1]}"
        assert live.answers(f"turns:{place}")
        assert live.answers(f"turn:{place}?transport=tcp")
    assert not live.answers(f"turns:{place}")


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("turns:[2001:db8::1]:443", ("2001:db8::1", 443)),
        ("turn:[2001:db8::1]?transport=tcp", ("2001:db8::1", 3478)),
        ("turns:a.example", ("a.example", 5349)),
    ],
)
def test_a_turn_server_may_have_an_ipv6_address(
    monkeypatch: pytest.MonkeyPatch, url: str, where: tuple[str, int]
) -> None:
    asked: list[tuple[str, int]] = []

    def refuse(place: tuple[str, int], timeout_s: float) -> None:
        asked.append(place)
        raise OSError

    monkeypatch.setattr(live.socket, "create_connection", refuse)
    assert not live.answers(url)
    assert asked == [where]
    assert not live.answers("turns:a.example:99999")


@pytest.mark.parametrize(
    ("given", "states", "words"),
    [
        ({}, ["fine"], "none"),
        ({"hf_token": "x"}, ["fine"], "HF_TOKEN"),
        ({"turn_urls": "turn:a.example"}, ["broken"], "POSE_TURN_USERNAME"),
        (
            {"turn_urls": "turn:a.example", "turn_username": "u", "turn_credential": "geheim"},
            ["note"],
            "a.example does not answer",
        ),
    ],
)
def test_what_the_settings_say_of_turn(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], states: list[str], words: str
) -> None:
    monkeypatch.setattr(live, "answers", lambda url: False)
    findings = list(live.turn(Settings(**given)))
    assert [f.state for f in findings] == states
    assert words in findings[0].found
    assert "geheim" not in repr(findings)


def test_the_smallest_model_of_each_engine_that_is_here_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    embedded = {"movenet-lightning", "blazepose-lite"}
    monkeypatch.setattr(weights, "state", _state({"keypointrcnn-coco-v1": "to_download"}))
    assert set(models.smallest()) == embedded
    monkeypatch.setattr(weights, "state", _state({"keypointrcnn-coco-v1": "cached"}))
    assert set(models.smallest()) == {*embedded, "keypointrcnn-reference"}


def _state(said: dict[str, str]) -> Callable[[str], SimpleNamespace]:
    return lambda key: SimpleNamespace(state=said.get(key, "embedded"))


@pytest.mark.parametrize(
    ("wanted", "gpus", "told"),
    [
        ("auto", ("NVIDIA A100",), "cuda:0 NVIDIA A100; POSE_DEVICE is auto"),
        ("auto", (), "CPU: PyTorch is a build without CUDA; POSE_DEVICE is auto"),
        ("cuda", (), "-CPU: PyTorch is a build without CUDA; POSE_DEVICE is cuda"),
        ("cuda:1", ("A", "B"), "cuda:0 A, cuda:1 B; POSE_DEVICE is cuda:1"),
        ("cuda:2", ("A", "B"), "-cuda:0 A, cuda:1 B; POSE_DEVICE is cuda:2"),
    ],
)
def test_the_device_is_told_and_a_gpu_that_is_wished_and_absent_is_a_fault(
    wanted: str, gpus: tuple[str, ...], told: str
) -> None:
    assert devices_told(wanted, FakeDevices(gpus)) == told


def test_a_model_that_answers_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whereabouts, "gpu_seen", lambda: False)
    placed = {"placed": fake_devices.spec()}
    with closing(InProcessRunner(threads=1, models=placed)) as runner:
        found = models._answer(runner, "Placed", "placed", fake.picture(3, 3))
    assert found.state == "fine"
    assert found.found.startswith("loads and answers, on CPU (")
