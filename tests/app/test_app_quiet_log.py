"""What is logged of an error says its kind and its place, and nothing that a visitor gave."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator

import pytest
from streamlit import config

from pages.ui.server import quiet_log
from pages.ui.server.quiet_log import keep_quiet, places

NAME = "Grandma at the beach.png"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a logger of somebody else's writes from now on; all hooks are put back."""
    before = logging.getLogRecordFactory(), threading.excepthook, sys.unraisablehook, sys.excepthook
    loud = logging.raiseExceptions
    rich = config.get_option("logger.enableRich")
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logger = logging.getLogger("somebody.else")
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)
    logging.raiseExceptions = loud
    config.set_option("logger.enableRich", rich)
    logging.setLogRecordFactory(before[0])
    threading.excepthook, sys.unraisablehook, sys.excepthook = before[1:]


def fails() -> None:
    try:
        raise OSError(f"{NAME} is not there")
    except OSError as error:
        raise ValueError(f"{NAME} cannot be read") from error


def caught() -> Exception:
    try:
        fails()
    except ValueError as error:
        return error
    raise AssertionError


def test_an_error_is_logged_without_its_words(log: io.StringIO) -> None:
    keep_quiet()
    logger, error = logging.getLogger("somebody.else"), caught()
    logger.error("Uncaught app execution", exc_info=error)
    logger.error("It failed: %s", error)
    logger.error(error)
    logger.error("Of %(what)s: %(number)d", {"what": "two", "number": 2})
    told = log.getvalue()
    assert "Grandma" not in told
    for words in (
        "Uncaught app execution\nValueError\n",
        "out of OSError\n",
        "It failed: ValueError",
    ):
        assert words in told
    assert "test_app_quiet_log.py" in told
    assert " in fails" in told
    assert "Of two: 2" in told
    assert not config.get_option("logger.enableRich")


def test_errors_inside_of_what_is_logged_bring_no_words_either(log: io.StringIO) -> None:
    keep_quiet()
    logger, error = logging.getLogger("somebody.else"), caught()
    logger.error("It failed: %(error)s", {"error": error})
    logger.error("All of: %s", [("first", error), {error: {"why": error}}])
    logger.error([error])
    several = ExceptionGroup(NAME, [error, ExceptionGroup(NAME, [KeyError(NAME)])])
    logger.error("Several", exc_info=several)
    logger.error("Unfit %s %s", "one", frozenset({error}))
    told = log.getvalue()
    assert "Grandma" not in told
    assert "It failed: ValueError" in told
    assert "All of: [('first', 'ValueError'), {'ValueError': {'why': 'ValueError'}}]" in told
    group = told.partition("Several\n")[2]
    kinds = [line for line in group.splitlines() if not line.startswith(" ")]
    assert kinds[:5] == [
        "ExceptionGroup",
        "out of ValueError",
        "out of ExceptionGroup",
        "out of OSError",
        "out of KeyError",
    ]


def test_a_list_in_itself_and_a_record_that_cannot_be_written_do_no_harm(
    log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_quiet()
    logger, itself = logging.getLogger("somebody.else"), [caught()]
    itself.append(itself)  # type: ignore[arg-type]
    logger.error("Of %s", itself)
    logger.error("Number %d", f"{NAME}")
    told = log.getvalue()
    assert told.startswith("Of ['ValueError', ['ValueError', ")
    assert "Grandma" not in told + capsys.readouterr().err


def test_a_thread_that_ends_itself_is_no_error(
    log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_quiet()
    thread = threading.Thread(target=lambda: sys.exit(NAME))
    thread.start()
    thread.join()
    assert capsys.readouterr().err == ""


def test_nor_do_threads_and_tasks_say_them(
    log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_quiet()
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    sys.excepthook(ValueError, caught(), None)
    said = capsys.readouterr().err
    assert "Grandma" not in said
    assert said.count("ValueError") == 2
    record = logging.LogRecord("asyncio", 40, "", 0, f"Never retrieved\ntask: {NAME}", (), None)
    assert quiet_log.without_words(record).getMessage() == "Never retrieved"


def test_whoever_looks_for_a_fault_of_the_code_has_all_words(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "get_option", lambda name: "debug")
    keep_quiet()
    logging.getLogger("somebody.else").error("Uncaught", exc_info=caught())
    assert NAME in log.getvalue()


def test_an_error_out_of_itself_comes_to_an_end() -> None:
    one, two = ValueError("1"), OSError("2")
    one.__cause__, two.__cause__ = two, one
    assert list(places(one)) == ["ValueError", "out of OSError"]
