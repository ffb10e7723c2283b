"""People out of PoseNet's maps, and their way back into frames of any shape; no network needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.models.posenet import PoseNetEstimator
from estimators.models.posenet_decoding import TREE, Maps, decode
from estimators.skeletons import COCO_17
from estimators.types import Frame

CELLS, SIDE = 33, 513
NOSE, HIP = COCO_17.index("nose"), COCO_17.index("left_hip")
# A person upright: (x, y) of each joint around the nose, in canvas pixels.
_RIGHT = [(6, -6), (12, -3), (25, 35), (38, 80), (42, 120), (16, 125), (18, 190), (18, 250)]
UPRIGHT = np.float32([(0, 0), *(each for x, y in _RIGHT for each in ((x, y), (-x, y)))])


def at(x: float, y: float, scale: float = 1.0) -> NDArray[np.float32]:
    """Somebody upright whose nose is there."""
    return np.asarray(np.add(UPRIGHT * scale, (x, y)), np.float32)


def maps_of(*people: tuple[NDArray[np.float32], float]) -> Maps:
    """What a perfect network would say of people [17, 2] with the height of their peaks."""
    grid = np.stack(np.meshgrid(*[np.arange(CELLS) * 16.0] * 2), axis=-1)
    heat = np.full((CELLS, CELLS, 17), -9.0)
    offsets = np.zeros((CELLS, CELLS, 17, 2))
    ways = np.zeros((2, CELLS, CELLS, 16, 2))
    nearest = np.full((CELLS, CELLS, 17), np.inf)
    for xy, peak in people:
        distance = np.linalg.norm(grid[:, :, None] - xy, axis=-1)
        mine = distance < nearest
        nearest = np.where(mine, distance, nearest)
        offsets = np.where(mine[..., None], xy - grid[:, :, None], offsets)
        heat = np.where(mine & (distance < 40), np.log(peak / (1 - peak)) - distance / 8, heat)
        for edge, (parent, child) in enumerate(TREE):
            for way, near, far in ((0, parent, child), (1, child, parent)):
                ways[way, :, :, edge] = np.where(
                    mine[..., near, None], xy[far] - xy[near], ways[way, :, :, edge]
                )
    channels = [np.concatenate([m[..., 1], m[..., 0]], axis=-1) for m in (offsets, *ways)]
    raw = [np.asarray(m, np.float32) for m in (heat, *channels)]
    return Maps.of_network(SIDE, *raw)


def test_two_people_come_back_strongest_first() -> None:
    left, right = at(150.3, 60.7), at(330.9, 110.2)
    xy, score, pose_score = decode(maps_of((left, 0.7), (right, 0.9)), 10)
    assert xy == pytest.approx(np.stack([right, left]), abs=0.01)
    assert (score[0] > score[1]).all()
    assert pose_score == pytest.approx(score.mean(axis=1))


def test_limbs_go_to_their_own_person_where_people_cross() -> None:
    near, far = at(240, 60), at(290, 100, 0.8)
    xy, _, _ = decode(maps_of((near, 0.9), (far, 0.8)), 10)
    assert np.linalg.norm(xy - np.stack([near, far]), axis=-1).max() < 8


def test_the_tree_is_walked_from_any_joint() -> None:
    """Only the hip peaks: everything else is found by the displacements."""
    person = at(240, 80)
    maps = maps_of((person, 0.9))
    maps.score[..., [k for k in range(17) if k != HIP]] *= 0.4
    xy, score, pose_score = decode(maps, 10)
    assert xy[0] == pytest.approx(person, abs=0.01)
    assert score[0].argmax() == HIP
    assert pose_score[0] == pytest.approx(score[0].mean())


def test_a_weak_peak_starts_nobody() -> None:
    for peak, people in ((0.55, 1), (0.49, 0)):
        assert len(decode(maps_of((np.rint(at(240, 80) / 16) * 16, peak)), 10)[0]) == people


def test_no_more_people_than_asked_for() -> None:
    two = maps_of((at(150, 60), 0.7), (at(330, 110), 0.9))
    assert len(decode(two, 1)[0]) == 1


def test_a_second_peak_on_somebodys_joint_starts_nobody_else() -> None:
    """Two peaks of the nose 18 pixels apart are one person, 48 pixels apart two."""
    for cells, people in ((1, 1), (3, 2)):
        maps = maps_of((np.rint((at(240, 80)) / 16) * 16, 0.9))
        row, column = maps.cell(np.float32([240, 80]))
        maps.score[row, column + cells, NOSE] = maps.score[row, column, NOSE]
        maps.position[row, column + cells, NOSE] = maps.position[row, column, NOSE] + (
            18 if cells == 1 else 48,
            0,
        )
        assert len(decode(maps, 10)[0]) == people


def test_what_the_cells_around_say_is_averaged() -> None:
    person = np.rint((at(240, 80)) / 16) * 16
    maps = maps_of((person, 0.9))
    row, column = maps.cell(person[HIP])
    maps.position[row, column, HIP] += 6
    (found,), _, _ = decode(maps, 10)
    moved = found[HIP] - person[HIP]
    assert (moved > 0.5).all()
    assert (moved < 5).all()
    maps.score[row - 2 : row + 3, column - 2 : column + 3, HIP] = 0
    assert decode(maps, 10)[0][0][HIP] == pytest.approx(person[HIP] + 6)


class BrightSpot:
    """A network that sees every joint of one person in the middle of the bright pixels."""

    side = SIDE

    def run(self, canvas: NDArray[np.uint8]) -> Maps:
        rows, columns = np.nonzero(canvas[..., 0] > 128)
        # Its origin lies a quarter of a pixel from the corner, as the real one's does.
        middle = np.float32([columns.mean() + 0.5, rows.mean() + 0.5]) - 0.25
        return maps_of((np.tile(middle, (17, 1)), 0.9))


@pytest.mark.parametrize("shape", [(300, 900), (900, 300), (513, 513), (97, 61), (1080, 1921)])
def test_a_bright_spot_and_its_joint_land_together(shape: tuple[int, int]) -> None:
    height, width = shape
    image = np.zeros((height, width, 3), np.uint8)
    spot = max(shape) // 12
    left, top = round(width * 0.62), round(height * 0.27)
    image[top : top + spot, left : left + spot] = 255
    network: Any = BrightSpot()
    poses = PoseNetEstimator(network, 1).estimate(Frame(image)).poses
    expected = np.array([left + spot / 2, top + spot / 2])
    # Half a pixel of the network's input.
    assert np.abs(poses.xy[0] - expected).max() < 0.5 * max(shape) / SIDE
