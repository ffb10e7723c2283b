"""Every variant as data.

Published figures come from the sources named beside them.  Each family was measured on its own test
set, so no two families' figures belong in one column.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from estimators.skeletons import BLAZEPOSE_33, COCO_17
from estimators.specs import ModelSpec, PublishedFigure

_MOVENET_SOURCE = "TensorFlow Lite pose estimation overview"
_BLAZEPOSE_SOURCE = "MediaPipe Pose documentation"
_TORCHVISION_SOURCE = "torchvision weights metadata"
_MOVENET_TEST_SET = "COCO subset cropped to one person"

_MOVENET = ModelSpec(
    key="movenet-lightning",
    title="MoveNet Lightning",
    family="MoveNet",
    variant="Lightning",
    summary="The smallest and fastest: one person, 192×192 input.",
    skeleton=COCO_17,
    score_kind="confidence",
    score_meaning="how sure the model is of the joint's position, 0 to 1; hidden joints are "
    "guessed with a low value",
    score_range=(0.0, 1.0),
    default_threshold=0.3,
    default_pose_threshold=0.2,
    max_people=1,
    runtime="LiteRT (XNNPACK), float16 weights",
    engine="LiteRT",
    # Here and below: what was seen for one variant of each engine.
    expected_mb=150.0,
    stateful=True,
    weights="movenet-lightning",
    adapter="estimators.models.movenet",
    licence="Apache-2.0",
    training_data="COCO keypoints and Google's Active dataset (fitness, dance and yoga clips)",
    limits=(
        "One person: in a group it follows whoever is nearest the centre.",
        "Made for people one to two metres from the camera; far people are missed.",
        "Guesses hidden joints rather than leaving them out.",
    ),
    figures=(
        PublishedFigure("mAP (float16)", 63.0, _MOVENET_TEST_SET, _MOVENET_SOURCE),
        PublishedFigure("AP", 7.3, "COCO val2017, all people (third party)", "PeekingDuck docs"),
    ),
    settings=MappingProxyType({"people": "single", "input_side": 192}),
)

_THUNDER = replace(
    _MOVENET,
    key="movenet-thunder",
    title="MoveNet Thunder",
    variant="Thunder",
    summary="The accurate single-person MoveNet, 256×256 input.",
    weights="movenet-thunder",
    figures=(
        PublishedFigure("mAP (float16)", 72.0, _MOVENET_TEST_SET, _MOVENET_SOURCE),
        PublishedFigure("AP", 11.6, "COCO val2017, all people (third party)", "PeekingDuck docs"),
    ),
    settings=MappingProxyType({"people": "single", "input_side": 256}),
)

_MULTIPOSE = replace(
    _MOVENET,
    key="movenet-multipose",
    title="MoveNet MultiPose",
    variant="MultiPose",
    summary="Up to six people at once, 256-pixel input.",
    max_people=6,
    stateful=False,
    weights="movenet-multipose",
    limits=(
        "At most six people.",
        "Small and far people are missed; a longer input side (MultiPose 512) finds more of them.",
        "Guesses hidden joints rather than leaving them out.",
    ),
    figures=(
        PublishedFigure("AP", 18.7, "COCO val2017, all people (third party)", "PeekingDuck docs"),
    ),
    settings=MappingProxyType({"people": "multi", "input_side": 256}),
)

_MULTIPOSE_512 = replace(
    _MULTIPOSE,
    key="movenet-multipose-512",
    title="MoveNet MultiPose 512",
    variant="MultiPose 512",
    summary="MultiPose with a 512-pixel input: finds more and smaller people for about twice the "
    "time.",
    weights="movenet-multipose-512",
    limits=(
        "At most six people.",
        "Slower than MultiPose at its usual input side.",
        "Misses people who fill the picture, which MultiPose at 256 pixels finds.",
        "Guesses hidden joints rather than leaving them out.",
    ),
    figures=(),
    settings=MappingProxyType({"people": "multi", "input_side": 512}),
    same_weights_as="movenet-multipose",
)


def _tfhub(spec: ModelSpec, weights: str) -> ModelSpec:
    """The same variant on the TF Hub SavedModel that its LiteRT file is made from."""
    return replace(
        spec,
        key=f"{spec.key}-tfhub",
        title=f"{spec.title} (TF Hub)",
        variant=f"{spec.variant} (TF Hub)",
        summary=f"Reference runtime of {spec.title}: the official SavedModel through TensorFlow. "
        "Same answers, slower, several times the memory.",
        runtime="TensorFlow, TF Hub SavedModel",
        engine="TensorFlow",
        expected_mb=1300.0,
        weights=weights,
        reference_of=spec.key,
        same_weights_as=spec.key,
    )


def _blazepose(variant: str, summary: str, figures: tuple[float, ...]) -> ModelSpec:
    sets = ("Yoga", "Dance", "HIIT")
    by_set = zip(sets, zip(figures[::2], figures[1::2], strict=True), strict=True)
    return ModelSpec(
        key=f"blazepose-{variant}",
        title=f"BlazePose {variant}",
        family="BlazePose",
        variant=variant,
        summary=summary,
        skeleton=BLAZEPOSE_33,
        score_kind="visibility",
        score_meaning="how likely the joint is in the picture and not hidden, 0 to 1; it says "
        "nothing about how exact the position is and stays near 0.99 even for unseen joints",
        score_range=(0.0, 1.0),
        default_threshold=0.5,
        default_pose_threshold=0.0,
        max_people=5,
        clip_people=1,  # see the adapter; it is MediaPipe's own default, too
        runtime="MediaPipe Tasks",
        engine="MediaPipe",
        expected_mb=280.0,
        gives_3d=True,
        stateful=True,
        weights=f"blazepose-{variant}",
        adapter="estimators.models.blazepose",
        licence="Apache-2.0",
        training_data="Google's own annotated pictures of one or few people",
        limits=(
            "Follows one person in clips and live video unless asked for more, which is slower.",
            "Made for people two to four metres from the camera, not for crowds.",
            "People close together suppress each other.",
            "Visibility stays near 0.99 even for joints that cannot be seen.",
        ),
        figures=tuple(
            PublishedFigure(metric, value, f"{name} (Google, one person)", _BLAZEPOSE_SOURCE)
            for name, values in by_set
            for metric, value in zip(("mAP", "PCK@0.2"), values, strict=True)
        ),
    )


_RCNN_REFERENCE = ModelSpec(
    key="keypointrcnn-reference",
    title="Keypoint R-CNN reference",
    family="Keypoint R-CNN",
    variant="reference",
    summary="torchvision's ResNet-50 FPN with the library's defaults: many people, slow on a CPU.",
    skeleton=COCO_17,
    score_kind="logit",
    score_meaning="the height of the joint's heat map peak before any normalisation, unbounded; "
    "only its order means something, and only within this model",
    score_range=(-10.0, 40.0),
    default_threshold=0.0,
    default_pose_threshold=0.7,
    max_people=100,
    runtime="PyTorch, torchvision",
    engine="PyTorch",
    expected_mb=900.0,
    stateful=False,
    # It learned COCO's annotations as they are, and we keep torchvision's numbers as they are.
    coco_shift_px=0.0,
    weights="keypointrcnn-coco-v1",
    adapter="estimators.models.keypoint_rcnn",
    licence="BSD-3-Clause (torchvision); trained on COCO",
    training_data="COCO train2017 keypoints",
    limits=(
        "Seconds a frame on a CPU.",
        "Does not tell whether a joint is hidden: every joint always gets a position.",
        "Its score is a logit, so no threshold between 0 and 1 makes sense.",
    ),
    figures=(
        PublishedFigure("keypoint AP", 65.0, "COCO val2017", _TORCHVISION_SOURCE),
        PublishedFigure("box AP", 54.6, "COCO val2017", _TORCHVISION_SOURCE),
    ),
)

_RCNN_FAST = replace(
    _RCNN_REFERENCE,
    key="keypointrcnn-fast",
    title="Keypoint R-CNN fast",
    variant="fast",
    summary="The same weights tuned for a CPU: batch norm folded, channels last, bf16 where the "
    "processor has it, shorter side 480. Answers differ slightly from the reference.",
    figures=(),
    settings=MappingProxyType({"tuned": True, "min_size": 480, "max_size": 800}),
    same_weights_as="keypointrcnn-reference",
)

_POSENET = ModelSpec(
    key="posenet",
    title="PoseNet",
    family="PoseNet",
    variant="MobileNet 0.75, 513",
    summary="Up to ten people at once, 513-pixel input; the family before MoveNet, independent of "
    "all others here.",
    skeleton=COCO_17,
    score_kind="confidence",
    score_meaning="how sure the model is that the joint lies near this place, 0 to 1; hidden "
    "joints are guessed with a low value",
    score_range=(0.0, 1.0),
    default_threshold=0.3,
    default_pose_threshold=0.2,
    max_people=10,
    runtime="LiteRT (XNNPACK), float16 weights",
    engine="LiteRT",
    expected_mb=150.0,
    stateful=False,
    weights="posenet",
    adapter="estimators.models.posenet",
    licence="Apache-2.0",
    training_data="COCO keypoints",
    limits=(
        "At most ten people.",
        "Joints are less exact than those of newer models, most of all in unusual poses.",
        "In crowds limbs go to the wrong person now and then.",
        "Guesses hidden joints rather than leaving them out.",
    ),
    settings=MappingProxyType({"input_side": 513}),
)

_SINGLE_HUB = "tfhub-movenet-singlepose-"
VARIANTS = (
    _MOVENET,
    _THUNDER,
    _MULTIPOSE,
    _MULTIPOSE_512,
    _blazepose(
        "lite", "The smallest BlazePose: 33 joints and 3-D.", (45.0, 90.2, 53.6, 92.5, 53.8, 93.5)
    ),
    _blazepose(
        "full", "The usual BlazePose: 33 joints and 3-D.", (62.6, 95.5, 67.4, 96.3, 68.0, 95.7)
    ),
    _blazepose(
        "heavy", "The most accurate and slowest BlazePose.", (68.1, 96.4, 73.0, 97.2, 74.0, 97.5)
    ),
    _RCNN_REFERENCE,
    _RCNN_FAST,
    _POSENET,
    _tfhub(_MOVENET, f"{_SINGLE_HUB}lightning"),
    _tfhub(_THUNDER, f"{_SINGLE_HUB}thunder"),
    _tfhub(_MULTIPOSE, "tfhub-movenet-multipose-lightning"),
    _tfhub(_MULTIPOSE_512, "tfhub-movenet-multipose-lightning"),
)
