"""A stopped track of the relay leaves nobody waiting."""

from __future__ import annotations

import asyncio
import threading

import av
import pytest
from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError

from pages.ui.live.relay import ends_waiting


class Silent(MediaStreamTrack):
    """A camera that never shows anything."""

    kind = "video"

    async def recv(self) -> av.VideoFrame:
        await asyncio.Event().wait()
        raise AssertionError("never comes here")


@pytest.mark.parametrize("from_another_thread", [False, True])
def test_whoever_waits_is_told_of_the_end(from_another_thread: bool) -> None:
    async def stopped_while_waiting() -> None:
        relay = MediaRelay()
        ends_waiting(relay, asyncio.get_running_loop())
        # As streamlit-webrtc does it: a relay of a relayed track.
        first = relay.subscribe(Silent())
        second = relay.subscribe(first)
        waiting = asyncio.ensure_future(second.recv())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        if from_another_thread:
            thread = threading.Thread(target=first.stop)
            thread.start()
            thread.join()
        else:
            first.stop()
        with pytest.raises(MediaStreamError):
            await asyncio.wait_for(waiting, 10)
        assert second.readyState == "ended"

    asyncio.run(stopped_while_waiting())
