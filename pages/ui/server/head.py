"""The layer that puts the pages' CSS into the head of the document, and loads charts' code early.

What `st.html` brings is drawn by code that the browser loads later than the first words, which jump
to their places then.  The code of charts is large: the first one would wait for it for a second.
And Streamlit's messages to a page around it go nowhere where there is none.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.ui.style import page_style, room_style

_END = b"</head>"
# The document is answered whole and as it is now: the style may be newer than the file.
_PARTLY = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"if-range", b"range")
# Without a page around it Streamlit's page gets what it tells the page around it, and holds each
# sender against all hosts that it trusts: two milliseconds a message.
_NO_HOST = """<script>
addEventListener("message", (event) => {
  if (event.source === window && window === parent && event.data?.stCommVersion) {
    event.stopImmediatePropagation();
  }
});
</script>
"""
# Once tabs, behind which charts are, have come into view and the page has stood still for a moment.
_EARLY = """<script type="module">
let still = 0;
const look = setInterval(() => {
  const ready = document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]");
  const tabs = document.querySelector("[data-testid=stMain] [data-testid=stTabs]");
  const seen = ready && tabs && tabs.getBoundingClientRect().top < innerHeight;
  still = seen ? still + 1 : 0;
  if (still < 3) return;
  clearInterval(look);
  if (!navigator.connection?.saveData) import("%s").catch(() => {});
}, 250);
</script>
"""


@cache
def in_head() -> bytes:
    """What is added to the head."""
    static = Path(streamlit.__file__).with_name("static")
    charts = next((static / "static" / "js").glob("PlotlyChart.*.js"), None)
    early = _EARLY % f"./{charts.relative_to(static).as_posix()}" if charts else ""
    return (page_style() + room_style() + _NO_HOST + early).encode()


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
            body = self._body.replace(_END, in_head() + _END, 1)
            headers = MutableHeaders(raw=self._start["headers"])
            headers["content-length"] = str(len(body))
            for name in ("etag", "last-modified"):
                if name in headers:
                    del headers[name]
            await self._send(self._start)
            await self._send({"type": "http.response.body", "body": body})
