"""Drawing: what is drawn, where, in which colour, and what is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from estimators.registry import MODELS
from estimators.render import draw, style
from estimators.render.draw import Layer, draw_all
from estimators.render.style import PoseStyle, line_width, model_colours, rgb
from estimators.skeletons import BLAZEPOSE_33, COCO_17
from estimators.types import PoseSet

RED = (250, 10, 20)
PAGES: dict[style.Theme, str] = {"light": "#FFFFFF", "dark": "#0E1117"}
PLAIN = PoseStyle(RED, halo=False, points=False)


def grey(height: int = 240, width: int = 320) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 90, np.uint8)


def pose(score: float = 0.9, **joints: tuple[float, float]) -> PoseSet:
    xy = np.full((1, 17, 2), np.nan)
    for joint, position in joints.items():
        xy[0, COCO_17.index(joint)] = position
    return PoseSet(COCO_17, xy, np.full((1, 17), score))


def draw_poses(
    image: NDArray[np.uint8], poses: PoseSet, style: PoseStyle, threshold: float = -np.inf
) -> NDArray[np.uint8]:
    return draw_all(image, [Layer(poses, style, threshold)])


def coloured(image: NDArray[np.uint8], colour: tuple[int, int, int] = RED) -> NDArray[np.bool_]:
    return (np.abs(image.astype(int) - colour) < 40).all(axis=-1)


def test_the_frame_itself_is_not_touched() -> None:
    image = grey()
    image.flags.writeable = False
    drawn = draw_poses(image, pose(left_hip=(50.5, 50), left_knee=(50.5, 150)), PLAIN)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert (image == 90).all()
    assert coloured(drawn).any()


@pytest.mark.parametrize("position", [(40.5, 30.5), (200.5, 99.5), (40.0, 30.0)])
def test_a_joint_is_drawn_around_the_pixel_it_lies_in(position: tuple[float, float]) -> None:
    dot = PoseStyle(RED, halo=False, bones=False)
    drawn = draw_poses(grey(), pose(nose=position), dot)
    rows, columns = np.nonzero(coloured(drawn))
    centre = (columns.mean() + 0.5, rows.mean() + 0.5)  # continuous: centre of pixel c is c + 0.5
    assert centre == pytest.approx(position, abs=0.2)


def test_left_limbs_are_solid_and_right_limbs_dashed() -> None:
    poses = pose(
        left_hip=(100.5, 20.5),
        left_knee=(100.5, 220.5),
        right_hip=(200.5, 20.5),
        right_knee=(200.5, 220.5),
    )
    drawn = coloured(draw_poses(grey(), poses, PLAIN))
    left, right = drawn[21:220, 100], drawn[21:220, 200]
    assert left.all()
    changes = np.count_nonzero(np.diff(right.astype(int)))
    assert changes >= 10
    assert 0.3 < right.mean() < 0.8
    assert right[:2].all()
    assert right[-2:].all()  # a dash at both ends


@pytest.mark.parametrize("variant", range(4))
def test_left_joints_are_filled_and_right_ones_rings(variant: int) -> None:
    poses = pose(left_knee=(100.5, 100.5), right_knee=(200.5, 100.5))
    bold = PoseStyle(RED, halo=False, bones=False, scale=3, variant=variant)
    drawn = draw_poses(grey(), poses, bold)
    assert coloured(drawn)[100, 100]
    assert coloured(drawn, (255, 255, 255))[100, 200]
    assert coloured(drawn)[100, 185:215].any()


def test_variants_of_a_family_differ_in_form_and_in_the_middle_of_their_limbs() -> None:
    limb = pose(left_hip=(40.5, 120.5), left_knee=(280.5, 120.5))
    forms, cores = set(), set()
    for variant in range(4):
        bold = PoseStyle(RED, halo=False, scale=3, variant=variant)
        joints = coloured(draw_poses(grey(), limb, replace(bold, bones=False)))
        forms.add(joints.tobytes())
        bones = draw_poses(grey(), limb, replace(bold, points=False))
        cores.add(bones[120, 60:260].tobytes())
        assert coloured(bones)[118, 60:260].all()  # its colour stays beside what is in the middle
    assert len(forms) == len(cores) == 4


def test_a_bone_across_the_body_is_solid() -> None:
    poses = pose(left_hip=(250.5, 100.5), right_hip=(20.5, 100.5))
    assert coloured(draw_poses(grey(), poses, PLAIN))[100, 21:250].all()


def test_weak_and_absent_joints_take_their_bones_along() -> None:
    poses = pose(left_hip=(100.5, 50), left_knee=(100.5, 150), left_ankle=(100.5, 200))
    score = poses.score.copy()
    score[0, COCO_17.index("left_ankle")] = 0.1
    weak = PoseSet(COCO_17, poses.xy, score)
    drawn = coloured(draw_poses(grey(), weak, PLAIN, threshold=0.5))
    assert drawn[100, 99:101].any()
    assert not drawn[160:].any()


def test_only_the_chosen_joints_are_drawn() -> None:
    poses = pose(left_hip=(100.5, 50), left_knee=(100.5, 150), left_ankle=(100.5, 200))
    chosen = PoseStyle(RED, joints=frozenset({"left_hip", "left_knee"}), halo=False)
    drawn = coloured(draw_poses(grey(), poses, chosen))
    assert drawn[48:152].any()
    assert not drawn[165:].any()


def test_points_bones_and_boxes_can_be_switched_off() -> None:
    poses = pose(left_hip=(100.5, 50), left_knee=(100.5, 150))
    nothing = PoseStyle(RED, points=False, bones=False)
    assert (draw_poses(grey(), poses, nothing) == 90).all()
    boxed = PoseSet(COCO_17, poses.xy, poses.score, box_xyxy=np.array([[40.5, 30.5, 180.5, 200.5]]))
    drawn = coloured(
        draw_poses(grey(), boxed, PoseStyle(RED, bones=False, points=False, boxes=True))
    )
    assert drawn[100, 35:45].any()
    assert drawn[25:35, 100].any()


def test_nobody_and_nan_boxes_draw_nothing() -> None:
    assert (draw_poses(grey(), PoseSet.empty(COCO_17), PLAIN) == 90).all()
    ghost = PoseSet(
        COCO_17, np.full((1, 17, 2), np.nan), np.ones((1, 17)), box_xyxy=np.full((1, 4), np.nan)
    )
    assert (draw_poses(grey(), ghost, PoseStyle(RED, boxes=True)) == 90).all()


def test_a_joint_far_outside_still_points_its_bone_the_right_way() -> None:
    poses = pose(left_hip=(10.5, 120.5), left_knee=(10.5 + 3e6, 120.5))
    drawn = coloured(draw_poses(grey(), poses, PLAIN))
    assert drawn[120, 12:319].all()
    assert not drawn[:115].any()
    beyond = pose(right_hip=(-5e5, -5e5), right_knee=(-4e5, -5e5))
    assert (draw_poses(grey(), beyond, PoseStyle(RED)) == 90).all()


def test_clipping_keeps_the_line() -> None:
    rng = np.random.default_rng(0)
    segments = rng.uniform(-400, 700, (300, 2, 2))
    clipped = draw.clip_segments(segments, 320, 240, margin=0)
    assert (clipped >= -1e-9).all()
    assert (clipped <= np.array([320, 240]) + 1e-9).all()
    share = np.linspace(0, 1, 2001)[:, None]

    def inside(segment: NDArray[np.float64]) -> float:
        points = segment[0] + share * (segment[1] - segment[0])
        hits = ((points >= 0) & (points <= [320, 240])).all(axis=1).mean()
        return float(hits * np.linalg.norm(segment[1] - segment[0]))

    expected = sum(inside(s) for s in segments)
    found = np.linalg.norm(clipped[:, 1] - clipped[:, 0], axis=1).sum()
    assert found == pytest.approx(expected, rel=0.01)


def test_dashes_stay_on_their_segment_and_reach_both_ends() -> None:
    segments = np.array([[[0.0, 0], [100, 0]], [[5, 5], [5, 6]], [[7, 7], [7, 7]]])
    dashes = draw.dash_segments(segments, 6, 15)
    first = dashes[(dashes[:, 0, 1] == 0)]
    assert first[0, 0, 0] == 0
    assert first[-1, 1, 0] == pytest.approx(100)
    np.testing.assert_allclose(first[:, 1, 0] - first[:, 0, 0], 6)
    assert (np.diff(first[:, 0, 0]) > 12).all()
    np.testing.assert_allclose(dashes[-2:], segments[1:])  # shorter than a dash: one piece
    assert draw.dash_segments(segments[:0], 6, 15).shape == (0, 2, 2)


def test_all_models_in_one_picture_in_their_own_colours() -> None:
    first = Layer(pose(left_hip=(60.5, 40), left_knee=(60.5, 200)), PLAIN)
    blue = PoseStyle((10, 20, 250), halo=False, points=False)
    second = Layer(pose(left_hip=(160.5, 40), left_knee=(160.5, 200)), blue)
    drawn = draw_all(grey(), [first, second])
    assert coloured(drawn)[100, 58:62].any()
    assert coloured(drawn, (10, 20, 250))[100, 158:162].any()


def test_the_halo_shows_a_line_on_its_own_colour() -> None:
    image = np.full((240, 320, 3), RED, np.uint8)
    poses = pose(left_hip=(60.5, 40), left_knee=(60.5, 200))
    assert coloured(draw_poses(image, poses, PLAIN)).all()
    rim = draw_poses(image, poses, PoseStyle(RED, points=False))
    assert (rim[100, 55:66] > 230).all(axis=-1).any()


def test_blazepose_with_its_33_joints() -> None:
    rng = np.random.default_rng(0)
    poses = PoseSet(BLAZEPOSE_33, rng.uniform(20, 200, (2, 33, 2)), np.ones((2, 33)))
    assert coloured(draw_poses(grey(), poses, PLAIN)).sum() > 500


def test_lines_grow_with_the_frame_and_shrink_for_far_people() -> None:
    assert [line_width(w, h) for w, h in ((320, 240), (640, 480), (1920, 1080), (3840, 2160))] == [
        1,
        3,
        7,
        14,
    ]
    assert line_width(1920, 1080, person_side=60) == 2
    assert line_width(10, 10) == 1


@pytest.mark.parametrize(("theme", "page"), list(PAGES.items()))
def test_every_shade_has_contrast_with_the_page(theme: style.Theme, page: str) -> None:
    families = {spec.family for spec in MODELS.values()}
    for family in families:
        for shade in range(4):
            assert contrast(style.family_colour(family, shade, theme), page) >= 3


def contrast(a: str, b: str) -> float:
    """WCAG 2.2 contrast ratio."""

    def luminance(colour: str) -> float:
        c = np.array(rgb(colour)) / 255
        linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


def test_a_model_keeps_its_family_colour_and_a_second_variant_gets_a_shade() -> None:
    colours = model_colours(["movenet-lightning", "blazepose-full", "movenet-thunder"])
    assert colours["movenet-lightning"] == "#0072B2"
    assert colours["blazepose-full"] == "#D55E00"
    assert len(set(colours.values())) == 3
    alone = model_colours(["movenet-thunder"])
    assert alone["movenet-thunder"] == "#0072B2"
    assert len(set(model_colours(list(MODELS)[:4]).values())) == 4


def test_colours_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="#0072B2"):
        rgb("blue")
