"""The relay hands on the newest frame only, and a stopped track leaves nobody waiting."""

from __future__ import annotations

import asyncio
import threading

import av
import pytest
from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError

from pages.ui.live.relay import patch_relay


class Counting(MediaStreamTrack):
    """A camera whose frames are numbered, and come as fast as they are taken."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0)
        if self.count == 100:
            await asyncio.Event().wait()
        self.count += 1
        frame = av.VideoFrame(2, 2, "gray")
        frame.pts = self.count
        return frame


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
        patch_relay(relay, asyncio.get_running_loop())
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


def test_a_slow_reader_gets_the_newest_frame_and_no_queue() -> None:
    async def read_twice() -> list[int | None]:
        relay, camera = MediaRelay(), Counting()
        patch_relay(relay, asyncio.get_running_loop())
        proxy = relay.subscribe(camera)
        first = await proxy.recv()
        while camera.count < 100:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        return [first.pts, (await proxy.recv()).pts]

    first, second = asyncio.run(read_twice())
    assert first is not None
    assert first < 5
    assert second == 100
