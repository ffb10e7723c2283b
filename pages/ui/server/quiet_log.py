"""What the server writes to its log of an error: its kind and the places, none of its words.

The words of an error may hold what a visitor called a file, or an address.  Pages show no more than
the kind of an unexpected error either (`client.showErrorDetails`).  Whoever looks for a fault of
the code has all words with `--logger.level=debug`.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from streamlit import config

# Of lists within lists; one may hold itself.
_DEEPEST = 4


def keep_quiet() -> None:
    """From now on no error that this process logs brings its words, from any thread."""
    if config.get_option("logger.level") == "debug":
        return
    config.set_option("logger.enableRich", False)  # it prints errors itself, past all loggers
    logging.raiseExceptions = False  # of a record that cannot be written, with all its words
    made = logging.getLogRecordFactory()

    def quiet(*arguments: Any, **more: Any) -> logging.LogRecord:
        return without_words(made(*arguments, **more))

    logging.setLogRecordFactory(quiet)
    threading.excepthook = _ended_thread
    sys.unraisablehook = lambda told: _say(told.exc_value)
    sys.excepthook = _uncaught


def without_words(record: logging.LogRecord) -> logging.LogRecord:
    """The same record, whose errors are `places` only."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        record.exc_info, record.exc_text = None, "\n".join(places(error))
    record.args, record.msg = _kinds(record.args), _kinds(record.msg)
    if record.name == "asyncio":  # its further lines describe tasks, with their errors
        record.msg = str(record.msg).partition("\n")[0]
    return record


def _kinds(value: Any, deep: int = 0) -> Any:
    """`value` with kinds in place of errors in it, and of what lies too deep in it."""
    several = type(value) in (dict, list, tuple, set, frozenset)
    if isinstance(value, BaseException) or (several and deep > _DEEPEST):
        return type(value).__name__
    if type(value) is dict:
        return {_kinds(k, deep + 1): _kinds(v, deep + 1) for k, v in value.items()}
    return type(value)(_kinds(each, deep + 1) for each in value) if several else value


def places(error: BaseException) -> Iterator[str]:
    """An error's kind and where it came from, and those that it came out of; a line each."""
    seen: list[BaseException] = []
    left = [error]
    while left:
        told = left.pop(0)
        if any(told is each for each in seen):
            continue
        yield f"{'out of ' if seen else ''}{type(told).__name__}"
        for place in traceback.extract_tb(told.__traceback__):
            yield f"  {place.filename}:{place.lineno} in {place.name}"
        seen.append(told)
        if isinstance(told, BaseExceptionGroup):
            left += told.exceptions
        before = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
        if before is not None:
            left.append(before)


def _ended_thread(told: threading.ExceptHookArgs) -> None:
    if not isinstance(told.exc_value, SystemExit):  # a thread may end so, and nobody is told
        _say(told.exc_value)


def _uncaught(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, where)
    else:
        _say(error)


def _say(error: BaseException | None) -> None:
    if error is not None and sys.stderr is not None:
        print("\n".join(places(error)), file=sys.stderr, flush=True)
