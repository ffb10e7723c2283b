"""What each two models both show in a clip: whom, how alike, and on whom families agree."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.agreement import PairMatches
from estimators.analysis.clip import ClipEstimates
from estimators.analysis.pairing import same_rows_oks
from estimators.analysis.thresholds import ShownClip
from estimators.analysis.voices import AGREED_OKS
from estimators.registry import voice


def agreed_sightings(
    clips: Mapping[str, ShownClip], identities: Mapping[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.int64]]:
    """Who is agreed on in which frame, a model: `agreed_members` of a clip.

    Args:
        clips: what each model shows of one clip.
        identities: `shared_identities`, [Q] a model.

    Returns:
        One number for each person and frame, the same in all models; sorted, each once.
    """
    out = {model: np.zeros(0, np.int64) for model in clips}
    for a, b in combinations(clips, 2):
        if voice(a) == voice(b):
            continue
        who, i, j = _shared_sightings(clips, identities, a, b)
        agreed = who[same_rows_oks(clips[a], clips[b], i, j) >= AGREED_OKS]
        out[a], out[b] = np.union1d(out[a], agreed), np.union1d(out[b], agreed)
    return out


def _shared_sightings(
    clips: Mapping[str, ShownClip], identities: Mapping[str, NDArray[np.int64]], a: str, b: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """A number for each person and frame that both see, and its row in either."""
    most = max(int(i.max(initial=0)) for i in identities.values())  # people count from 1
    number = {
        m: clips[m].clip.frame_index[clips[m].frame_of] * most + identities[m] for m in (a, b)
    }
    return np.intersect1d(number[a], number[b], return_indices=True)


def clip_matches(
    clips: Mapping[str, ShownClip], identities: Mapping[str, NDArray[np.int64]]
) -> dict[tuple[str, str], PairMatches]:
    """What each two models both show in the frames that both answered.

    Args:
        clips: what each model shows of one clip.
        identities: `shared_identities`, [Q] a model.
    """
    index = {model: s.clip.frame_index[s.frame_of] for model, s in clips.items()}
    out = {}
    for a, b in combinations(clips, 2):
        one, other = clips[a], clips[b]
        _, i, j = _shared_sightings(clips, identities, a, b)
        oks = same_rows_oks(one, other, i, j)
        only_a = _unmatched(index[a], i, other.clip)
        only_b = _unmatched(index[b], j, one.clip)
        out[a, b] = PairMatches.of(oks, one.xy[i], other.xy[j], only_a, only_b)
    return out


def _unmatched(frames: NDArray[np.int64], matched: NDArray[np.int64], other: ClipEstimates) -> int:
    """Sightings, in these frames, of people whom the other model could have shown and did not."""
    alone = np.ones(len(frames), np.bool_)
    alone[matched] = False
    able = other.frame_index[~other.failed & ~other.full]
    return int((alone & np.isin(frames, able)).sum())
