"""The picture as the browser is shown it: a file, made once a viewer."""

from __future__ import annotations

from pages.ui.server.files import folder
from pages.ui.sources import Picture
from pages.ui.viewer.picture import StagePicture, write_stage_file


def stage_picture(picture: Picture) -> StagePicture:
    """For the viewers of pictures; poses over it are in the picture's own pixels."""
    file = folder() / f"{picture.digest[:16]}.stage.jpg"
    if not file.is_file():
        with picture.lent() as frame:
            write_stage_file(frame.image, file)
    return StagePicture(file, picture.digest, picture.size)
