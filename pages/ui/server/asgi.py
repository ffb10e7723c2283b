"""The layer before Streamlit's server: uploads go to the disk as they come, files come from it.

Streamlit takes every upload into memory as a whole, and everything that it sends; a clip of 500 MB
twice, and until some other visitor comes.  Here its own routes get a short stand-in instead.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from urllib.parse import quote

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, runtime
from streamlit.runtime.memory_media_file_storage import MemoryFile

from estimators.memory import few_arenas
from estimators.workflows.live.memory import pictures_apart
from pages.ui.server import leaving, status
from pages.ui.server.downloads import keep_made, made_lately
from pages.ui.server.files import Uploads, arrivals
from pages.ui.server.on_disk import OnDisk, serve

_UPLOAD, _MEDIA = "/_stcore/upload_file/", "/media/"
_FRAMING_BYTES = 1 << 16  # around the file in a request
_LARGE_BYTES = 1 << 20
_FRESH = {"cache-control": "no-store"}


class _TooLongError(Exception):
    """More comes than was announced, or than any file may have."""


class _NamesOnly(MultiPartParser):
    """Reads a form to its end and keeps nothing of the files but their names."""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._current_part.file is None:
            super().on_part_data(data, start, end)


class FilesOnDisk:
    """ASGI middleware.

    Args:
        models_mb: the budget of all models together, for the status.
    """

    def __init__(self, app: ASGIApp, models_mb: int) -> None:
        self._app, self._models_mb = app, models_mb
        serve()
        keep_made()
        pictures_apart(_LARGE_BYTES)
        few_arenas()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "websocket":
            leaving.came()
            try:
                await self._app(scope, receive, send)
            finally:
                leaving.left(asyncio.get_running_loop())
        elif scope["type"] == "http" and scope["method"] == "PUT" and _UPLOAD in path:
            await self._upload(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and _MEDIA in path:
            await self._media(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and _is_status(path):
            answer = JSONResponse(
                await asyncio.to_thread(status.report, self._models_mb), headers=_FRESH
            )
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _media(self, scope: Scope, receive: Receive, send: Send) -> None:
        manager = runtime.get_instance().media_file_mgr
        name = scope["path"].rsplit("/", 1)[1]
        known = manager.read_file(name)
        file = known or made_lately(name)
        if file is None:
            await self._app(scope, receive, send)
        elif not isinstance(file.content, OnDisk):
            # What Streamlit has it also sends.
            answer = self._app if known else _attached(file)
            await answer(scope, receive, send)
        elif not file.content.path.is_file():
            await PlainTextResponse("This file is no longer kept.", 404)(scope, receive, send)
        else:
            # A name makes it an attachment, which clips and pictures of the page are not.
            download = file.kind.value == "downloadable"
            response = FileResponse(
                file.content.path,
                media_type=file.mimetype,
                filename=file.filename if download else None,
            )
            await response(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = scope["path"].split("/")[-2]
        headers = Headers(scope=scope)
        most = int(config.get_option("server.maxUploadSize")) * (1 << 20) + _FRAMING_BYTES
        announced = headers.get("content-length", "")
        size = int(announced) if announced.isdecimal() else most
        if size > most or not runtime.get_instance().is_active_session(session):
            await self._app(scope, receive, send)  # Streamlit's own refusal
            return
        uploads = arrivals()
        refused = await asyncio.to_thread(uploads.admit, session, size)
        try:
            stream = _at_most(Request(scope, receive), size)
            parser = (_NamesOnly if refused else MultiPartParser)(headers, stream, max_files=1)
            form = await parser.parse()
            upload = next((v for v in form.values() if isinstance(v, UploadFile)), None)
            if upload is None:
                await PlainTextResponse("Expected a file", 400)(scope, receive, send)
                return
            token = await asyncio.to_thread(_kept, uploads, session, upload, refused)
        except (MultiPartException, _TooLongError):
            await PlainTextResponse("Not a form with one file", 400)(scope, receive, send)
            return
        except ClientDisconnect:
            return
        except OSError as error:  # another program has filled the disk meanwhile
            words = f"The server's disk: {error.strerror}"
            await PlainTextResponse(words, 507)(scope, receive, send)
            return
        finally:
            uploads.settle(session, size)
        if not await self._hand_over(scope, send, upload, token):
            unused = uploads.take(session, token)
            if unused is not None and not unused.refused:
                unused.path.unlink(missing_ok=True)

    async def _hand_over(self, scope: Scope, send: Send, upload: UploadFile, token: bytes) -> bool:
        """Lets Streamlit's own route check and register the upload, with `token` as its content."""
        boundary = uuid.uuid4().hex
        part = b"".join(name + b": " + value + b"\r\n" for name, value in upload.headers.raw)
        edge = b"--" + boundary.encode()
        body = edge + b"\r\n" + part + b"\r\n" + token + b"\r\n" + edge + b"--\r\n"
        changed = {
            b"content-type": f"multipart/form-data; boundary={boundary}".encode(),
            b"content-length": str(len(body)).encode(),
        }
        others = [h for h in scope["headers"] if h[0] not in (*changed, b"transfer-encoding")]
        accepted = False

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def watch(message: Message) -> None:
            nonlocal accepted
            if message["type"] == "http.response.start":
                accepted = message["status"] < 300
            await send(message)

        await self._app({**scope, "headers": [*others, *changed.items()]}, replay, watch)
        return accepted


def _attached(file: MemoryFile) -> Response:
    name = quote(file.filename or "download", safe="")
    headers = {"content-disposition": f"attachment; filename*=utf-8''{name}"}
    return Response(file.content, media_type=file.mimetype, headers=headers)


def _is_status(path: str) -> bool:
    return path.rstrip("/").endswith(status.PATH)  # behind a proxy the app may have a folder


def _kept(uploads: Uploads, session: str, upload: UploadFile, refused: str) -> bytes:
    with upload.file:
        if refused:
            return uploads.refuse(session, refused)
        upload.file.seek(0)
        return uploads.keep(session, upload.file)


async def _at_most(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    came = 0
    async for chunk in request.stream():
        came += len(chunk)
        if came > most:
            raise _TooLongError
        yield chunk
