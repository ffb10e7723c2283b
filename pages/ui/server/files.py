"""Each visitor's files on the server's disk, and how much there may be of all of them."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import uuid
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile

from estimators.errors import InputError
from estimators.workflows.viewer_folders import ViewerFolders
from pages.ui.server.viewers import present, viewer

# Of all visitors together, of one, and what the disk keeps free for others.
MOST_BYTES, MOST_OF_ONE, LEFT_FREE = 4_000_000_000, 1_500_000_000, 500_000_000
_PIECE = 1 << 20
_MARK = b"pose-upload:"
_GIVEN, _ROUNDS = "uploads_given", "upload_rounds"


@dataclass(frozen=True)
class Received:
    """An uploaded file in its visitor's folder.

    Attributes:
        digest: SHA-256 of its content.
        refused: why it was not kept, "" where it was.
    """

    path: Path
    size_bytes: int
    digest: str
    refused: str = ""


class Uploads:
    """Files that have arrived and that no page has taken yet.  Any thread may call."""

    def __init__(self, folders: ViewerFolders) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._coming: Counter[str] = Counter()
        self._waiting: dict[tuple[str, bytes], Received] = {}

    def admit(self, session: str, size_bytes: int) -> str:
        """Reserves room until `settle`; why there is none, in words, "" where there is."""
        try:
            folder = self._folders.of(session)
        except InputError as error:  # there is room for nothing more
            with self._lock:
                self._coming[session] += size_bytes
            return str(error)
        with self._lock:
            mine, everybodys = (
                self._folders.bytes_of(session) + self._coming[session],
                self._folders.bytes_of(None) + self._coming.total(),
            )
            free = shutil.disk_usage(folder).free - self._coming.total()
            self._coming[session] += size_bytes
        if mine + size_bytes > MOST_OF_ONE:
            return (
                f"You already have {mine / 1e6:.0f} MB of files here, and {MOST_OF_ONE / 1e6:.0f} "
                "MB is the most for one visitor. Remove some, or reload the page to begin anew."
            )
        if free - size_bytes < LEFT_FREE:
            return (
                f"The server's disk is nearly full ({max(0, free) / 1e6:.0f} MB free). Try a "
                "smaller file, or ask whoever runs the server to free some space."
            )
        if everybodys + size_bytes > MOST_BYTES:
            return (
                f"The visitors' files fill the server ({everybodys / 1e6:.0f} MB now). Try a "
                "smaller file, or come back in some minutes."
            )
        return ""

    def settle(self, session: str, size_bytes: int) -> None:
        """Gives back what was reserved: the file is there, or will not come."""
        with self._lock:
            self._coming[session] -= size_bytes
            self._coming += Counter()  # forgets those with nothing to come

    def keep(self, session: str, source: BinaryIO) -> bytes:
        """Writes `source` into the visitor's folder; what Streamlit is given in its place."""
        try:
            return self._waits(session, write(source, self._folders.of(session)))
        except OSError as error:  # the disk is full
            reason = f"{error.strerror}."
            return self.refuse(session, reason)

    def refuse(self, session: str, reason: str) -> bytes:
        """What Streamlit is given in place of a file that is not kept."""
        return self._waits(session, Received(Path(), 0, "", reason))

    def take(self, session: str, token: bytes) -> Received | None:
        """The file that stands behind `token`; from now on it is the caller's to remove."""
        with self._lock:
            return self._waiting.pop((session, token), None)

    def _waits(self, session: str, received: Received) -> bytes:
        token = _MARK + uuid.uuid4().hex.encode()
        with self._lock:
            gone = [
                key for key, r in self._waiting.items() if not r.refused and not r.path.exists()
            ]
            for key in gone:
                del self._waiting[key]
            self._waiting[session, token] = received
        return token


def write(source: BinaryIO, folder: Path) -> Received:
    """Copies `source` into a new file of `folder`, readable for this user only.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    path, digest, size = folder / uuid.uuid4().hex, hashlib.sha256(), 0
    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            while piece := source.read(_PIECE):
                digest.update(piece)
                size += len(piece)
                file.write(piece)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return Received(path, size, digest.hexdigest())


@st.cache_resource(show_spinner=False)
def folders() -> ViewerFolders:
    """The visitors' folders of this server."""
    return ViewerFolders(present)


@st.cache_resource(show_spinner=False)
def arrivals() -> Uploads:
    """The uploads of this server."""
    return Uploads(folders())


def folder() -> Path:
    """This viewer's own folder for what they bring and what is made of it.

    It is removed some time after they left.

    Raises:
        InputError: the disk is full.
    """
    return folders().of(viewer())


def arrived(key: str) -> list[UploadedFile]:
    """What the uploader with this key has been given, of what is here.

    A page that is still open after the server was restarted names files that are gone.
    """
    given: UploadedFile | DeletedFile | list[UploadedFile | DeletedFile] | None
    given = st.session_state.get(key)
    files = given if isinstance(given, list) else [] if given is None else [given]
    return [file for file in files if not isinstance(file, DeletedFile)]


def next_key(name: str) -> str:
    """The key of an uploader that is replaced by a new one whenever it has been given something.

    The old one would list the files, and hold them, for ever.
    """
    return f"{name}_{st.session_state.setdefault(_ROUNDS, Counter())[name]}"


def arrived_anew(name: str, key: str) -> list[UploadedFile]:
    """What such an uploader has been given, without what this has told before.

    Somebody who is quick gives it more before the new one is on the page; it tells of all then.

    Args:
        key: `next_key` when it was drawn.
    """
    if key == next_key(name):
        st.session_state[_ROUNDS][name] += 1
    before: set[str] = st.session_state.setdefault(_GIVEN, set())
    anew = [file for file in arrived(key) if file.file_id not in before]
    before.update(file.file_id for file in anew)
    return anew


def arrived_one(key: str) -> UploadedFile | None:
    """The file of an uploader that takes one, as `arrived`."""
    return next(iter(arrived(key)), None)


def received(file: UploadedFile, most_mb: int) -> Received:
    """What a widget was given, as a file of this viewer's folder.

    Args:
        most_mb: the widget's own limit, which only the browser has looked at so far.

    Raises:
        InputError: it is too large, or there is no room; nothing is kept.
    """
    content = file.getbuffer()
    token = bytes(content[:64]) if len(content) < 64 else b""
    content.release()
    taken = arrivals().take(viewer(), token) if token.startswith(_MARK) else None
    if taken is None:  # not behind our own server: Streamlit has it in memory
        try:
            file.seek(0)
            taken = write(cast(BinaryIO, file), folder())
        except OSError as error:
            taken = Received(Path(), 0, "", f"{error.strerror}.")
    if not taken.refused and taken.size_bytes > most_mb << 20:
        taken.path.unlink(missing_ok=True)
        size = f"It has {taken.size_bytes / 1e6:.0f} MB; {most_mb} MB is the most here."
        taken = replace(taken, refused=size)
    if taken.refused:
        raise InputError(f"{file.name} cannot be kept on the server. {taken.refused}")
    return taken


def content_of(file: UploadedFile, most_mb: int) -> bytes:
    """The content of a small file, of which nothing stays on the disk.

    Raises:
        InputError: as `received`.
    """
    taken = received(file, most_mb)
    try:
        return taken.path.read_bytes()
    finally:
        taken.path.unlink(missing_ok=True)
