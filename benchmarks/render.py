"""Milliseconds to draw poses and mosaics, against the obvious way of one OpenCV call a dash, and to
bring pictures into the encoder's form, against FFmpeg's conversion.

    python -m benchmarks.render

Medians over many repeats; the two ways are timed in turn, so that other work on the machine slows
both alike.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks._limits import say
from estimators.render.draw import Layer, draw_all
from estimators.render.mosaic import Tile, mosaic, plan_mosaic
from estimators.render.style import PoseStyle, line_width
from estimators.skeletons import BLAZEPOSE_33, COCO_17, Skeleton
from estimators.types import PoseSet
from pages.ui.live.pipe import for_encoder

STYLE = PoseStyle((0, 114, 178))
WHITE = (255, 255, 255)
REPEATS = 60


def people(count: int, skeleton: Skeleton, width: int, height: int) -> PoseSet:
    """Random poses, each within a box a fifth as wide and half as high as the frame."""
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 1, (count, 1, 2)) * (0.8 * width, 0.5 * height)
    xy = corner + rng.uniform(0, 1, (count, len(skeleton), 2)) * (0.2 * width, 0.5 * height)
    return PoseSet(skeleton, xy, np.ones(xy.shape[:2]))


def draw_naively(image: NDArray[np.uint8], poses: PoseSet, style: PoseStyle) -> NDArray[np.uint8]:
    """The same drawing with a loop over bones and dashes, one OpenCV call each."""
    canvas = image.copy()
    skeleton = poses.skeleton
    for xy in poses.xy - 0.5:
        side = float(np.ptp(xy, axis=0).max())
        width = line_width(image.shape[1], image.shape[0], side)
        for colour, thickness in ((WHITE, width + 2), (style.colour, width)):
            for a, b in skeleton.bones:
                start, end = xy[skeleton.index(a)], xy[skeleton.index(b)]
                dashed = "right" in a + b and "left" not in a + b
                length = float(np.linalg.norm(end - start))
                count = max(round((length - 2.5 * width) / (5.5 * width)), 0) + 1 if dashed else 1
                share = min(2.5 * width / length, 1.0) if dashed else 1.0
                for i in range(count):
                    first = (1 - share) * i / max(count - 1, 1)
                    ends = [start + t * (end - start) for t in (first, first + share)]
                    p, q = (tuple(np.round(e * 16).astype(int).tolist()) for e in ends)
                    cv2.line(canvas, p, q, colour, thickness, cv2.LINE_AA, 4)
        for name, point in zip(skeleton.joints, xy, strict=True):
            centre = tuple(np.round(point * 16).astype(int).tolist())
            radius = 1.2 * width + 0.5
            discs = [(radius + 1, WHITE), (radius, style.colour)]
            if "right" in name and radius > 2:
                discs.append((radius - 1.2 - 0.3 * width, WHITE))
            for r, colour in discs:
                cv2.circle(canvas, centre, round(r * 16), colour, -1, cv2.LINE_AA, 4)
    return canvas


def medians(*works: Callable[[], object]) -> list[float]:
    """Median milliseconds of each of `works`, timed in turn."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(REPEATS):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            taken.append((time.perf_counter() - start) * 1e3)
    return [statistics.median(taken) for taken in times]


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").partition(",")[0]).parse_args()
    drawing, converting = [], []
    print(f"{'frame':>10} {'people':>6} {'joints':>6} {'drawn':>8} {'naive':>8}  (ms, median)")
    for width, height in ((640, 480), (1280, 720), (1920, 1080)):
        image = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
        for count, skeleton in ((1, COCO_17), (1, BLAZEPOSE_33), (6, COCO_17)):
            poses = people(count, skeleton, width, height)
            ours, naive = medians(
                lambda image=image, poses=poses: draw_all(image, [Layer(poses, STYLE)]),
                lambda image=image, poses=poses: draw_naively(image, poses, STYLE),
            )
            drawing.append(ours / naive)
            print(
                f"{width:>5}×{height:<4} {count:>6} {len(skeleton):>6} {ours:>8.2f} {naive:>8.2f}"
            )
        tiles = [Tile(image, f"Model {i}", f"{i} ms") for i in range(3)]
        same = plan_mosaic(3, width, height)
        half = plan_mosaic(3, width, height, width=width)
        whole, shrunk = medians(
            lambda tiles=tiles, same=same: mosaic(tiles, same),
            lambda tiles=tiles, half=half: mosaic(tiles, half),
        )
        print(f"{'':>10} mosaic of 3: {whole:.2f} as it is, {shrunk:.2f} shrunk to {half.width} px")
        into, ffmpegs = medians(
            lambda image=image: for_encoder(image),
            lambda image=image: av.VideoFrame.from_ndarray(image, "rgb24").reformat(
                format="yuv420p"
            ),
        )
        converting.append(into / ffmpegs)
        print(f"{'':>10} into the encoder's form: {into:.2f}, by FFmpeg {ffmpegs:.2f}")
    say("poses drawn / by an OpenCV call a dash, the worst", max(drawing), most=1.0)
    say("into the encoder's form / by FFmpeg, the worst", max(converting), most=1.0)


if __name__ == "__main__":
    main()
