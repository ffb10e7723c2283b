"""Browser components that draw poses over pictures and clips."""

from pages.ui.viewer.clip import ClipLayer, ClipPoses
from pages.ui.viewer.panels import JointRef, Layer, Panel, ViewOptions
from pages.ui.viewer.picture import StagePicture, picture_viewer, write_stage_file
from pages.ui.viewer.player import Clip, PlayerOptions, PlayerState, Seek, clip_player

__all__ = [
    "Clip",
    "ClipLayer",
    "ClipPoses",
    "JointRef",
    "Layer",
    "Panel",
    "PlayerOptions",
    "PlayerState",
    "Seek",
    "StagePicture",
    "ViewOptions",
    "clip_player",
    "picture_viewer",
    "write_stage_file",
]
