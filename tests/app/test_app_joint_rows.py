"""The chart of each joint's PCK has no rows without bars."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from pages.ui.evaluate.charts import joints_chart


def test_joints_that_pck_does_not_count_have_no_row() -> None:
    def joint(name: str, pck: float) -> SimpleNamespace:
        return SimpleNamespace(joint=name, pck=pck, labelled=3, median_error=0.1)

    joints = [joint("nose", np.nan), joint("left_hip", 0.0), joint("left_knee", 0.5)]
    shown = SimpleNamespace(
        accuracy=SimpleNamespace(joints=joints),
        title="MoveNet Lightning",
        colour="#0072B2",
        variant=0,
    )
    figure = joints_chart({"movenet-lightning": shown})
    (bars,) = figure.data
    assert (list(bars.y), list(bars.x)) == (["left hip", "left knee"], [0.0, 0.5])
    assert len(bars.customdata) == 2
    more = joints_chart({"movenet-lightning": shown, "movenet-thunder": shown})
    assert more.layout.height > figure.layout.height
