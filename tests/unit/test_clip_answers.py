"""One model's answers to a clip come back from their file as they were, bit by bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from estimators.analysis.clip import ClipEstimates
from estimators.devices import Placement
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import open_clip
from estimators.registry import get
from estimators.types import Estimate, PoseSet, Timings
from estimators.workflows.clip.answers import ClipAnswers, MergedClipJob, unpacked
from estimators.workflows.clip.run import ClipSettings

SAMPLES = Path(__file__).parents[2] / "sample_media"
FOLLOWS, MANY = "blazepose-full", "movenet-multipose"
GPU = Placement("cuda:0", "it works", "a GPU", "float16, float32", 8)
ARRAYS = ("frame_index", "time_s", "offsets", "timings_ms", "xy", "score", "pose_score")
ARRAYS += ("box_xyxy", "world_m", "failed", "busy", "restarted")


@pytest.fixture(scope="module")
def clip() -> ClipInfo:
    return open_clip(SAMPLES / "street.mp4")


def poses(model: str, people: int, seed: int) -> PoseSet:
    noise, skeleton = np.random.default_rng(seed), get(model).skeleton
    k = len(skeleton)
    xy = noise.normal(100, 50, (people, k, 2)).astype(np.float32)
    score = noise.random((people, k), np.float32)
    xy[:, 3], score[:, 3] = np.nan, 0.0  # a joint that is absent
    more: dict[str, np.ndarray] = {"pose_score": noise.random(people, np.float32)}
    if model == MANY:
        more["box_xyxy"] = noise.normal(100, 50, (people, 4)).astype(np.float32)
    else:
        more["world_m"] = noise.normal(0, 1, (people, k, 3)).astype(np.float32)
        del more["pose_score"]
    return PoseSet(skeleton, xy, score, **more)


def estimates(model: str, clip: ClipInfo, frames: int = 12) -> ClipEstimates:
    """Frames with and without people, some failed, one after a restart, on two devices."""
    found = ClipEstimates(model, get(model).skeleton, clip.name, (clip.width, clip.height))
    for i in range(frames):
        index, time_s = i, float(clip.timestamps_s[i])
        found.computed(Placement() if i < 5 else GPU)
        if i in (0, 7):
            found.append_failed(index, time_s, f"It is {i}: “too dark”.")
            continue
        timings = Timings(0.1 * i, 1 / 3 + i, 0.7)
        estimate = Estimate(poses(model, i % 4, i), timings, index, time_s)
        found.append(estimate, 0.3 * i, np.nan if i == 4 else 1.1, i == 8, i % 2 == 0)
    return found


def require_equal(one: ClipEstimates, other: ClipEstimates) -> None:
    for name in ARRAYS:
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None), name
        assert a is None or (a.dtype == b.dtype and a.tobytes() == b.tobytes()), name
    for name in ("model", "file", "size", "errors", "restarts", "placements", "device"):
        assert getattr(one, name) == getattr(other, name), name


@pytest.mark.parametrize("model", [FOLLOWS, MANY])
@pytest.mark.parametrize("frames", [0, 1, 12])
def test_answers_come_back_as_they_were(model: str, frames: int, clip: ClipInfo) -> None:
    given = ClipAnswers(estimates(model, clip, frames), "It ends early.", 123.4, 5.6)
    back = unpacked(given.packed(), get(model), clip)
    require_equal(given.estimates, back.estimates)
    assert (back.error, back.memory_mb, back.elapsed_s) == ("It ends early.", 123.4, 5.6)


def test_they_belong_to_the_content_whatever_the_clip_was_called(clip: ClipInfo) -> None:
    given = ClipAnswers(estimates(MANY, clip)).packed()
    assert unpacked(given, get(MANY), replace(clip, name="b.mp4")).estimates.file == "b.mp4"


def test_damage_is_noticed(clip: ClipInfo) -> None:
    content = bytearray(ClipAnswers(estimates(MANY, clip)).packed())
    for damaged in (content[:-40], b"", b"PK", content[:200] + bytes(200) + content[400:]):
        with pytest.raises(ValueError, match="are damaged"):
            unpacked(bytes(damaged), get(MANY), clip)


def test_answers_of_several_models_are_one_job(clip: ClipInfo) -> None:
    end_s = float(clip.timestamps_s[11])
    settings = ClipSettings((FOLLOWS, MANY), end_s=end_s)
    parts: dict[str, bytes | str] = {
        FOLLOWS: ClipAnswers(estimates(FOLLOWS, clip), "", 50.0, 2.0).packed(),
        MANY: ClipAnswers(estimates(MANY, clip), "", None, 3.0).packed(),
    }
    job = MergedClipJob(clip, settings, parts)
    assert list(job.outcomes()) == []
    assert (job.state, job.ran, job.failures) == ("done", settings.models, {FOLLOWS: 2, MANY: 2})
    assert (job.progress.done, job.progress.total) == (12, 12)
    assert (job.memory_mb, job.progress.elapsed_s) == ({FOLLOWS: 50.0}, 5.0)
    require_equal(job.estimates[MANY], estimates(MANY, clip))

    lost = MergedClipJob(clip, settings, {**parts, MANY: "Its workers were lost."})
    list(lost.outcomes())
    assert lost.failures == {FOLLOWS: 2, MANY: 12}
    assert set(lost.estimates[MANY].errors.values()) == {"Its workers were lost."}
    assert lost.estimates[MANY].frame_index.tolist() == list(range(12))
