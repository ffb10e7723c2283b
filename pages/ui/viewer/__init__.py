"""Browser components that draw poses over pictures and clips."""

from pages.ui.viewer.panels import JointRef, Layer, Panel, ViewOptions
from pages.ui.viewer.picture import picture_viewer

__all__ = ["JointRef", "Layer", "Panel", "ViewOptions", "picture_viewer"]
