"""Two models' people matched in every frame of a clip at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.matching import (
    DEFAULT_MIN_OKS,
    assign,
    joint_similarity,
    mean_similarity,
)
from estimators.analysis.thresholds import ShownClip

# Pairs of people compared at once; bounds the memory of crowded clips to some tens of megabytes.
_PAIRS_AT_A_TIME = 50_000


@dataclass(frozen=True, eq=False)
class PairOverTime:
    """The people that two models both found, over a clip: R matches, in order of time.

    Attributes:
        model_a, model_b: keys.
        frame_index: int64 [R], the frame of each match.
        a, b: int64 [R], the person's row in each model's `ShownClip`.
        oks: float64 [R].
    """

    model_a: str
    model_b: str
    frame_index: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    oks: NDArray[np.float64]


def match_clips(a: ShownClip, b: ShownClip, min_oks: float = DEFAULT_MIN_OKS) -> PairOverTime:
    """Matches the people of two models in every frame both answered, as `group_people` does."""
    _, frames_a, frames_b = np.intersect1d(
        a.clip.frame_index, b.clip.frame_index, return_indices=True
    )
    rows_a, rows_b, owner = _all_pairs(a, b, frames_a, frames_b)
    oks = _oks(a, b, rows_a, rows_b)
    kept = _best(oks, owner, b.people[frames_b], min_oks)
    rows_a, rows_b, oks = rows_a[kept], rows_b[kept], oks[kept]
    return PairOverTime(
        a.clip.model,
        b.clip.model,
        a.clip.frame_index[a.frame_of[rows_a]],
        rows_a,
        rows_b,
        oks,
    )


def match_all(
    clips: Mapping[str, ShownClip], min_oks: float = DEFAULT_MIN_OKS
) -> list[PairOverTime]:
    """Every pair of models of one clip."""
    return [match_clips(clips[a], clips[b], min_oks) for a, b in combinations(clips, 2)]


def _all_pairs(
    a: ShownClip, b: ShownClip, frames_a: NDArray[np.int64], frames_b: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every person of `a` with every one of `b` in the same frame: rows, rows, which frame."""
    width = b.people[frames_b]
    count = a.people[frames_a] * width
    owner = np.repeat(np.arange(len(count)), count)
    order = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    rows_a = a.offsets[frames_a][owner] + order // width[owner]
    rows_b = b.offsets[frames_b][owner] + order % width[owner]
    return rows_a, rows_b, owner


def _oks(
    a: ShownClip, b: ShownClip, rows_a: NDArray[np.int64], rows_b: NDArray[np.int64]
) -> NDArray[np.float64]:
    out = np.empty(len(rows_a))
    for start in range(0, len(rows_a), _PAIRS_AT_A_TIME):
        part = slice(start, start + _PAIRS_AT_A_TIME)
        out[part] = same_rows_oks(a, b, rows_a[part], rows_b[part])
    return out


def same_rows_oks(
    a: ShownClip, b: ShownClip, i: NDArray[np.int64], j: NDArray[np.int64]
) -> NDArray[np.float64]:
    """OKS of the people in rows `i` of one model and rows `j` of another, one to one."""
    area = np.sqrt(a.area[i] * b.area[j])
    return mean_similarity(joint_similarity(a.xy[i], b.xy[j], area))


def _best(
    oks: NDArray[np.float64],
    owner: NDArray[np.int64],
    width: NDArray[np.int64],
    min_oks: float,
) -> NDArray[np.int64]:
    """Indices into `oks` of the pairs that the Hungarian method keeps, frame by frame."""
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    sizes = np.diff(np.append(starts, len(owner)))
    single = starts[sizes == 1]  # one person in both: most frames of most clips
    kept = [single[oks[single] >= min_oks]]
    for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
        columns = int(width[owner[start]])
        matrix = oks[start : start + size].reshape(-1, columns)
        pairs = assign(matrix, min_oks)
        kept.append(np.array([start + i * columns + j for i, j in pairs], np.int64))
    return np.sort(np.concatenate(kept))
