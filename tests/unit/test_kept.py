"""Values kept within a bound of bytes: which go, and what counts."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest

from estimators.kept import Kept, bytes_of
from estimators.media import limits
from estimators.workflows.clip import jobs as clip_jobs
from pages.ui import frames
from pages.ui.video import kept as of_clips

EACH = 10_000


def array(count: int = 1) -> np.ndarray:
    return np.zeros(count * EACH, np.uint8)


@dataclass
class Holder:
    one: np.ndarray
    more: dict[str, list[np.ndarray]]


def test_an_array_counts_once_however_it_is_held() -> None:
    whole = array(4)
    held = Holder(whole, {"a": [whole, array()], "b": [whole[:5]]})
    assert bytes_of(held) == pytest.approx(5 * EACH, rel=0.05)
    assert bytes_of(held, held.more, whole) == bytes_of(held)


def test_a_view_counts_with_all_that_it_keeps_alive() -> None:
    assert bytes_of(array(4)[:5].reshape(5, 1)) == pytest.approx(4 * EACH, rel=0.05)
    assert bytes_of(b"x" * EACH, None) == pytest.approx(EACH, rel=0.05)


def test_what_was_not_used_for_the_longest_goes_first() -> None:
    store: Kept[str, np.ndarray] = Kept(3 * EACH + 1000)
    for key in "abc":
        store.put(key, array())
    assert store.get("a") is not None
    store.put("d", array())
    assert [key for key, _ in store.newest_first()] == ["d", "a", "c"]
    assert store.nbytes <= 3 * EACH + 1000
    store.put("large", array(9))
    assert [key for key, _ in store.newest_first()] == ["large"], "somebody looks at it now"
    store.forget()
    assert (len(store), store.nbytes) == (0, 0)


def test_a_value_that_grows_counts_as_it_is() -> None:
    store: Kept[str, list[np.ndarray]] = Kept(3 * EACH)
    growing = [array()]
    store.put("a", growing)
    growing.append(array(2))
    store.put("b", [array()])
    assert store.get("a") is None


def test_one_makes_it_while_the_others_wait() -> None:
    store: Kept[str, np.ndarray] = Kept(3 * EACH)
    begun, go_on, found = threading.Barrier(5), threading.Event(), []

    def make() -> np.ndarray:
        assert go_on.wait(10)
        return array()

    def ask() -> None:
        begun.wait(10)
        found.append(store.made("a", make))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    begun.wait(10)
    assert store.made("b", array) is store.get("b"), "others do not wait"
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(found) == 4
    assert len({id(each) for each in found}) == 1


def test_what_failed_is_tried_again() -> None:
    store: Kept[str, np.ndarray] = Kept(EACH)
    with pytest.raises(KeyError):
        store.made("a", lambda: {}["nothing"])
    assert store.made("a", array) is store.get("a")


def test_all_that_is_kept_leaves_room_for_one_upload_and_holds_some_minutes() -> None:
    """700 MB for the app's own process, of which 197 MB are there before anybody comes."""
    kept = clip_jobs.MOST_KEPT_BYTES + of_clips.MOST_BYTES + frames.MOST_BYTES
    decoding = limits.MAX_DECODE_BYTES - 3 * limits.MAX_KEPT_PIXELS  # its result is kept
    assert 197e6 + kept + decoding <= 700e6
    frame = 7500  # of three models with two people, with its analysis and what is packed of it
    assert 7 * 60 * 30 * frame <= of_clips.MOST_BYTES
    assert clip_jobs.MOST_KEPT_BYTES >= 12 * 60 * 30 * 2500


def test_what_is_worked_out_about_clips_is_bounded() -> None:
    of_clips.kept.clear()
    for key in range(5):
        of_clips.made(key, lambda: np.zeros(of_clips.MOST_BYTES // 3, np.uint8), "…")
    assert [key for key, _ in of_clips.kept().newest_first()] == [4, 3]
    of_clips.kept.clear()
