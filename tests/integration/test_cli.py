"""`models` and `weights` on the command line, and how commands end."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from estimators import registry, weights
from estimators.cli.main import main
from tests.unit.cli_process import ROOT, environment, estimators
from tests.unit.weights_server import Server

SHARD = ("--shard", "1/2", "--output", "x")
ANNOTATED = ("--output", "out", "--format", "coco", "--annotations")
BODY = bytes(range(256)) * 4000


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path / "cache")


def local(tmp_path: Path, server: Server) -> str:
    """A manifest with weights that the local server has, and some that it has not."""
    sha256 = hashlib.sha256(BODY).hexdigest()
    rest = f'sha256 = "{sha256}"\nsize_bytes = {len(BODY)}\nlicence = "none"\nsource = "test"\n'
    file = tmp_path / "manifest.toml"
    file.write_text(
        f'[local]\nkind = "download"\nfile_name = "local.bin"\nurl = "{server.url}"\n{rest}'
        f'[blazepose-heavy]\nurl = "{server.url}"\nsha256 = "{"0" * 64}"\n'
    )
    return str(file)


def test_models_lists_every_variant_with_its_weights(env: dict[str, str]) -> None:
    done = estimators("models", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:]}
    assert rows.keys() == registry.MODELS.keys()
    assert rows["blazepose-full"].split() == [
        *("blazepose-full", "BlazePose", "33", "5", "visibility", "embedded", "9.4", "MB")
    ]
    assert "to download" in rows["keypointrcnn-fast"]
    assert "logit" in rows["keypointrcnn-fast"]


def test_posenet_stands_in_while_a_default_model_has_no_weights() -> None:
    defaults = registry.DEFAULT_MODELS
    assert len({registry.get(key).family for key in defaults}) == 3
    assert registry.default_models(lambda key: True) == defaults
    for absent in defaults:
        have = registry.default_models(lambda key, absent=absent: key != absent)
        assert have == (*defaults, "posenet")


def test_models_as_json_says_what_the_registry_says(env: dict[str, str]) -> None:
    described = json.loads(estimators("models", "--json", env=env).stdout)
    assert [d["key"] for d in described] == list(registry.MODELS)
    for one in described:
        spec = registry.MODELS[one["key"]]
        assert one["joints"] == list(spec.skeleton.joints)
        assert one["score_kind"] == spec.score_kind
        assert (one["engine"], one["gives_3d"]) == (spec.engine, spec.gives_3d)
        assert one["same_weights_as"] == spec.same_weights_as
        assert one["weights"]["url"] == weights.entry(spec.weights).url
        assert one["weights"]["state"] in ("embedded", "to_download")


def test_models_imports_nothing_heavy(env: dict[str, str]) -> None:
    code = "import sys; from estimators.cli.main import main; main(['models']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}
    heavy = {"tensorflow", "torch", "mediapipe", "ai_edge_litert", "cv2", "pandas", "scipy", "av"}
    assert loaded & heavy == set()
    assert "estimators" in loaded


def test_weights_list_shows_every_entry_and_its_place(env: dict[str, str]) -> None:
    done = estimators("weights", "list", env=env)
    assert done.returncode == 0
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:]}
    assert rows.keys() == weights.entries().keys()
    assert weights.entry("keypointrcnn-coco-v1").url in rows["keypointrcnn-coco-v1"]
    assert "movenet-thunder.tflite" in rows["movenet-thunder"]


def test_fetch_by_weights_and_by_variant(env: dict[str, str], tmp_path: Path) -> None:
    with Server(BODY) as server:
        env["POSE_WEIGHTS_MANIFEST"] = local(tmp_path, server)
        done = estimators("weights", "fetch", "local", "movenet-lightning", env=env)
    assert done.returncode == 0
    assert (tmp_path / "cache" / "local.bin").read_bytes() == BODY
    assert str(tmp_path / "cache" / "local.bin") in done.stdout
    assert "movenet-lightning.tflite" in done.stdout


def test_a_fetch_that_fails_lets_the_others_go_on(env: dict[str, str], tmp_path: Path) -> None:
    with Server(BODY) as server:
        env["POSE_WEIGHTS_MANIFEST"] = local(tmp_path, server)
        done = estimators("weights", "fetch", "blazepose-heavy", "local", env=env)
        assert done.returncode == 1
        assert "blazepose-heavy" in done.stderr
        assert "what came is not the expected file" in done.stderr
        assert (tmp_path / "cache" / "local.bin").read_bytes() == BODY


def test_interrupted_fetch_keeps_what_it_has(env: dict[str, str], tmp_path: Path) -> None:
    with Server(BODY) as server:
        server.behaviour.gate = threading.Event()
        env["POSE_WEIGHTS_MANIFEST"] = local(tmp_path, server)
        command = [sys.executable, "-m", "estimators", "weights", "fetch", "local"]
        child = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
        part = tmp_path / "cache" / "local.bin.part"
        for _ in range(1200):
            if part.exists() and part.stat().st_size:
                break
            threading.Event().wait(0.05)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
        server.behaviour.gate.set()
        assert child.returncode == 130
        assert "Traceback" not in said
        assert 0 < part.stat().st_size < len(BODY)
        assert estimators("weights", "fetch", "local", env=env).returncode == 0
    assert "Range" in server.behaviour.seen[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "COMMAND"),
        (("nonsense",), "nonsense"),
        (("weights", "fetch", "nonsense"), "movenet-lightning"),
        (("compare",), "FILE"),
        (("compare", "absent.jpg"), "absent.jpg"),
        (("compare", "README.md"), "JPEG"),
        (("compare", "broken.mp4"), "clip"),
        (("compare", "sample_media/balance.mp4", "--start", "9"), "between 9 s and its end"),
        (("compare", "sample_media/balance.mp4", "--longest-side", "0"), "too small"),
        (("compare", "sample_media/balance.mp4", "--stride", "0"), "stride"),
        (("compare", "sample_media/astronaut.jpg", "--models", "yolo"), "movenet-lightning"),
        (("compare", "sample_media/astronaut.jpg", "--models", ","), "no model"),
        (("compare", "sample_media/astronaut.jpg", "--threads", "0"), "threads"),
        (("compare", "sample_media/astronaut.jpg", "--threads", "two"), "--threads"),
        (("compare", "sample_media/astronaut.jpg", "--format", "csv"), "--output"),
        (("compare", "sample_media/astronaut.jpg", "--output", "README.md"), "README.md"),
        (
            ("compare", "sample_media/astronaut.jpg", "--format", "xml"),
            "json, csv, coco, coco-dataset, parquet",
        ),
        (("compare", "empty"), "holds neither pictures nor clips"),
        (("compare", ""), "broken.mp4"),  # which lies in this folder
        (("compare", "pipe"), "is a pipe"),
        (("compare", "pipe.mp4"), "is a pipe"),
        (("compare", "/dev/zero"), "is a device"),
        (("compare", "socket.jpg"), "is a socket"),
        (("compare", "sample_media/astronaut.jpg", *ANNOTATED, "pipe"), "is a pipe"),
        (("compare", "sample_media/astronaut.jpg", *ANNOTATED, "/dev/zero"), "is a device"),
        (("compare", "sample_media/astronaut.jpg", *ANNOTATED, "sample_media"), "is a folder"),
        (("compare", "sample_media/astronaut.jpg", *ANNOTATED, "absent.json"), "absent.json"),
        (("compare", "sample_media/balance.mp4", *ANNOTATED, "README.md"), "only clips are given"),
        (("compare", "sample_media/astronaut.jpg", "--start", "0"), "--start is for clips"),
        (("compare", "sample_media/astronaut.jpg", "--end", "1"), "--end is for clips"),
        (("compare", "sample_media/astronaut.jpg", "--stride", "2"), "--stride is for clips"),
        (("compare", "sample_media/astronaut.jpg", "--longest-side", "640"), "is for clips"),
        (("compare", "sample_media/astronaut.jpg", "--threads", "9" * 30), "1 to 256"),
        (("compare", "sample_media/astronaut.jpg", "--threads", "9" * 5000), "1 to 256"),
        (("compare", "sample_media/astronaut.jpg", "--threads", "1e3"), "whole number"),
        (("compare", "sample_media/balance.mp4", "--stride", "-9" * 20), "--stride"),
        (("compare", "sample_media/balance.mp4", "--stride", "9" * 40), "too large"),
        (("compare", "sample_media/balance.mp4", "--longest-side", "9" * 40), "too large"),
        (("compare", "sample_media/balance.mp4", "--start", "1e308"), "no frame"),
        (("compare", "sample_media/astronaut.jpg", "--truth", "nowhere.json"), "nowhere.json"),
        (("compare", "sample_media/astronaut.jpg", "--truth", "README.md"), "README.md"),
        (("compare", "sample_media/astronaut.jpg", *SHARD, "--truth", "b.json"), "--truth"),
        (("compare", "sample_media/astronaut.jpg", "--output", ""), "--output"),
        (("compare", "sample_media/astronaut.jpg", "--output", "/proc/nowhere"), "/proc/nowhere"),
        (("compare", "sample_media/balance.mp4", "--output", "README.md/x"), "README.md/x"),
        (("compare", "a\x1b[2Jb\u202egpj.exe"), r"a\x1b[2Jb\u202egpj.exe"),
    ],
)
def test_bad_input_ends_with_2_and_one_line(
    arguments: tuple[str, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "README.md").write_text("not a picture")
    (tmp_path / "broken.mp4").write_bytes(bytes(2000))
    (tmp_path / "empty").mkdir()
    (tmp_path / "sample_media").symlink_to(ROOT / "sample_media")
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.mp4")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.jpg")
        assert exit_code(arguments) == 2
    said = capfd.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert told in lines[0]


def exit_code(arguments: tuple[str, ...]) -> object:
    """Of a command in this process, which saves a second of start."""
    try:
        return main(arguments)
    except SystemExit as ended:
        return ended.code


def test_a_reader_that_has_enough_is_no_error(env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "estimators", "models", "--json"]
    child = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.stdout.close()
    assert child.stderr is not None
    assert child.stderr.read() == ""
    assert child.wait() == 0
    child.stderr.close()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("POSE_MAX_STREAMS", "many", "is 'many'"),
        ("POSE_MEMORY", "1", "Did you mean POSE_MEMORY_MB?"),
    ],
)
def test_a_wrong_setting_is_told_before_anything_is_done(
    name: str, value: str, told: str, env: dict[str, str]
) -> None:
    done = estimators("models", env={**env, name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {name} is ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert estimators("--help", env={**env, name: value}).returncode == 0
