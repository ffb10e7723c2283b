"""Where MoveNet SinglePose looks next: the official crop-region rules for clips.

SinglePose is trained on people who fill a square picture.  In a clip the square around the person
of the previous frame is therefore cut out and estimated instead of the whole frame, as in Google's
tutorial "MoveNet: Ultra fast and accurate pose detection model", section "Cropping Algorithm"
(https://www.tensorflow.org/hub/tutorials/movenet).  Rules and constants are the tutorial's; the
square is set on whole pixels, which makes the way back to the frame exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from estimators.geometry import CropRegion, Size, square_around
from estimators.skeletons import COCO_17

_MIN_SCORE = 0.2
_TORSO_MARGIN = 1.9
_BODY_MARGIN = 1.2
_SHOULDERS = [COCO_17.index("left_shoulder"), COCO_17.index("right_shoulder")]
_HIPS = [COCO_17.index("left_hip"), COCO_17.index("right_hip")]


def next_region(xy: NDArray[np.floating], score: NDArray[np.floating], frame: Size) -> CropRegion:
    """The region of the next frame, judged by the pose in this one.

    Where no torso is seen, or the person fills the frame, it is the whole frame again; otherwise a
    square around the middle of the hips that holds the torso and all joints seen, with a margin.

    Args:
        xy: [17, 2], COCO-17 joints in frame pixels.
        score: [17], confidence, 0 to 1.
        frame: (height, width) of the frame in pixels.
    """
    whole = CropRegion.whole(frame)
    if not _torso_is_seen(score):
        return whole
    height, width = frame
    center = xy[_HIPS].mean(axis=0)
    reach_torso = np.abs(xy[_SHOULDERS + _HIPS] - center).max()
    reach_body = np.abs(xy[score >= _MIN_SCORE] - center).max()
    farthest_edge = max(center[0], width - center[0], center[1], height - center[1])
    half_side = min(max(reach_torso * _TORSO_MARGIN, reach_body * _BODY_MARGIN), farthest_edge)
    if half_side > max(height, width) / 2:
        return whole
    region = square_around(center, float(half_side))
    return region if region.meets(frame) else whole


def _torso_is_seen(score: NDArray[np.floating]) -> bool:
    return bool(score[_SHOULDERS].max() > _MIN_SCORE and score[_HIPS].max() > _MIN_SCORE)
