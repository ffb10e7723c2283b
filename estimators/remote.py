"""Files that lie elsewhere, by their address: whatever fsspec opens (`s3://`, `gs://`, …).

Who may read them, the environment says, as each store's own tools have it (`AWS_PROFILE`,
`GOOGLE_APPLICATION_CREDENTIALS`, …); an address with a password or a signature in it is refused,
since addresses are written into results.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit

from estimators.errors import InputError

# Enough for a picture's head; more is fetched where it is asked for.
_AHEAD_BYTES = 65_536
WEB = ("http://", "https://")
# In the names of what a signed address (of S3, Google, Azure …) carries behind its question mark.
_SECRET_NAMES = ("sig", "key", "auth", "pwd", "pass", "code")
_SECRET = ("signature", "token", "credential", "password", "secret", "accesskey", "apikey")


@dataclass(frozen=True)
class Remote:
    """An address: a folder, a file or a ZIP."""

    url: str

    @property
    def name(self) -> str:
        """Its last part."""
        return posixpath.basename(self.url.rstrip("/"))

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class RemoteFile:
    """A file at an address; an `annotated.Source`."""

    url: str
    size_bytes: int
    version: str = ""  # another one when its content is; "" where its store does not tell

    @property
    def name(self) -> str:
        """Its last part."""
        return posixpath.basename(self.url)

    def read(self) -> bytes:
        """Its content; OSError where it cannot be read."""
        with as_os_error(self.url), self.open() as file:
            return file.read()

    def open(self) -> BinaryIO:
        """It for reading, seekable; OSError where it cannot be opened."""
        with as_os_error(self.url):
            store, path = store_of(self.url)
            return cast(BinaryIO, store.open(path, "rb", block_size=_AHEAD_BYTES))


def place(text: str) -> Path | Remote:
    """What a person names: a path here, or an address such as `s3://bucket/folder`.

    Raises:
        InputError: an address with a user, a password or a signature in it.
    """
    if "://" not in text:
        return Path(text)
    for part in text.split("::"):  # such as simplecache::https://host/file
        _check_secrets(part)
    return Remote(text)


def _check_secrets(text: str) -> None:
    parts = urlsplit(text)
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise InputError(
            f"An address of {parts.scheme}:// holds a user or password.",
            "Leave it out: credentials come from the environment.",
        )
    for name, _ in parse_qsl(f"{parts.query}&{parts.fragment}", keep_blank_values=True):
        plain = name.lower().replace("-", "").replace("_", "")
        if plain in _SECRET_NAMES or any(word in plain for word in _SECRET):
            raise InputError(
                f"An address of {parts.scheme}:// holds a signature or key ({name[:40]}).",
                "Addresses are written into results: give it without, such as s3://bucket/file; "
                "credentials come from the environment.",
            )


def files_at(remote: Remote, most: int) -> list[tuple[str, RemoteFile]]:
    """The files of a folder by their names in it, sorted; the one file where it is one.

    Hidden files and folders are passed over.

    Raises:
        InputError: nothing is there, it cannot be read, or there are more than `most`; a folder of
            a web server, which no two of them list alike.
    """
    try:
        with as_os_error(remote.url):
            store, path = store_of(remote.url)
            if store.isfile(path):
                info = store.info(path)
                _refuse_page(remote, info)
                return [(remote.name, _file(remote.url, info))]
            if remote.url.startswith(WEB):
                raise FileNotFoundError(2, "there is no such file")
            listed = store.find(path, detail=True)
    except OSError as error:
        raise InputError(
            f"{remote} cannot be read: {error.strerror or error}.",
            "Check the address, and that the environment holds credentials for it.",
        ) from error
    if len(listed) > most:
        raise InputError(f"There are over {most:,} files in {remote}.", "Name a part of them.")
    if not listed:
        raise InputError(f"There is nothing at {remote}.", "Check the address.")
    root = path.rstrip("/") + "/"
    named = {full.removeprefix(root): (full, info) for full, info in listed.items()}
    return [
        (name, _file(store.unstrip_protocol(full), info))
        for name, (full, info) in sorted(named.items())
        if not any(part.startswith(".") for part in name.split("/"))
    ]


def _refuse_page(remote: Remote, info: Mapping[str, Any]) -> None:
    """Raises InputError where a web server gives a page: a list of files, or that none is there."""
    if remote.url.startswith(WEB) and "html" in str(info.get("mimetype")):
        raise InputError(
            f"{remote} is a page or a folder of a web server, whose files cannot be listed.",
            "Name a file there or a ZIP of the pictures, or a folder here, at s3:// or at gs://.",
        )


def _file(url: str, info: Mapping[str, Any]) -> RemoteFile:
    size = int(info["size"] or 0)
    told = next((f"{name} {info[name]}" for name in _VERSIONS if info.get(name)), "")
    return RemoteFile(url, size, told and f"{size} {told}")


# What the stores that fsspec knows call it.
_VERSIONS = (
    *("ETag", "etag", "md5Hash", "LastModified", "last_modified"),
    *("updated", "mtime", "modified", "created"),
)


@contextmanager
def fetched(file: RemoteFile, within: Path | None = None) -> Iterator[Path]:
    """A copy of it here, for what needs a file of its own; InputError where it cannot be had.

    Args:
        within: a folder for temporary files.
    """
    with TemporaryDirectory(prefix="pose-fetched-", dir=within) as folder:
        path = Path(folder, file.name)
        try:
            with as_os_error(file.url):
                store, there = store_of(file.url)
                store.get_file(there, str(path))
        except OSError as error:
            raise InputError(
                f"{file.url} cannot be fetched: {error.strerror or error}.", "Check the address."
            ) from error
        yield path


def store_of(url: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it.

    Raises:
        InputError: a package for it is missing, or no package knows it.
    """
    from fsspec.core import url_to_fs
    from fsspec.registry import known_implementations

    scheme = url.partition("://")[0]
    try:
        store, path = url_to_fs(url)
    except ImportError as error:
        said = known_implementations.get(scheme, {}).get("err", str(error))
        package = _PACKAGES.get(scheme)
        advice = f"`pip install {package}`, then try again." if package else f"{said}."
        raise InputError(f"{scheme}:// needs a package that is not installed.", advice) from error
    except ValueError as error:
        raise InputError(
            f"{scheme}:// is no kind of address that can be opened.",
            "Give a folder or file here, or s3://, gs://, az://, https://, ….",
        ) from error
    return store, path


_PINNED = "-r requirements-remote.txt"  # s3fs and gcsfs
_PACKAGES = {"s3": _PINNED, "s3a": _PINNED, "gs": _PINNED, "gcs": _PINNED, "az": "adlfs"}
_PACKAGES |= {"abfs": "adlfs", "http": "aiohttp", "https": "aiohttp", "sftp": "paramiko"}


@contextmanager
def as_os_error(url: str) -> Iterator[None]:
    """Each store has exceptions of its own; whoever reads a file expects OSError."""
    try:
        yield
    except (OSError, InputError):
        raise
    except Exception as error:
        first = str(error).strip().splitlines()
        raise OSError(5, f"{type(error).__name__}: {first[0][:200] if first else ''}") from error
