"""A visitor without a browser: speaks Streamlit's own protocol over a WebSocket.

What a browser sends is sent (runs of the script, widgets' values, uploads), and what it is sent is
read: which widgets there are, which fragments want to be run again, what went wrong.
"""

from __future__ import annotations

import re
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

LONGEST_S = 120.0
# The Image page asks this rarely where all answers are there and only their times are taken anew.
_RARELY_S = 2.0
_WHOLE, _FRAGMENT = ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY


class LostError(Exception):
    """The server did not answer, or closed the connection."""


@dataclass
class Visit:
    """One tab.

    Attributes:
        faults: exceptions and errors that the pages showed, scripts that could not be run.
        taken_s: how long each run of a script took that was asked for, from asking to its end.
        url: of the server.
    """

    url: str
    query: str = ""
    faults: list[str] = field(default_factory=list)
    taken_s: list[float] = field(default_factory=list)

    def __enter__(self) -> Self:
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        protocols = [Subprotocol("streamlit")]
        opening = connect(address, subprotocols=protocols, max_size=None, open_timeout=LONGEST_S)
        self._socket: ClientConnection = opening.__enter__()
        self._values: dict[str, WidgetState] = {}
        self._elements: dict[tuple[int, ...], Delta] = {}
        self._fragments: dict[str, tuple[float, float]] = {}
        self._pages: dict[str, str] = {}
        self._page = self._session = ""
        # Since the last question; whether a script runs, and whether anything came at last.
        self._begun = self._running = False
        self._heard = True
        self._uploads: list[FileURLs] = []
        self._run()
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def go_to(self, page: str) -> None:
        """Another page, by its address: "" for the first, "video", …"""
        self._page = self._pages[page]
        self._values = {}
        self._run()

    def press(self, key: str) -> None:
        """The button with this key."""
        self._run(WidgetState(id=self.widget(key).id, trigger_value=True))

    def choose(self, key: str, option: int) -> None:
        """One of the pills or segments with this key, by its number."""
        widget = self.widget(key)
        chosen = widget.options[option]
        shown = f"{chosen.content_icon} {chosen.content}".strip()
        self._values[widget.id] = WidgetState(id=widget.id)
        self._values[widget.id].string_array_value.data.append(shown)
        self._run()

    def upload(self, key: str, name: str, content: bytes, *beside: FileURLs) -> FileURLs:
        """A file into the uploader whose key begins so, beside others; where Streamlit has it."""
        (place,) = self._addresses(name)
        boundary = uuid.uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        request = urllib.request.Request(
            self.url + place.upload_url, data=body, method="PUT", headers=self._cookie()
        )
        request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
        with urllib.request.urlopen(request, timeout=LONGEST_S) as answer:
            assert answer.status < 300, answer.status
        self.claim(key, name, *beside, place)
        return place

    def claim(self, key: str, name: str, *places: FileURLs) -> None:
        """Says that this uploader has what lies at `places`, whoever brought it."""
        widget = self.widget(key)
        state = WidgetState(id=widget.id)
        for place in places:
            uploaded = state.file_uploader_state_value.uploaded_file_info.add()
            uploaded.file_id, uploaded.name, uploaded.size = place.file_id, name, 1
            uploaded.file_urls.CopyFrom(place)
        self._values[widget.id] = state
        self._run()

    def follow(self, until: Callable[[], bool], longest_s: float = LONGEST_S) -> None:
        """Runs the fragments that want to be run again and again, until `until` says so."""
        end_s = time.monotonic() + longest_s
        while not until():
            if time.monotonic() > end_s:
                raise LostError(f"waited for {longest_s:g} s in vain; {self.faults}")
            now = time.monotonic()
            due = [f for f, (every_s, last_s) in self._fragments.items() if now - last_s >= every_s]
            for fragment in due:
                if fragment in self._fragments:
                    self._fragments[fragment] = (self._fragments[fragment][0], now)
                    self._run(fragment=fragment)
            self._hear(0.05)

    def settle(self, longest_s: float = LONGEST_S) -> None:
        """Until no fragment is run again and again, but for news that may come late."""
        self.follow(lambda: all(s >= _RARELY_S for s, _ in self._fragments.values()), longest_s)

    def has(self, key: str) -> bool:
        return self._found(key) is not None

    def widget(self, key: str) -> Any:
        self._catch_up()
        found = self._found(key)
        assert found is not None, f"no {key} among {sorted(map(_key, self._widgets()))}"
        return found

    def media(self) -> list[str]:
        """Addresses of pictures, clips and other files that the page shows now."""
        text = " ".join(str(delta) for delta in self._elements.values())
        return re.findall(r"/media/\w[\w.]*", text)

    def text(self) -> str:
        """Everything on the page, as it came."""
        return "\n".join(str(delta) for delta in self._elements.values())

    @property
    def session(self) -> str:
        """Its number on the server."""
        return self._session

    def _found(self, key: str) -> Any:
        return next((w for w in self._widgets() if _key(w).startswith(key)), None)

    def _widgets(self) -> list[Any]:
        elements = [delta.new_element for delta in self._elements.values()]
        inner = [getattr(e, kind) for e in elements if (kind := e.WhichOneof("type"))]
        return [widget for widget in inner if getattr(widget, "id", "")]

    def _run(self, trigger: WidgetState | None = None, fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash = self.query, self._page
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        state.widget_states.widgets.extend(self._values.values())
        if trigger is not None:
            state.widget_states.widgets.append(trigger)
        self._catch_up()
        begun_s = time.monotonic()
        self._begun = False
        self._socket.send(message.SerializeToString())
        end_s = begun_s + LONGEST_S
        while not (self._hear(end_s - time.monotonic()) and self._begun):
            if time.monotonic() > end_s:
                raise LostError("the script did not end")
        if not fragment:
            self.taken_s.append(time.monotonic() - begun_s)
            there = {widget.id for widget in self._widgets()}
            self._values = {key: value for key, value in self._values.items() if key in there}

    def _catch_up(self) -> None:
        """Hears what has come, and to its end a run that the server has begun by itself."""
        end_s = time.monotonic() + LONGEST_S
        while self._running or self._heard:
            self._hear(end_s - time.monotonic() if self._running else 0.0)
            if time.monotonic() > end_s:
                raise LostError("a script did not end")
        self._heard = True  # ask anew the next time

    def _hear(self, longest_s: float) -> bool:
        """The next message; whether it says that a script has ended."""
        try:
            data = self._socket.recv(timeout=max(0.0, longest_s))
            self._heard = True
        except TimeoutError:
            self._heard = False
            return False
        except ConnectionClosed as error:
            raise LostError(str(error)) from error
        message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._begun = self._running = True
            self._session = message.new_session.initialize.session_id or self._session
            self._page = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self._elements, self._fragments = {}, {}
        elif kind == "navigation":
            self._pages = {p.url_pathname: p.page_script_hash for p in message.navigation.app_pages}
        elif kind == "delta":
            self._take(tuple(message.metadata.delta_path), message.delta)
        elif kind == "auto_rerun":
            self._fragments[message.auto_rerun.fragment_id] = (
                message.auto_rerun.interval,
                time.monotonic(),
            )
        elif kind == "file_urls_response":
            self._uploads = list(message.file_urls_response.file_urls)
        elif kind == "script_finished":
            self._running = False
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.faults.append("the script cannot be run")
            return message.script_finished in (_WHOLE, _FRAGMENT)
        return False

    def _take(self, path: tuple[int, ...], delta: Delta) -> None:
        self._elements[path] = delta
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.faults.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert" and element.alert.format == 1:
            self.faults.append(element.alert.body)

    def _addresses(self, name: str) -> list[FileURLs]:
        message = BackMsg()
        message.file_urls_request.request_id = uuid.uuid4().hex
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self._session
        self._uploads = []
        self._socket.send(message.SerializeToString())
        end_s = time.monotonic() + LONGEST_S
        while not self._uploads and time.monotonic() < end_s:
            self._hear(end_s - time.monotonic())
        return self._uploads

    def _cookie(self) -> dict[str, str]:
        """What proves that a request comes from the page itself."""
        with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=LONGEST_S) as answer:
            given = answer.headers.get("set-cookie", "")
        name, _, value = given.split(";")[0].partition("=")
        return {"Cookie": f"{name}={value}", "X-Xsrftoken": value} if value else {}


def _key(widget: Any) -> str:
    """The key that the app gave it: an id is `$$ID-`, a hash and the key."""
    return str(widget.id).split("-", 2)[-1]


def sample(name: str) -> bytes:
    """A bundled file."""
    return (Path(__file__).parents[1] / "sample_media" / name).read_bytes()
