"""Child process that lets tensorflow_hub fetch one handle: `python -m … HANDLE`.

tensorflow_hub imports TensorFlow, which must never enter the app's process.  When the parent goes
away or cancels, it closes our stdin; the interrupt lets tensorflow_hub remove its lock and its
temporary folder, which would otherwise block the next try for ten minutes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading


def _interrupt_when_stdin_ends() -> None:
    while os.read(0, 1024):  # not sys.stdin: its lock, held here, is fatal at interpreter shutdown
        pass
    os.kill(os.getpid(), signal.SIGINT)


def main(handle: str) -> None:
    """Resolves `handle` into the folder that `TFHUB_CACHE_DIR` names."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
    threading.Thread(target=_interrupt_when_stdin_ends, daemon=True).start()
    import tensorflow_hub

    tensorflow_hub.resolve(handle)


if __name__ == "__main__":
    main(sys.argv[1])
