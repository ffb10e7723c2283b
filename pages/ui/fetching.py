"""Fetching weights from a page: one download a file, seen and stopped by every viewer alike.

That it failed concerns who asked for it, on the page where they did; the others are offered the
weights as before.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import streamlit as st

from estimators import weights
from estimators.errors import WeightsError
from estimators.registry import MODELS, ModelSpec
from pages.ui import engine, memory
from pages.ui.text import escaped, said

_LOG = logging.getLogger(__name__)
# Of this visit: on which page each file was asked for; and in this run of the page, where it is
# told what became of that: two models may need the same file.
_ASKED, _TOLD = "weights_asked_on", "weights_told_at"
_CHECKED = {
    True: "checked by SHA-256",
    False: "TF Hub publishes no checksum, so that only later changes are noticed",
}


class _Fetches:
    """Background downloads of this server by weights key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, tuple[threading.Thread, threading.Event]] = {}

    def start(self, key: str) -> None:
        with self._lock:
            if key in self._running and self._running[key][0].is_alive():
                return
            stop = threading.Event()
            thread = threading.Thread(target=self._fetch, args=(key, stop), daemon=True)
            self._running[key] = (thread, stop)
            thread.start()

    def stop(self, key: str) -> None:
        with self._lock:
            if key in self._running:
                self._running[key][1].set()

    def stopping(self, key: str) -> bool:
        """Somebody has cancelled it; it ends with the next piece that arrives."""
        with self._lock:
            return key in self._running and self._running[key][1].is_set()

    def running(self, key: str) -> bool:
        with self._lock:
            return key in self._running and self._running[key][0].is_alive()

    @staticmethod
    def _fetch(key: str, stop: threading.Event) -> None:
        try:
            weights.fetch(key, cancelled=stop.is_set)
        except weights.FetchCancelledError:
            return
        except WeightsError as error:
            # The page says it in words; what the libraries said is for whoever runs the server.
            _LOG.warning("The weights %s did not come: %s", key, error.__cause__ or error)
            return
        for model, spec in MODELS.items():
            if spec.weights == key:
                engine.jobs().forget_failures(model)


@st.cache_resource(show_spinner=False)
def _fetches() -> _Fetches:
    return _Fetches()


def begin() -> None:
    """Call it at the start of every run of a page."""
    st.session_state[_TOLD] = {}


def invitation(
    spec: ModelSpec,
    place: str,
    words: str = "Needs its weights{told}, fetched once and kept on this machine.",
    write: Callable[[str], object] = st.markdown,
) -> None:
    """Weights that were never fetched are an offer, not an error: in words, and the way to them.

    Args:
        place: as for `weights_control`.
        words: `{told}` and `{brackets}` stand for their size, or nothing where it is not known.
        write: puts the words on the page.
    """
    size_bytes = weights.entry(spec.weights).size_bytes
    size = megabytes(size_bytes) if size_bytes else ""
    write(words.format(told=size and f": **{size}**", brackets=size and f" ({size})"))
    weights_control(spec.weights, place)


def weights_control(key: str, place: str) -> None:
    """What a person can do about weights that are not here: fetch, watch, cancel, try again.

    The whole page reruns when they have come, so that their models join.

    Args:
        key: into the weights manifest.
        place: tells apart the controls of one key on one page.
    """
    now, entry = weights.state(key), weights.entry(key)
    if now.state == "downloading" or _fetches().running(key):
        _watch(key, place)
        return
    failed = failure(now, key)
    if failed is not None and st.session_state[_TOLD].setdefault(key, place) == place:
        st.error(_in_steps(failed), icon=":material/cloud_off:")
    size = f" {megabytes(now.size_bytes)}" if now.size_bytes else " from TF Hub"
    label = f"Fetch{size}" if failed is None else "Try again"
    if st.button(
        label,
        key=f"fetch_{place}_{key}",
        icon=":material/download:",
        help=f"From {entry.url}, once for this machine; {_CHECKED[bool(entry.sha256)]}.",
    ):
        st.session_state.setdefault(_ASKED, {})[key] = memory.page()
        _fetches().start(key)
        st.rerun()


def failure(now: weights.WeightsState, key: str) -> WeightsError | None:
    """Why the weights are not here, where that concerns this visitor on this page.

    Args:
        now: where `key` stands.
    """
    asked_here = st.session_state.get(_ASKED, {}).get(key) == memory.page()
    return now.error if asked_here or not now.tried else None


def _in_steps(error: WeightsError) -> str:
    """What happened and what to do, as Markdown."""
    steps = error.steps or (error.advice,)
    numbers = [f"{n}. " if len(steps) > 1 else "" for n in range(1, len(steps) + 1)]
    lines = [f"{n}{escaped(step)}" for n, step in zip(numbers, steps, strict=True)]
    return "\n".join([f"**{said(error.message)}**", "", *lines])


@st.fragment(run_every=0.5)
def _watch(key: str, place: str) -> None:
    now = weights.state(key)
    if now.state != "downloading" and not _fetches().running(key):
        st.rerun()
    share = now.done_bytes / now.size_bytes if now.size_bytes else 0.0
    st.progress(min(share, 1.0), f"Fetching the weights: {how_far(now)}")
    if not _fetches().running(key):
        return  # another process of this machine fetches it
    if _fetches().stopping(key):
        st.caption("Stopping; what has come is kept for the next time.")
    else:
        name = f"cancel_{place}_{key}"
        st.button(
            "Cancel", key=name, icon=":material/close:", on_click=_fetches().stop, args=(key,)
        )


def how_far(now: weights.WeightsState) -> str:
    """ "12 of 237 MB"; "12 MB so far" where the size is not known."""
    if not now.size_bytes:
        return f"{now.done_bytes / 1e6:.0f} MB so far"
    return f"{now.done_bytes / 1e6:.0f} of {megabytes(now.size_bytes)}"


def megabytes(size_bytes: int) -> str:
    """ "237 MB"; decimal megabytes, as download pages count; "an unknown size" for 0."""
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes else "an unknown size"
