"""Loading a model before anybody asks it."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Warming:
    """Loads one model in the background, for all who want that at a time once.

    Args:
        model: key of the variant.
        load: loads it; tells by itself what goes wrong.
    """

    def __init__(self, model: str, load: Callable[[], None]) -> None:
        self._name, self._load = f"warm-{model}", load
        self._lock = threading.Lock()
        self._done: threading.Event | None = None

    def begin(self, ready: Callable[[], bool]) -> threading.Event:
        """Loads it unless it is `ready` or being loaded so.

        Returns:
            What is set when that is done, well or not.
        """
        with self._lock:
            if self._done is None or self._done.is_set():
                self._done = threading.Event()
                if ready():
                    self._done.set()
                else:
                    self.again(self._done)
            return self._done

    def again(self, done: threading.Event) -> None:
        """Loads it, whatever else is under way; sets `done` in the end."""

        def work() -> None:
            try:
                self._load()
            finally:
                done.set()

        threading.Thread(target=work, name=self._name, daemon=True).start()
