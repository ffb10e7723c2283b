"""The child process that hosts one model: `python -m estimators.runtime.host CHANNEL SLOT`.

Started by `estimators.runtime.process`.  CHANNEL is the descriptor of a socket for messages, SLOT
that of the frame slot.  Standard input only tells when the app is gone; standard output and error
belong to the native libraries, whose noise must not disturb the messages.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection

from estimators import memory, registry
from estimators.devices import placement_of
from estimators.errors import PoseError
from estimators.runtime.channel import heard
from estimators.runtime.child_side import (
    go_first_when_memory_is_short,
    release_memory,
    watch_parent,
)
from estimators.runtime.frame_slot import FrameSlot
from estimators.runtime.messages import Answer, Ask, Failure, Forget, Load, Ready
from estimators.runtime.sessions import EstimatorPool, SessionKey
from estimators.types import Frame

# What a process does while nobody asks, each after so many more seconds (or `idle_s`, where that is
# less).  Not after each answer: to fetch freed memory anew costs Keypoint R-CNN fast a tenth of its
# time on a CPU (`memory.keep_freed`).
_AT_REST = ((5.0, memory.trim), (20.0, release_memory))


def failure(error: Exception) -> Failure:
    """What to tell the app about `error`."""
    description = f"{type(error).__name__}: {error}".rstrip(": ")
    own = error if isinstance(error, PoseError) else None
    return Failure(own, description, traceback.format_exc())


def answers(
    pool: EstimatorPool, slot: FrameSlot, load: Load, asks: Sequence[Ask], batch: int = 1
) -> list[Answer | Failure]:
    """The estimate of each frame in the slot, or why there is none; never raises.

    Args:
        batch: so many go through the model in one forward, more one by one.
    """
    started = time.perf_counter()
    try:
        images = slot.read(*((ask.height, ask.width) for ask in asks))
        frames = [
            Frame(image, ask.index, ask.time_s) for image, ask in zip(images, asks, strict=True)
        ]
    except Exception as error:  # noqa: BLE001 - one question's failure must not end the process
        return [failure(error)] * len(asks)
    key, found = asks[0].key, list[Answer | Failure]()
    if 1 < len(frames) <= batch:
        with contextlib.suppress(Exception):  # which one it was shows below
            estimates, fresh = pool.estimate_together(key, frames)
            busy_ms = (time.perf_counter() - started) * 1000 / len(frames)
            return [
                Answer.of(estimate, load.spec, busy_ms, fresh and number == 0)
                for number, estimate in enumerate(estimates)
            ]
    for frame in frames:
        found.append(_answer(pool, key, frame, load, started))
        started = time.perf_counter()
    return found


def _answer(
    pool: EstimatorPool, key: SessionKey, frame: Frame, load: Load, started: float
) -> Answer | Failure:
    try:
        estimate, fresh = pool.estimate(key, frame)
    except Exception as error:  # noqa: BLE001 - one frame's failure must not end the process
        return failure(error)
    busy_ms = (time.perf_counter() - started) * 1000
    return Answer.of(estimate, load.spec, busy_ms, fresh)


def serve(channel: Connection, slot: FrameSlot) -> None:
    """Loads the model that the app names, then answers until the app closes the channel."""
    load: Load = channel.recv()
    try:
        model = registry.load(load.spec, load.weights, load.threads)
    except Exception as error:  # noqa: BLE001 - told to the app, which shows it to the person
        channel.send(failure(error))
        return
    pool = EstimatorPool(model, load.sessions, load.idle_s)
    release_memory()
    placement = placement_of(model)
    channel.send(Ready(placement))
    rest: Iterator[tuple[float, Callable[[], object]]] = iter(())  # what is left of `_AT_REST`
    measured = False
    while True:
        pool.expire()
        wait_s, tidy = next(rest, (load.idle_s, None))
        if not heard(channel, min(wait_s, load.idle_s)):
            if tidy:
                tidy()
            continue
        message = channel.recv()
        if isinstance(message, Forget):
            pool.forget(message.session)
        else:
            together = isinstance(message, tuple)
            asks = message if together else (message,)
            given = answers(pool, slot, load, asks, placement.batch)
            if not measured:  # the app looks at this process's size with the first answer
                measured = memory.trim()
            channel.send(given if together else given[0])
        rest = iter(_AT_REST)


def main(arguments: list[str]) -> None:
    # Ctrl-C goes to the whole process group; the app decides what becomes of its hosts.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch_parent()
    go_first_when_memory_is_short()
    channel_fd, slot_fd = (int(argument) for argument in arguments)
    with contextlib.suppress(EOFError, ConnectionError):  # the app closed the channel
        serve(Connection(channel_fd), FrameSlot(slot_fd))
    # Native libraries may crash while they are torn down; there is nothing left to save.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
