"""Packages that only some rooms of the code may import."""

from __future__ import annotations

FRAMEWORKS = {"tensorflow", "tensorflow_hub", "torch", "torchvision", "mediapipe", "ai_edge_litert"}
INTERFACE = {"streamlit", "streamlit_webrtc"}
