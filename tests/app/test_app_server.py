"""The server before Streamlit's own: files on the disk, limits checked there, memory bounded."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import io
import re
import threading
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryFile

from estimators.errors import InputError
from estimators.media.pictures import PictureFile
from estimators.types import Frame
from estimators.workflows.viewer_folders import ViewerFolders
from pages.ui.frames import Frames
from pages.ui.server import asgi, files, leaving, on_disk
from pages.ui.server.asgi import FilesOnDisk
from pages.ui.server.files import Uploads
from pages.ui.server.head import StyleInHead, in_head
from pages.ui.server.on_disk import OnDisk
from tests.app.asked_server import Inner, ask
from tests.unit.runtime_support import wait_until

CONTENT = bytes(range(256)) * 20_000  # 5 MB
PATH = "/_stcore/upload_file/ann/file-1"


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> Uploads:
    made = Uploads(ViewerFolders(lambda viewer: True))
    monkeypatch.setattr(asgi, "arrivals", lambda: made)
    monkeypatch.setattr(files, "arrivals", lambda: made)
    monkeypatch.setattr(files, "viewer", lambda: "ann")
    monkeypatch.setattr(on_disk, "_served", False)
    live = SimpleNamespace(is_active_session=lambda session: session == "ann")
    monkeypatch.setattr(asgi.runtime, "get_instance", lambda: live)
    return made


def form(name: str, content: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    head = f'--b\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--b--\r\n"
    length = str(len(body)).encode()
    return body, {b"content-type": b"multipart/form-data; boundary=b", b"content-length": length}


def put(app: FilesOnDisk, name: str, content: bytes, path: str = PATH) -> int:
    body, headers = form(name, content)
    return ask(app, "PUT", path, body, **{k.decode(): v for k, v in headers.items()})[0]


def given(token: bytes, name: str = "ä b.jpg") -> SimpleNamespace:
    """What a widget returns for an upload whose content is `token`."""
    file = io.BytesIO(token)
    file.name = name  # type: ignore[attr-defined]
    return file  # type: ignore[return-value]


def test_an_upload_goes_to_the_disk_and_a_stand_in_to_streamlit(uploads: Uploads) -> None:
    inner = Inner()
    assert put(FilesOnDisk(inner, 2000), "ä b.jpg", CONTENT) == 204
    ((name, token),) = inner.got
    assert name == "ä b.jpg"
    assert len(token) < 64
    found = files.received(given(token), 50)
    assert found.path.read_bytes() == CONTENT
    assert found.digest == hashlib.sha256(CONTENT).hexdigest()
    assert found.path.stat().st_mode & 0o777 == 0o600
    assert uploads.take("ann", token) is None, "the caller's from now on"


def test_nobody_takes_what_another_one_brought(uploads: Uploads) -> None:
    inner = Inner()
    put(FilesOnDisk(inner, 2000), "a.jpg", CONTENT)
    assert uploads.take("ben", inner.got[0][1]) is None


def test_what_streamlit_refuses_is_not_kept(uploads: Uploads) -> None:
    assert put(FilesOnDisk(Inner(403), 2000), "a.jpg", CONTENT) == 403
    assert uploads._folders.bytes_of("ann") == 0
    assert (
        put(FilesOnDisk(Inner(400), 2000), "a.jpg", CONTENT, PATH.replace("ann", "nobody")) == 400
    )
    assert uploads._folders.bytes_of(None) == 0


def test_the_limit_of_a_widget_holds_on_the_server(uploads: Uploads) -> None:
    inner = Inner()
    put(FilesOnDisk(inner, 2000), "a.jpg", CONTENT)
    with pytest.raises(InputError, match="It has 5 MB; 4 MB is the most here"):
        files.received(given(inner.got[0][1]), 4)
    assert uploads._folders.bytes_of("ann") == 0


@pytest.mark.parametrize(
    ("limit", "words"), [("MOST_OF_ONE", "for one visitor"), ("MOST_BYTES", "fill the server")]
)
def test_too_much_is_refused_in_words_and_not_kept(
    limit: str, words: str, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, limit, 8_000_000)
    inner = Inner()
    app = FilesOnDisk(inner, 2000)
    put(app, "a.jpg", CONTENT)
    put(app, "b.jpg", CONTENT)
    assert len(files.received(given(inner.got[0][1]), 50).path.read_bytes()) == len(CONTENT)
    with pytest.raises(InputError, match=words):
        files.received(given(inner.got[1][1]), 50)
    kept = uploads._folders.bytes_of(None)
    assert kept == len(CONTENT)


def test_uploads_under_way_count(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 100)
    assert uploads.admit("ann", 60) == ""
    assert "fill the server" in uploads.admit("ben", 60)
    uploads.settle("ben", 60)
    uploads.settle("ann", 60)
    assert uploads.admit("ben", 60) == ""


def test_a_file_is_sent_from_the_disk_in_parts_or_whole(
    tmp_path: Path, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = FilesOnDisk(Inner(), 2000)
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    stand_in = on_disk.content(path)
    assert isinstance(stand_in, OnDisk)
    assert len(stand_in) < 64
    file = MemoryFile(stand_in, "video/mp4", MediaFileKind.DOWNLOADABLE, "my.mp4")
    manager = SimpleNamespace(read_file=lambda name: file if name == "x.mp4" else None)
    live = SimpleNamespace(media_file_mgr=manager)
    monkeypatch.setattr(asgi.runtime, "get_instance", lambda: live)
    status, headers, body = ask(app, "GET", "/media/x.mp4")
    assert (status, body) == (200, CONTENT)
    assert headers[b"content-disposition"] == b'attachment; filename="my.mp4"'
    status, headers, body = ask(app, "GET", "/media/x.mp4", range=b"bytes=3-6")
    assert (status, body) == (206, CONTENT[3:7])
    assert ask(app, "GET", "/media/other.mp4")[0] == 204  # Streamlit's own
    path.unlink()
    assert ask(app, "GET", "/media/x.mp4")[0] == 404


def test_a_download_goes_with_its_last_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_disk, "_served", True)
    first = on_disk.made(lambda sink: sink.write(b"one"), tmp_path)
    second = on_disk.made(lambda sink: sink.write(b"two"), tmp_path)
    assert first != second
    del first
    gc.collect()
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"two"]


# Decoded pictures.


def picture(side: int) -> PictureFile:
    return PictureFile(Frame(np.zeros((side, side, 3), np.uint8)))


def test_decoded_pictures_stay_within_their_bound() -> None:
    store = Frames(most_bytes=3 * 300, largest=300)
    for name in "abcdef":
        with store.lent(name, lambda: picture(10), "ann") as file:
            assert file.frame.width == 10
        assert store.nbytes <= 900
    with store.lent("f", lambda: pytest.fail("it is there"), "ann"):
        pass
    with ExitStack() as used:
        for name in "xyz":
            used.enter_context(store.lent(name, lambda: picture(10), "ann"))
        more = threading.Thread(target=lambda: store.lent("w", lambda: picture(10)).__enter__())
        more.start()
        more.join(0.2)
        assert more.is_alive(), "it waits for one of them to be given back"
        assert store.nbytes == 900
    more.join(5)
    assert not more.is_alive()


def test_pictures_go_with_those_who_looked_at_them() -> None:
    store = Frames(most_bytes=3000, largest=300)
    for name, who in (("a", "ann"), ("b", "ben"), ("b", "ann")):
        with store.lent(name, lambda: picture(10), who):
            store.drop_left(lambda viewer: False)  # nothing that is in use
    store.drop_left({"ben"}.__contains__)
    assert store.nbytes == 300
    store.drop_left(lambda viewer: False)
    assert store.nbytes == 0


def test_a_picture_that_cannot_be_read_blocks_nobody() -> None:
    store = Frames(most_bytes=600, largest=300)

    def broken() -> PictureFile:
        raise InputError("Broken.", "Bring another.")

    for _ in range(3):
        with pytest.raises(InputError), store.lent("a", broken):
            pass
    with store.lent("a", lambda: picture(10)):
        wait_until(lambda: store.nbytes == 300)


def test_caches_are_emptied_after_people_left(monkeypatch: pytest.MonkeyPatch) -> None:
    soon: list[bool] = []
    empty: list[bool] = []
    monkeypatch.setattr(leaving, "SOON_S", 0.02)
    monkeypatch.setattr(leaving.config, "get_option", lambda name: -0.9)  # expires in 0.1 s
    monkeypatch.setattr(leaving, "_soon", [lambda present: soon.append(present("ann"))])
    monkeypatch.setattr(leaving, "_when_empty", [lambda: empty.append(True)])
    expired: list[bool] = []
    cache = SimpleNamespace(expire=lambda: expired.append(True))
    storage = SimpleNamespace(_cache=cache)
    manager = SimpleNamespace(_session_storage=storage)
    live = SimpleNamespace(_session_mgr=manager, is_active_session=lambda session: True)
    monkeypatch.setattr(leaving.runtime, "get_instance", lambda: live)
    loop = asyncio.new_event_loop()
    running = threading.Thread(target=loop.run_forever, daemon=True)
    running.start()
    try:
        leaving.came()
        leaving.came()
        leaving.left(loop)
        wait_until(lambda: len(soon) == 2 and bool(expired))
        assert not empty, "somebody is still there"
        leaving.left(loop)
        wait_until(lambda: bool(empty))
        assert len(soon) == 4
    finally:
        loop.call_soon_threadsafe(loop.stop)
        running.join(5)
        loop.close()


def test_the_session_of_who_leaves_after_another_expires_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody may come and leave after them for hours."""
    kept_s = 1.0  # in which the second one surely leaves
    monkeypatch.setattr(leaving, "SOON_S", 0.02)
    monkeypatch.setattr(leaving.config, "get_option", lambda name: kept_s - 1)
    monkeypatch.setattr(leaving, "_soon", [])
    looked: list[float] = []
    emptied: list[float] = []
    monkeypatch.setattr(leaving, "_when_empty", [lambda: emptied.append(time.monotonic())])
    monkeypatch.setattr(leaving, "_expire_sessions", lambda: looked.append(time.monotonic()))
    loop = SimpleNamespace(call_soon_threadsafe=lambda call: call())
    for _ in range(2):
        leaving.came()
    leaving.left(loop)  # type: ignore[arg-type]
    time.sleep(0.1)
    last_s = time.monotonic()
    leaving.left(loop)  # type: ignore[arg-type]
    wait_until(lambda: bool(looked) and looked[-1] - last_s >= kept_s)
    wait_until(lambda: not leaving._waiting)
    assert not leaving._again
    wait_until(lambda: bool(emptied))
    assert emptied[0] - last_s >= kept_s, "the second one's session was kept until then"


DOCUMENT = b"<!DOCTYPE html><html><head><title>x</title></head><body></head></body></html>"


def answered(answer: Response, accept: str, method: str = "GET") -> tuple[Scope, Response]:
    """What the app behind was asked, and what came through the layer of the style."""
    asked: list[Scope] = []
    sent: list[dict[str, Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)
        await answer(scope, receive, send)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    names = {"accept": accept, "accept-encoding": "gzip", "if-none-match": "x", "cookie": "c"}
    headers = [(name.encode(), value.encode()) for name, value in names.items()]
    scope = {"type": "http", "method": method, "path": "/video", "headers": headers}
    asyncio.run(StyleInHead(app)(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    got = Response(body, sent[0]["status"], dict(Headers(raw=sent[0]["headers"])))
    return asked[0], got


def test_the_document_has_the_style_in_its_head() -> None:
    tagged = HTMLResponse(DOCUMENT, headers={"etag": "x", "last-modified": "y", "kept": "z"})
    scope, got = answered(tagged, "text/html,*/*")
    assert [name for name, _ in scope["headers"]] == [b"accept", b"cookie"]
    assert got.body.count(in_head()) == 1
    assert got.body.index(b"stMainBlockContainer") < got.body.index(b"</head>")
    assert got.body.index(b"st-key-room-3-") < got.body.index(b"</head>")
    assert got.headers["content-length"] == str(len(got.body))
    assert not {"etag", "last-modified"} & set(got.headers)
    assert got.headers["kept"] == "z"


def test_a_document_in_parts_is_answered_whole() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for at in range(0, len(DOCUMENT), 7):
            yield DOCUMENT[at : at + 7]

    _, got = answered(StreamingResponse(parts(), media_type="text/html"), "text/html")
    assert got.body.replace(in_head(), b"") == DOCUMENT


def test_the_code_of_charts_is_where_the_browser_is_sent_for_it() -> None:
    (found,) = re.findall(rb'import\("\./([^"]+)"\)', in_head())
    assert (Path(streamlit.__file__).with_name("static") / found.decode()).stat().st_size > 1e6


@pytest.mark.parametrize(
    ("answer", "accept", "method"),
    [
        (HTMLResponse(DOCUMENT), "*/*", "GET"),
        (HTMLResponse(DOCUMENT), "text/html", "HEAD"),
        (HTMLResponse(DOCUMENT, 404), "text/html", "GET"),
        (Response(DOCUMENT, media_type="text/javascript"), "text/html", "GET"),
    ],
)
def test_all_else_goes_through_as_it_is(answer: Response, accept: str, method: str) -> None:
    _, got = answered(answer, accept, method)
    assert got.body == DOCUMENT
    assert got.status_code == answer.status_code
