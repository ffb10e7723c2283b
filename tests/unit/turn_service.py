"""A server of our own that answers as one does who lends TURN servers, or fails as one does."""

from __future__ import annotations

import http.server
import json
import threading


class Service:
    """`with Service(body) as service`: answers on 127.0.0.1 until the block ends.

    Attributes:
        body, status: of the next answers; tests change them.
        gate: answers wait for it; open at first.
        asked: path, authorization and data of each request.
    """

    def __init__(self, body: object, status: int = 200) -> None:
        self.body, self.status = body, status
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[tuple[str, str | None, bytes]] = []
        handler = type("Handler", (_Handler,), {"service": self})
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Service:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.gate.set()
        self._http.shutdown()
        self._http.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    service: Service

    def log_message(self, *args: object) -> None:
        """Keeps the test output clean."""

    def do_GET(self) -> None:
        service = self.service
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service.asked.append((self.path, self.headers.get("Authorization"), data))
        service.gate.wait(60)
        try:
            self.send_response(service.status)
            self.end_headers()
            self.wfile.write(json.dumps(service.body).encode())
        except ConnectionError:
            pass  # whoever asked has given up

    def do_POST(self) -> None:
        self.do_GET()
