"""What libraries say of a failed download, in words that tell a person what to do."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from estimators import weights
from estimators.errors import WeightsError
from estimators.weights import reasons, tfhub
from estimators.weights.download import local_error

NAME = "name cannot be looked up"
SAFE = "no safe connection"
UNREACHABLE = "cannot be reached"
BROKE_OFF = "connection broke off"
IN_TIME = "did not answer in time"
PROXY = "the proxy"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        # urllib3 behind requests
        (
            "ConnectionError: HTTPSConnectionPool(host='storage.googleapis.com', port=443): Max "
            'retries exceeded with url: /x (Caused by NameResolutionError("HTTPSConnection: Failed '
            "to resolve 'storage.googleapis.com' ([Errno -3] Temporary failure in name resolution)",
            NAME,
        ),
        ("gaierror: [Errno 8] nodename nor servname provided, or not known", NAME),
        (
            "SSLError: HTTPSConnectionPool: Max retries exceeded (Caused by SSLError("
            "SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
            "failed: self-signed certificate in certificate chain (_ssl.c:1006)')))",
            SAFE,
        ),
        (
            "ProxyError: HTTPSConnectionPool: retries exceeded (Caused by ProxyError('Unable to "
            "connect to proxy', OSError('Tunnel connection failed: 403 Forbidden')))",
            PROXY,
        ),
        ("ConnectTimeout: Connection to 10.0.0.1 timed out. (connect timeout=10.0)", IN_TIME),
        ("ReadTimeout: HTTPSConnectionPool: Read timed out. (read timeout=30.0)", IN_TIME),
        ("ConnectionError: NewConnectionError('[Errno 111] Connection refused')", UNREACHABLE),
        ("ConnectionError: [Errno 101] Network is unreachable", UNREACHABLE),
        ("ConnectionError: [Errno 113] No route to host", UNREACHABLE),
        ("ConnectionError: cut again and again", BROKE_OFF),
        ("ConnectionError: ('Connection aborted.', ConnectionResetError(104, 'reset'))", BROKE_OFF),
        # urllib behind tensorflow_hub
        ("urllib.error.HTTPError: HTTP Error 403: Forbidden", "does not give it to this machine"),
        ("urllib.error.HTTPError: HTTP Error 502: Bad Gateway", "a fault of its own"),
        ("urllib.error.URLError: <urlopen error [Errno -2] Name or service not known>", NAME),
        ("TimeoutError: The read operation timed out", IN_TIME),
        ("nothing arrived for three minutes", IN_TIME),
        ("tensorflow_hub gave no reason", UNREACHABLE),
    ],
)
def test_what_went_wrong_is_told_without_codes(said: str, words: str) -> None:
    told = reasons.of_connection(said)
    assert words in told
    assert not re.search(r"\d|Error|Errno|urllib|SSL|HTTP", told)


@pytest.mark.parametrize("code", range(400, 600))
def test_no_status_is_told_as_a_number(code: int) -> None:
    told = reasons.of_status(code)
    assert told
    assert not re.search(r"\d", told)
    assert (told == reasons.SERVERS_FAULT) == (code >= 500)


SAVED_MODEL = "tfhub-movenet-singlepose-lightning"


def test_a_machine_without_memory_is_neither_a_full_disk_nor_a_lost_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setenv("POSE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tfhub, "_start", no_memory)
    entry, target = weights.entry(SAVED_MODEL), tmp_path / "tfhub" / "model"
    with pytest.raises(WeightsError) as caught:
        tfhub.resolve(entry, target, lambda *_: None, lambda: False)
    told = [
        caught.value,
        tfhub._failed(entry, "OSError: [Errno 12] Cannot allocate memory"),
        tfhub._failed(entry, "MemoryError"),
        local_error(entry, target, OSError(errno.EMFILE, "Too many open files")),
    ]
    for error in told:
        assert "this machine has no memory" in error.message
        assert "written" not in str(error)
        assert "reach" not in str(error)
    full = tfhub._failed(entry, "OSError: [Errno 28] No space left on device")
    assert "the disk is full" in full.message
    assert "cannot be reached" in tfhub._failed(entry, "OSError: [Errno 113] No route").message
