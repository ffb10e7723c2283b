"""The app's own layer of the server, asked without a network."""

from __future__ import annotations

import asyncio

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pages.ui.server.asgi import FilesOnDisk


class Inner:
    """What stands behind: takes a form with one file into memory, as Streamlit's own route does."""

    def __init__(self, status: int = 204) -> None:
        self.status = status
        self.got: list[tuple[str | None, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "PUT":
            async with Request(scope, receive).form() as form:
                (upload,) = (v for v in form.values() if isinstance(v, UploadFile))
                self.got.append((upload.filename, await upload.read()))
        await Response(status_code=self.status)(scope, receive, send)


def ask(app: FilesOnDisk, method: str, path: str, body: bytes = b"", **headers: bytes) -> tuple:
    """Status, headers and body of the answer."""
    sent: list[dict] = []
    pieces = [body[i : i + 100_000] for i in range(0, len(body), 100_000)] or [b""]

    async def receive() -> dict:
        if not pieces:
            await asyncio.Event().wait()  # as long as the browser is there
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: dict) -> None:
        sent.append(message)

    raw = [(k.replace("_", "-").encode(), v) for k, v in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b""}
    asyncio.run(app(scope, receive, send))
    answer = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    return sent[0]["status"], dict(sent[0]["headers"]), answer
