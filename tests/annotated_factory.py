"""The same people in the same pictures, written in every format that is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from estimators.skeletons import COCO_17

NAMES = list(COCO_17.joints)
# MPII's order: https://human-pose.mpi-inf.mpg.de, "Annotation description".
MPII = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
    *("pelvis", "thorax", "upper_neck", "head_top", "right_wrist", "right_elbow"),
    *("right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
)
CROWDPOSE = (
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("head", "neck"),
)
SIZES = {"a/0001.png": (64, 48), "b/0001.png": (48, 80), "c.png": (90, 60)}


def pictures(folder: Path) -> Path:
    """Three pictures, two of them of one name."""
    for name, size in SIZES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(folder / name)
    return folder


def people() -> list[dict[str, Any]]:
    """By picture: the last one has nobody.  Whole pixels, so that every format holds them."""
    random = np.random.default_rng(3)
    found = []
    for image, (width, height) in zip(
        (1, 1, 2), [*SIZES.values()][:1] * 2 + [(48, 80)], strict=True
    ):
        xy = np.column_stack([random.integers(1, width, 17), random.integers(1, height, 17)])
        flags = random.choice([0, 1, 2], 17, p=[0.2, 0.2, 0.6])
        flags[5:7] = 2
        box = [
            2.0,
            3.0,
            float(random.integers(9, width - 4)),
            float(random.integers(9, height - 6)),
        ]
        xy[flags == 0] = 0
        found.append({"image": image, "xy": xy, "flags": flags, "box": box})
    return found


def coco() -> dict[str, Any]:
    """A COCO dataset; areas as YOLO-pose's tools take them."""
    listed = [
        {"id": n, "file_name": name, "width": w, "height": h}
        for n, (name, (w, h)) in enumerate(SIZES.items(), 1)
    ]
    annotations = [
        {
            "id": n,
            "image_id": p["image"],
            "category_id": 1,
            "iscrowd": 0,
            "keypoints": np.column_stack([p["xy"], p["flags"]]).ravel().tolist(),
            "num_keypoints": int((p["flags"] > 0).sum()),
            "bbox": p["box"],
            "area": 0.53 * p["box"][2] * p["box"][3],
        }
        for n, p in enumerate(people(), 1)
    ]
    category = {"id": 1, "name": "person", "keypoints": list(NAMES), "skeleton": [[1, 2]]}
    return {"images": listed, "annotations": annotations, "categories": [category]}


def write_json(content: Any, path: Path) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def yolo(folder: Path, dimensions: int = 3, yaml: str = "") -> Path:
    """`images`, `labels` and `data.yaml` in `folder`; returns the latter."""
    pictures(folder / "images" / "val")
    for number, (name, (width, height)) in enumerate(SIZES.items(), 1):
        lines = []
        for p in (p for p in people() if p["image"] == number):
            left, top, w, h = p["box"]
            box = [(left + w / 2) / width, (top + h / 2) / height, w / width, h / height]
            joints = np.column_stack([p["xy"] / (width, height), p["flags"]])[:, :dimensions]
            lines.append(" ".join(repr(float(v)) for v in [0, *box, *joints.ravel()]))
        if lines:
            text = (folder / "labels" / "val" / name).with_suffix(".txt")
            text.parent.mkdir(parents=True, exist_ok=True)
            text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "data.yaml"
    default = f"""
path: ../datasets/mine
train: images/train
val: images/val
kpt_shape: [17, {dimensions}]
flip_idx: {list(COCO_17.flip_indices)}
names:
  0: person
"""
    path.write_text(yaml or default, encoding="utf-8")
    return path


def mpii_people() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Picture, xy [16, 2] and flags [16] on MPII's joints."""
    found = []
    for p in people():
        xy, flags = np.full((16, 2), -1.0), np.zeros(16, int)
        for at, joint in enumerate(MPII):
            if joint in NAMES and p["flags"][NAMES.index(joint)]:
                xy[at], flags[at] = p["xy"][NAMES.index(joint)], p["flags"][NAMES.index(joint)]
        xy[8:10], flags[8:10] = [(20, 12), (23, 8)], 2  # neck and top of the head: 5 pixels
        found.append((list(SIZES)[p["image"] - 1], xy, flags))
    return found


def mpii_json(path: Path) -> Path:
    return write_json(
        [
            {
                "image": name,
                "joints": xy.tolist(),
                "joints_vis": (flags > 0).astype(int).tolist(),
                "center": [30.0, 24.0],
                "scale": 0.2,
            }
            for name, xy, flags in mpii_people()
        ],
        path,
    )


def mpii_mat(path: Path, shift: float = 0.0, rename: dict[str, str] | None = None) -> Path:
    """The authors' structure, of which only what is read is there."""
    from scipy.io import savemat

    by_picture: dict[str, list[dict[str, Any]]] = {name: [] for name in SIZES}
    for name, xy, flags in mpii_people():
        points = [
            {
                "x": xy[i, 0] + shift,
                "y": xy[i, 1] + shift,
                "id": i,
                "is_visible": int(flags[i] == 2),
            }
            for i in range(16)
            if flags[i]
        ]
        rect = {"x1": 20.0, "y1": 4.0, "x2": 26.0, "y2": 12.0, "scale": 0.2}
        rect["objpos"] = {"x": 30.0, "y": 24.0}
        by_picture[name].append(rect | {"annopoints": {"point": points}})
    annolist = [
        {"image": {"name": (rename or {}).get(name, name)}, "annorect": rects}
        for name, rects in by_picture.items()
    ]
    savemat(path, {"RELEASE": {"annolist": annolist}})
    return path
