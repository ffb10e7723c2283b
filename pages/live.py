"""Live: the models follow the person in front of the camera."""

from pages.ui.frame import open_page
from pages.ui.live.page import live_page

live_page(open_page("Live", "Your camera through every model at once, honest about delay."))
