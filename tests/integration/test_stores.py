"""Pictures and results at s3:// and gs://: real clients, and servers here that speak alike."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.unit.cli_process import SAMPLES, environment, estimators
from tests.unit.cli_untimed import compared, require_same

boto3 = pytest.importorskip("boto3", reason="needs requirements-dev.txt")
emulator = pytest.importorskip("gcp_storage_emulator.server", reason="needs requirements-dev.txt")
pytestmark = pytest.mark.timeout(600)
MODEL = ["--models", "movenet-lightning", "--threads", "1"]
PICTURES = ("astronaut.jpg", "grace_hopper.jpg")
# A report tells times, and when it was made.
DATED = {"report.html", "report.json", "verdict.json", "movenet-lightning.coco-dataset.json"}
Answer = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Store:
    """S3 on this machine, for who signs with the one key."""

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        self.key, self.secret = f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20)
        self.refused = 0
        self._inner: Answer = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        where = f"http://127.0.0.1:{self._server.server_port}"
        self.env = {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}
        self.env |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": where}
        self.bucket = boto3.resource(
            "s3",
            endpoint_url=where,
            region_name="us-east-1",
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
        ).create_bucket(Bucket="bucket")

    def _answer(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if f"Credential={self.key}/" not in environ.get("HTTP_AUTHORIZATION", ""):
            self.refused += 1
            start("403 Forbidden", [("Content-Length", "0")])
            return [b""]
        return self._inner(environ, start)

    def objects(self) -> dict[str, bytes]:
        return {o.key: o.get()["Body"].read() for o in self.bucket.objects.all()}

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module", autouse=True)
def no_proxy() -> Iterator[None]:
    """Whatever the environment has: nobody between these tests and their servers."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store()
    for path in (*SAMPLES.glob("*.jpg"), SAMPLES / "annotations.json"):
        folder = "" if path.suffix == ".json" else "pictures/"
        made.bucket.upload_file(str(path), folder + path.name)
    made.bucket.upload_file(str(zipped(tmp_path_factory.mktemp("zip"))), "more.zip")
    yield made
    made.close()


def zipped(folder: Path) -> Path:
    """A ZIP with a picture and a clip."""
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.write(SAMPLES / PICTURES[1], f"in/{PICTURES[1]}")
        archive.write(SAMPLES / "street.mp4", "in/street.mp4")
    return folder / "more.zip"


def require_secret(store: Store, said: Iterable[str], folders: Iterable[Path]) -> None:
    """Nothing that was said or written tells the key, nor its secret."""
    files = [p for folder in folders for p in folder.rglob("*") if p.is_file()]
    written = {str(p): p.read_bytes() for p in files} | store.objects()
    assert written
    for word in (store.key, store.secret):
        assert [text for text in said if word in text] == []
        assert [name for name, content in written.items() if word.encode() in content] == []


def test_shards_of_pictures_at_s3_make_the_report_of_a_folder(store: Store, tmp_path: Path) -> None:
    env = environment(tmp_path / "cache", **store.env)
    (tmp_path / "in").mkdir()
    for path in SAMPLES.glob("*.jpg"):
        shutil.copy(path, tmp_path / "in")
    here = ["--images", tmp_path / "in", "--annotations", SAMPLES / "annotations.json"]
    here += ["--output", tmp_path / "one"]
    there = ["--images", "s3://bucket/pictures", "--annotations", "s3://bucket/annotations.json"]
    said = []
    for arguments in (
        ["evaluate", *MODEL, *here],
        *(
            ["evaluate", *MODEL, *there, "--output", "s3://bucket/parts", "--shard", shard]
            for shard in ("1/2", "2/2")
        ),
        ["merge", "s3://bucket/parts", "--output", tmp_path / "many"],
    ):
        done = estimators(*arguments, env=env)
        assert done.returncode == 0, done.stderr
        said += [done.stdout, done.stderr]
    equal, others = compared(tmp_path / "one", tmp_path / "many")
    assert {"pictures.csv", "movenet-lightning.coco.json"} <= equal
    assert others <= DATED
    assert any(name.startswith("parts/shard-2-of-2/movenet-") for name in store.objects())
    require_secret(store, said, [tmp_path])


def test_a_zip_and_a_clip_at_s3_on_ray_leave_the_files_of_one_machine(
    store: Store, tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="needs requirements-ray.txt")
    there = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # paths of sockets are short
    env = environment(tmp_path / "cache", **store.env, RAY_TMPDIR=str(there))
    options = [*MODEL, "--end", "0.2", "--no-video", "--format", "json,csv,coco"]
    picture = f"s3://bucket/pictures/{PICTURES[0]}"
    one = estimators(
        *("compare", SAMPLES / PICTURES[0], zipped(tmp_path), *options),
        *("--output", tmp_path / "one"),
        env=env,
    )
    many = estimators(
        *("compare", picture, "s3://bucket/more.zip", *options),
        *("--on", "auto", "--output", "s3://bucket/many"),
        env=env,
    )
    try:
        assert (one.returncode, many.returncode) == (0, 0), one.stderr + many.stderr
        for name, content in store.objects().items():
            if name.startswith("many/"):
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_bytes(content)
        same = require_same(tmp_path / "one", tmp_path / "many")
        assert {"joints.csv", "street/joints.csv", "movenet-lightning.coco.json"} <= same
        said = [run.stdout + run.stderr for run in (one, many)]
        require_secret(store, said, [tmp_path, there])  # nor do Ray's logs
    finally:
        shutil.rmtree(there, ignore_errors=True)


def test_who_has_no_credentials_is_told_so(store: Store, tmp_path: Path) -> None:
    env = environment(tmp_path / "cache", AWS_ENDPOINT_URL=store.env["AWS_ENDPOINT_URL"])
    env |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
    wrong = {**env, **store.env, "AWS_ACCESS_KEY_ID": "AKIAELSE"}
    for known in (env, wrong):
        done = estimators("compare", "s3://bucket/pictures", *MODEL, env=known)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith("error: s3://bucket/pictures cannot be read: ")
        assert "the environment holds credentials" in line
    assert store.refused


def test_pictures_and_results_at_gs_are_those_of_a_folder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    where = f"http://127.0.0.1:{port}"
    env = environment(tmp_path / "cache", STORAGE_EMULATOR_HOST=where, FSSPEC_GS_TOKEN="anon")
    env["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"  # asks by gRPC, which no emulator speaks
    with emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="bucket"):
        for name in PICTURES:
            put = f"{where}/upload/storage/v1/b/bucket/o?uploadType=media&name=in/{name}"
            requests.post(put, (SAMPLES / name).read_bytes(), timeout=60).raise_for_status()
        here = [SAMPLES / name for name in PICTURES]
        for given, into in ((here, tmp_path / "one"), (["gs://bucket/in"], "gs://bucket/many")):
            done = estimators("compare", *given, *MODEL, "--output", into, env=env)
            assert done.returncode == 0, done.stderr
        (tmp_path / "many").mkdir()
        listed = requests.get(f"{where}/storage/v1/b/bucket/o?prefix=many/", timeout=60).json()
        for item in listed["items"]:
            content = requests.get(item["mediaLink"], timeout=60).content
            (tmp_path / item["name"]).write_bytes(content)
    assert (tmp_path / "many" / "results.json").exists()
    require_same(tmp_path / "one", tmp_path / "many")
