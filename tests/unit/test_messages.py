"""What the app and a model's process say arrives as it was said, and little is said for it."""

from __future__ import annotations

import pickle
from multiprocessing import Pipe

import numpy as np

from estimators.registry import get
from estimators.runtime.channel import heard
from estimators.runtime.messages import Answer, Ask
from estimators.runtime.sessions import SessionKey
from estimators.types import Estimate, EstimatorOptions, Frame, PoseSet, Timings

_SPEC = get("movenet-multipose")


def test_a_question_arrives_with_every_option() -> None:
    options = EstimatorOptions(video=True, max_people=3, device="cpu")
    frame = Frame(np.zeros((4, 6, 3), np.uint8), 7, 0.25)
    ask = Ask.about(SessionKey("clip", options), frame)
    assert (told := pickle.loads(pickle.dumps(ask))) == ask
    assert (told.key.options, told.height, told.width) == (options, 4, 6)


def test_an_answer_arrives_with_its_arrays_and_names_no_class_for_each() -> None:
    random = np.random.default_rng(0)
    for people in (0, 2):
        xy = random.random((people, 17, 2), np.float32)
        joint, whole = xy[..., 0], xy[:, 0, 1]  # not in one piece
        boxes = random.random((people, 4), np.float32)
        poses = PoseSet(_SPEC.skeleton, xy, joint, pose_score=whole, box_xyxy=boxes)
        said = Answer.of(Estimate(poses, Timings(1.0, 2.0, 3.0), 7, 0.25), _SPEC, 6.5, True)
        told = pickle.loads(packed := pickle.dumps(said))
        assert (told.busy_ms, told.fresh, b"numpy" in packed) == (6.5, True, False)
        estimate = told.estimate(_SPEC)
        assert (estimate.timings_ms, estimate.frame_index) == (Timings(1.0, 2.0, 3.0), 7)
        assert (estimate.time_s, estimate.poses.world_m) == (0.25, None)
        for name in ("xy", "score", "pose_score", "box_xyxy"):
            one, other = getattr(poses, name), getattr(estimate.poses, name)
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            np.testing.assert_array_equal(one, other)


def test_a_message_and_the_end_are_heard_and_silence_is_not() -> None:
    ours, theirs = Pipe()
    assert (heard(ours, 0), heard(ours, 0.001)) == (False, False)
    theirs.send("hello")
    assert heard(ours, None)
    ours.recv()
    assert not heard(ours, 0)
    theirs.close()
    assert heard(ours, 0)
