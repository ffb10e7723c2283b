"""What the columns of tables mean: a text behind each heading, the same on every page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from estimators.registry import MODELS

_OKS = "COCO's object keypoint similarity: 1 for the same pose, 0 for nothing in common"
_OVER_PICTURES = "In brackets its 95 % interval over pictures."
_AP = f"Average precision of the people found, by OKS{{}}; 1 is perfect. {_OVER_PICTURES}"
HELP: Mapping[str, str] = {
    # pictures
    "x, px": "Pixels from the left edge of the picture to the joint.",
    "y, px": "Pixels from the top edge of the picture to the joint.",
    "apart, torsos": "Distance from where the other families put this joint, in torso lengths.",
    "person score": "How sure the model is of this person as a whole, on its own scale from 0 to "
    "1. Never compare it across models.",
    "agreement, OKS": f"How alike the models' poses of this person are. {_OKS}.",
    "people": "How many people count as found: over the person threshold, with three joints over "
    "the joint threshold.",
    "largest distance, torsos": "Of any joint from where the other families put it, in torso "
    "lengths.",
    # cost
    "preprocess, ms": "Resizing and converting the picture, in the model's process.",
    "inference, ms": "The network itself.",
    "postprocess, ms": "Turning the network's output into joints.",
    "total, ms": "The model's own time: the three before together, the median of the calls.",
    "least, ms": "The shortest of the measured times.",
    "most, ms": "The longest of the measured times.",
    "transport, ms": "The picture's way to the model's process and back; not the model's time.",
    "first call, ms": "The first answer after loading, which is slower than those that follow.",
    "load, s": "From starting the model's process to ready.",
    "memory, MB": "What the model's process held right after its first answer, shared pages by "
    "share.",
    "peak, MB": "The most the model's process ever held, shared pages in full.",
    "on disk, MB": "Size of the file of weights.",
    "device": "Where the model computed: the CPU or a GPU.",
    "measured": "From how many calls the times are, and whether other work ran meanwhile.",
    "calls": "How many answers were timed.",
    "threads": "How many threads the model was given.",
    "latency, ms": "The model's own time for one answer, median. * measured while other work ran.",
    "whole, ms": "From asking the model to its answer, the way there and back included; median.",
    "p95, ms": "19 of 20 answers were faster.",
    "median, ms": "Half of the frames took less.",
    "95th percentile, ms": "19 of 20 frames took less.",
    "first frame, ms": "The first frame of the clip, in which a model may warm up.",
    # clips
    "time, s": "Seconds from the clip's first frame.",
    "dispute, 1 − OKS": f"How far the two models differ on this person. OKS is {_OKS}.",
    "between": "The two models that differ.",
    "joint furthest apart": "On which of the person's joints the two differ most.",
    "frames seen": "Frames in which the model shows this person.",
    "jitter, torsos/s²": "Median acceleration of the joints; real motion adds to it.",
    "dropout, %": "Share of the joints hidden or missing while the person is known to be there.",
    "identity switches": "Times the model went over to this person from another one.",
    "side swaps": "Frames in which left and right change places.",
    "limb jumps": "Frames in which a limb does what no limb can.",
    "frames": "Frames that the model answered.",
    "failed": "Frames that the model failed on.",
    "measured while busy": "Frames that were answered while other work ran on this machine.",
    # truth
    "joints shown": "How many of the marked joints the model shows, on a person that is less than "
    "a torso length from what is marked there, in the mean.",
    "nearest on": "On how many marked joints this model is nearer than every other.",
    "median error, torsos": "Median distance from the true joints, in torso lengths.",
    "OKS": f"Similarity to the truth, in the mean. {_OKS}.",
    "from": "Lower end of the 95 % interval of the OKS.",
    "to": "Upper end of the 95 % interval of the OKS.",
    # annotated sets
    "AP": _AP.format(", the mean over ten thresholds from 0.50 to 0.95"),
    "AP50": _AP.format(" of 0.50 or more"),
    "AP75": _AP.format(" of 0.75 or more"),
    "APm": _AP.format(", of medium people (32² to 96² pixels)"),
    "APl": _AP.format(", of large people (over 96² pixels)"),
    "AR": f"Average recall: how many of the annotated people are found, by OKS. {_OVER_PICTURES}",
    "PCK@0.2": "Share of the labelled joints that lie within 0.2 torso lengths of the truth.",
    "PCKh@0.5": "Share of the labelled joints that lie within half a head's size of the truth.",
    "mean KS": "Keypoint similarity of the labelled joints, in the mean; 1 is exact.",
    "part": "Which people: by size, number, how much is hidden or cut off.",
    "joints": "Labelled joints in this part.",
    "invented": "Share of the joints outside a crop that the model puts somewhere inside it, over "
    f"its threshold. {_OVER_PICTURES}",
    "guessed outside": "Share of them that it puts outside, as they are.",
    "left out": "Share of them that it does not show.",
    "Ex-OKS": "OKS that also counts joints outside the crop (Purkrábek and Matas, 2025).",
    "OKS inside": "OKS of the joints that are inside the crop.",
    "depth, torsos": "How far inside the crop the invented joints are put, in torso lengths.",
    "rank correlation": "Spearman's, of a joint's distance from the other models with its distance "
    "from the truth: 1 where disagreement always tells a mistake, 0 where it tells nothing.",
    "people found": "Share of the annotated people whom the model found.",
}


def meaning(name: str) -> str:
    """What a column means, "" where its name says it; `name` may begin with a model's title."""
    title, _, rest = name.partition(", ")
    return HELP.get(rest if title in _titles() else name, "")


def explained(names: Iterable[str], config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Streamlit's configuration of columns with what each means behind its heading.

    Args:
        config: of those that are more than text.
    """
    given = config or {}
    return {
        name: {**given.get(name, st.column_config.Column()), "help": meaning(name) or None}
        for name in names
    }


def _titles() -> set[str]:
    return {spec.title for spec in MODELS.values()}
