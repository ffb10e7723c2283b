"""PoseNet as TensorFlow.js documents its decoding, independent of `estimators`; a child process.

`python plain_posenet.py WEIGHTS PICTURES OUTPUT`: PICTURES a JSON list of {image_id, file}; writes
a list of COCO results.  Plain loops over cells and edges: heat map peaks as roots (radius 1, score
at least 0.5, 20 pixels apart), displacements along the tree, two refinements by the offsets.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

SIDED = ("Eye", "Ear", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
PARTS = ["nose", *(f"{side}{part}" for part in SIDED for side in ("left", "right"))]
CHAIN = [
    ("nose", "leftEye"),
    ("leftEye", "leftEar"),
    ("nose", "rightEye"),
    ("rightEye", "rightEar"),
    ("nose", "leftShoulder"),
    ("leftShoulder", "leftElbow"),
    ("leftElbow", "leftWrist"),
    ("leftShoulder", "leftHip"),
    ("leftHip", "leftKnee"),
    ("leftKnee", "leftAnkle"),
    ("nose", "rightShoulder"),
    ("rightShoulder", "rightElbow"),
    ("rightElbow", "rightWrist"),
    ("rightShoulder", "rightHip"),
    ("rightHip", "rightKnee"),
    ("rightKnee", "rightAnkle"),
]
EDGES = [(PARTS.index(a), PARTS.index(b)) for a, b in CHAIN]
STRIDE, MOST, PEAK, RADIUS = 16, 10, 0.5, 20.0


class Decoder:
    def __init__(self, heat, offsets, forward, backward):
        self.heat, self.offsets = 1 / (1 + np.exp(-heat)), offsets
        self.forward, self.backward = forward, backward
        self.height, self.width = heat.shape[:2]

    def nearest(self, y, x):
        row = min(max(int(np.floor(y / STRIDE + 0.5)), 0), self.height - 1)
        return row, min(max(int(np.floor(x / STRIDE + 0.5)), 0), self.width - 1)

    def place(self, row, column, part):
        y = row * STRIDE + self.offsets[row, column, part]
        return float(y), float(column * STRIDE + self.offsets[row, column, part + 17])

    def peaks(self):
        for part in range(17):
            for row in range(self.height):
                for column in range(self.width):
                    score = self.heat[row, column, part]
                    around = self.heat[
                        max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2, part
                    ]
                    if score >= PEAK and score >= around.max():
                        yield float(score), row, column, part

    def walk(self, found, edge, source, target, displacements):
        y, x, _ = found[source]
        row, column = self.nearest(y, x)
        y += displacements[row, column, edge]
        x += displacements[row, column, edge + 16]
        for _ in range(2):
            y, x = self.place(*self.nearest(y, x), target)
        row, column = self.nearest(y, x)
        found[target] = (float(y), float(x), float(self.heat[row, column, target]))

    def people(self):
        out = []
        for score, row, column, part in sorted(self.peaks(), reverse=True):
            if len(out) == MOST:
                break
            y, x = self.place(row, column, part)
            if any(np.hypot(y - p[part][0], x - p[part][1]) <= RADIUS for p, _ in out):
                continue
            found = {part: (y, x, score)}
            for edge in range(15, -1, -1):
                parent, child = EDGES[edge]
                if child in found and parent not in found:
                    self.walk(found, edge, child, parent, self.backward)
            for edge in range(16):
                parent, child = EDGES[edge]
                if parent in found and child not in found:
                    self.walk(found, edge, parent, child, self.forward)
            total = 0.0
            for k, (y, x, s) in found.items():
                if all(np.hypot(y - p[k][0], x - p[k][1]) > RADIUS for p, _ in out):
                    total += s
            out.append((found, total / 17))
        return out


def main(weights: str, pictures: str, output: str) -> None:
    network = Interpreter(weights, num_threads=2)
    network.allocate_tensors()
    ask = network.get_input_details()[0]
    names = {d["name"].split(":")[0]: d["index"] for d in network.get_output_details()}
    side = int(ask["shape"][1])
    results = []
    for picture in json.loads(Path(pictures).read_text()):
        image = cv2.cvtColor(cv2.imread(picture["file"]), cv2.COLOR_BGR2RGB)
        scale = side / max(image.shape[:2])
        height, width = (round(length * scale) for length in image.shape[:2])
        top, left = (side - height) // 2, (side - width) // 2
        padded = np.zeros((side, side, 3), np.float32)
        padded[top : top + height, left : left + width] = cv2.resize(image, (width, height))
        network.set_tensor(ask["index"], padded[None] / np.float32(127.5) - 1)
        network.invoke()
        maps = [
            network.get_tensor(names[f"Identity{n}"])[0].astype(float)
            for n in ("_2", "_3", "_1", "")
        ]
        for found, score in Decoder(*maps).people():
            keypoints = []
            for part in range(17):
                y, x, joint_score = found[part]
                keypoints += [(x - left) / scale, (y - top) / scale, joint_score]
            results.append(
                {
                    "image_id": picture["image_id"],
                    "category_id": 1,
                    "keypoints": keypoints,
                    "score": score,
                }
            )
    Path(output).write_text(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
