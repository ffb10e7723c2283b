"""Clip player: one clip plays once, every model's poses are drawn for exactly the frame shown."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.ui.scripts import script, texts
from pages.ui.viewer.clip import ClipLayer, layer_payload, pack_poses
from pages.ui.viewer.media_files import NUMBERS, media_url
from pages.ui.viewer.panels import JointRef, Pick, ViewOptions, options_payload
from pages.ui.viewer.room import room

_HERE = Path(__file__).parent
_player = st.components.v2.component(
    "pose_comparison.clip_player",
    html=texts(_HERE / "viewer.html"),
    css=texts(_HERE / "viewer.css", _HERE / "player.css"),
    js=script(_HERE / "player.js"),
)


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip and what its models found in it.  Build it once and keep it: it packs the numbers.

    Attributes:
        source: the file, or its bytes, in a form that browsers play (MP4 with H.264, WebM).
        mimetype: e.g. "video/mp4".
        timestamps_s: float64 [T], presentation time of every frame as the container gives it
            (its start is not subtracted), ascending.
        size: width and height in pixels as the clip is shown, rotation applied.
        layers: the models.
        numbers: packed from `timestamps_s` and the poses of `layers`.
        clip_id, numbers_id: differ whenever the content does.

    Raises:
        ValueError: timestamps or poses do not fit; the message says what was expected.
    """

    source: Path | bytes
    mimetype: str
    timestamps_s: NDArray[np.float64]
    size: tuple[int, int]
    layers: Sequence[ClipLayer]
    numbers: bytes = field(init=False)
    clip_id: str = field(init=False)
    numbers_id: str = field(init=False)

    def __post_init__(self) -> None:
        poses = {layer.key: layer.poses for layer in self.layers if layer.poses is not None}
        numbers = pack_poses(self.timestamps_s, poses)
        if isinstance(self.source, bytes):
            clip_id = _digest(self.source)
        else:
            stat = self.source.stat()
            clip_id = _digest(f"{self.source} {stat.st_size} {stat.st_mtime_ns}".encode())
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "clip_id", clip_id)
        object.__setattr__(self, "numbers_id", _digest(numbers))

    def drawn(self, layers: Sequence[ClipLayer]) -> Self:
        """The same poses with other thresholds, colours or texts, without packing them again.

        Raises:
            ValueError: a layer's poses are not those that were packed.
        """
        packed = {layer.key: layer.poses for layer in self.layers}
        for layer in layers:
            if packed.get(layer.key) is not layer.poses:
                raise ValueError(f"{layer.key}: not the poses that were packed; make a new Clip")
        other = copy.copy(self)
        object.__setattr__(other, "layers", layers)
        return other


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


@dataclass(frozen=True)
class PlayerOptions:
    """What is drawn at first; people change it in the player without a rerun.

    Attributes:
        view: joints, labels, boxes and weak joints.
        thresholds: by model key, in place of the layers' own.
        smooth: the smoothed poses are drawn as lines of their own, where there are some.
        trail: frames over which the picked joint leaves its track, 0 for none.
        sound: the clip has some, and it can be switched on.
        marks: frame index -> why it is worth a look; marked on the scrubber.
        together: one panel with all models, in place of one each.
    """

    view: ViewOptions = field(default_factory=ViewOptions)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    smooth: bool = False
    trail: int = 0
    sound: bool = True
    marks: Mapping[int, str] = field(default_factory=dict)
    together: bool = False


@dataclass(frozen=True)
class Seek:
    """Go to `frame`, stop there and pick `joint`; obeyed once for each new `seq`."""

    frame: int
    seq: int
    joint: JointRef | None = None

    def payload(self) -> dict[str, Any]:
        """As the browser reads it."""
        pick = None if self.joint is None else Pick(self.joint, self.seq).payload()
        return {"frame": self.frame, "seq": self.seq, "pick": pick}


@dataclass(frozen=True)
class PlayerState:
    """Where the player stands.

    Attributes:
        frame: index of the frame shown when it last stood still.
        picked: the joint that somebody picked.
        problem: why the browser cannot play the clip, "" while it can.
        unplayable: the browser cannot play this clip, or shows it in another shape: it needs a copy
            in a plainer form.
    """

    frame: int = 0
    picked: JointRef | None = None
    problem: str = ""
    unplayable: bool = False


def clip_player(
    key: str, clip: Clip, options: PlayerOptions | None = None, seek: Seek | None = None
) -> PlayerState:
    """Show `clip` in one panel a model, or in one with all of them, in step under one scrubber.

    Playing, stepping, thresholds, joints and smoothing happen in the browser.  Python hears of the
    frame only when the player comes to rest, and of a joint when it is picked.

    Args:
        key: unique on the page; position, zoom and settings are kept under it.
        clip: what is shown.
        options: what is drawn at first, None for the defaults; a change resets people's own.
        seek: a command, e.g. after a click in a chart.
    """
    options = options or PlayerOptions()
    width, height = clip.size
    url = media_url(clip.source, clip.mimetype, f"{key}.clip", clip.clip_id)
    payload: dict[str, Any] = {
        "key": key,
        "clip": {"id": clip.clip_id, "url": url, "width": width, "height": height},
        "numbers": media_url(clip.numbers, NUMBERS, f"{key}.numbers", clip.numbers_id),
        "layers": [layer_payload(layer) for layer in clip.layers],
        "thresholds": dict(options.thresholds),
        "options": options_payload(options.view)
        | {"smooth": options.smooth, "trail": options.trail},
        "sound": options.sound,
        "marks": [[frame, why] for frame, why in sorted(options.marks.items())],
        "together": options.together,
        "seek": None if seek is None else seek.payload(),
    }
    # Without a container of its own it is remounted when elements above it come and go.
    wide_three = len(clip.layers) == 3 and width > height
    panels = 1 if options.together else len(clip.layers) + wide_three
    with room(panels, clip.size), st.container(key=f"{key}-frame"):
        result = _player(
            key=key,
            data=payload,
            default={"frame": 0, "selected": None, "problem": "", "unplayable": ""},
            on_frame_change=lambda: None,
            on_selected_change=lambda: None,
            on_problem_change=lambda: None,
            on_unplayable_change=lambda: None,
        )
    # The answer may still be about the clip shown before.
    unplayable = result.unplayable == clip.clip_id
    picked = _picked(result.selected, clip)
    return PlayerState(int(result.frame or 0), picked, result.problem or "", unplayable)


def _picked(value: Any, clip: Clip) -> JointRef | None:
    if not isinstance(value, dict):
        return None
    for layer in clip.layers:
        known = layer.poses is not None and value.get("joint") in layer.poses.skeleton.joints
        if layer.key == value.get("model") and known:
            return JointRef(layer.key, int(value["person"]), str(value["joint"]))
    return None
