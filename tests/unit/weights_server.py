"""A local server of one file for the download tests, with the faults that real ones show."""

from __future__ import annotations

import hashlib
import http.server
import threading
from dataclasses import dataclass, field


@dataclass
class Behaviour:
    """What the server sends and how it misbehaves; tests change it between requests."""

    body: bytes
    status: int = 200
    ranges: bool = True
    chunked: bool = False  # no Content-Length, so that the client cannot see a short body
    cut_after: list[int] = field(default_factory=list)  # bytes after which each request is cut
    gate: threading.Event | None = None  # half of the body waits for it
    seen: list[dict[str, str]] = field(default_factory=list)

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body).hexdigest()}"'


class Server:
    """`with Server(body) as server`: serves on 127.0.0.1 until the block ends."""

    def __init__(self, body: bytes) -> None:
        self.behaviour = Behaviour(body)
        handler = type("Handler", (_Handler,), {"behaviour": self.behaviour})
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/file.bin"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behaviour: Behaviour

    def log_message(self, *args: object) -> None:
        """Keeps the test output clean."""

    def do_GET(self) -> None:
        rule = self.behaviour
        rule.seen.append(dict(self.headers))
        self.close_connection = True
        if rule.status != 200:
            self.send_error(rule.status)
            return
        start = self._start()
        if start >= len(rule.body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(rule.body) - 1}/*")
        if not rule.chunked:
            self.send_header("Content-Length", str(len(rule.body) - start))
        self.send_header("ETag", rule.etag)
        self.send_header("Connection", "close")
        self.end_headers()
        self._send(rule.body[start:])

    def _start(self) -> int:
        asked = self.headers.get("Range")
        same = self.headers.get("If-Range", self.behaviour.etag) == self.behaviour.etag
        if not asked or not same or not self.behaviour.ranges:
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _send(self, body: bytes) -> None:
        rule = self.behaviour
        if rule.cut_after:
            body = body[: rule.cut_after.pop(0)]
        half = len(body) // 2
        self.wfile.write(body[:half])
        if rule.gate is not None:
            rule.gate.wait(60)
        self.wfile.write(body[half:])
