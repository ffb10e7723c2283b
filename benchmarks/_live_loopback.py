"""The least that streamlit-webrtc does: the camera's frames come back as they are.

`?callback=1` sends them through a frame callback that changes nothing.
"""

import time

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

time.sleep(0.03)  # pages/ui/live/streamer.py explains why streams live longer with it
webrtc_streamer(
    "loopback",
    mode=WebRtcMode.SENDRECV,
    rtc_configuration={"iceServers": []},
    media_stream_constraints={
        "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}},
        "audio": False,
    },
    video_frame_callback=(lambda frame: frame) if "callback" in st.query_params else None,
    sendback_audio=False,
)
