"""The layer that puts the pages' CSS into the head of the document.

What `st.html` brings is drawn by code that the browser loads later than the first words, which jump
to their places then.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.ui.style import page_style

_END = b"</head>"
# The document is answered whole and as it is now: the style may be newer than the file.
_PARTLY = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"if-range", b"range")


class StyleInHead:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        document = scope["type"] == "http" and scope["method"] == "GET"
        if not document or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self._app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in _PARTLY]
        await self._app({**scope, "headers": headers}, receive, _Styled(send))


class _Styled:
    """Sends what it is given; a document once it is whole, with the style in its head."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            if message["status"] == 200 and kind.startswith("text/html"):
                self._start = message
                return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            body = self._body.replace(_END, page_style().encode() + _END, 1)
            headers = MutableHeaders(raw=self._start["headers"])
            headers["content-length"] = str(len(body))
            for name in ("etag", "last-modified"):
                if name in headers:
                    del headers[name]
            await self._send(self._start)
            await self._send({"type": "http.response.body", "body": body})
