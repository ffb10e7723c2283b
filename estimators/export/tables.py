"""Tidy tables of what the models said; docs/formats.md describes every column.

pandas is imported inside the functions: it takes a third of a second that the command line's other
commands need not pay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from estimators.analysis.clip import NOBODY, TIMINGS, ClipEstimates
from estimators.analysis.figures import Figure
from estimators.analysis.over_time import AgreementOverTime
from estimators.registry import get

if TYPE_CHECKING:
    import pandas as pd

JOINT_COLUMNS = (
    "model",
    "file",
    "frame_index",
    "time_s",
    "person",
    "identity",
    "joint",
    "x_px",
    "y_px",
    "score",
    "score_kind",
    "pose_score",
    "world_x_m",
    "world_y_m",
    "world_z_m",
)
SUMMARY_COLUMNS = (
    *("file", "model", "other_model", "person", "joint", "frame_index", "time_s"),
    *("figure", "value", "unit"),
)
AGREEMENT_COLUMNS = ("file", "model", "other_model", "person", "frame_index", "time_s", "oks")
SMOOTHED_COLUMNS = JOINT_COLUMNS[: JOINT_COLUMNS.index("score")]
FRAME_COLUMNS = (
    *("model", "file", "frame_index", "time_s", "people", "returned", *TIMINGS),
    *("restarted", "busy", "device", "error"),
)


def joint_table(estimates: Sequence[ClipEstimates]) -> pd.DataFrame:
    """One row a model × file × frame × person × joint, columns `JOINT_COLUMNS`.

    Nothing is thresholded: people and joints are all there, with their scores.  A frame in which
    nobody was found has no row here but one in `frame_table`.

    Raises:
        InputError: an estimate's model is not in the registry.
    """
    return _stack([_joint_columns(e) for e in estimates], JOINT_COLUMNS)


def smoothed_table(
    estimates: Sequence[ClipEstimates], smoothed: Mapping[str, NDArray[np.floating]]
) -> pd.DataFrame:
    """The joints that are not hidden after the One Euro filter, columns `SMOOTHED_COLUMNS`.

    Args:
        smoothed: by model, [P, K, 2] like `xy`; NaN where hidden.

    Raises:
        InputError: an estimate's model is not in the registry.
    """
    parts = []
    for e in estimates:
        columns = _joint_columns(e)
        xy = smoothed[e.model]
        columns["x_px"], columns["y_px"] = xy[..., 0].ravel(), xy[..., 1].ravel()
        seen = np.isfinite(columns["x_px"])
        parts.append({name: columns[name][seen] for name in SMOOTHED_COLUMNS})
    return _stack(parts, SMOOTHED_COLUMNS)


def frame_table(estimates: Sequence[ClipEstimates]) -> pd.DataFrame:
    """One row a model × file × frame, columns `FRAME_COLUMNS`: people, time a stage, errors.

    `people` are those who count as found (`ClipEstimates.found`), `returned` all of them.
    """
    return _stack([_frame_columns(e) for e in estimates], FRAME_COLUMNS)


def summary_table(figures: Iterable[Figure]) -> pd.DataFrame:
    """One row a figure, columns `SUMMARY_COLUMNS`; unknown is missing."""
    import pandas as pd

    rows = [[getattr(figure, name) for name in SUMMARY_COLUMNS] for figure in figures]
    table = pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))
    for name in ("file", "model", "other_model", "joint"):
        table[name] = table[name].replace("", None).astype(object)
    for name in ("person", "frame_index"):
        table[name] = table[name].astype("Int64")
    return table.astype({"time_s": np.float64, "value": np.float64})


def agreement_table(file: str, over_time: AgreementOverTime) -> pd.DataFrame:
    """One row a frame, person and pair of models that is judged, columns `AGREEMENT_COLUMNS`."""
    import pandas as pd

    t, p, q = np.nonzero(np.isfinite(over_time.oks.transpose(2, 0, 1)))
    models, others = zip(*over_time.pairs, strict=True) if over_time.pairs else ((), ())
    values = (
        _constant(file, len(t)),
        _names(models, q),
        _names(others, q),
        np.array(over_time.people, np.int64)[p],
        over_time.frame_index[t],
        over_time.time_s[t],
        over_time.oks[p, q, t],
    )
    return pd.DataFrame(dict(zip(AGREEMENT_COLUMNS, values, strict=True)))


def _joint_columns(e: ClipEstimates) -> dict[str, Any]:
    k = len(e.skeleton)
    rows = e.person_count * k
    frame = np.repeat(e.frame_of, k)
    identity = np.repeat(e.identity, k)
    world = np.full((rows, 3), np.nan, np.float32)
    if e.world_m is not None:
        world = e.world_m.reshape(rows, 3)
    xy = e.xy.reshape(rows, 2)
    joint = np.tile(np.arange(k), e.person_count)
    values = (
        _constant(e.model, rows),
        _constant(e.file, rows),
        e.frame_index[frame],
        e.time_s[frame],
        np.repeat(e.person_of, k),
        _nullable(identity, identity == NOBODY),
        _category(joint, e.skeleton.joints),
        xy[:, 0],
        xy[:, 1],
        e.score.reshape(rows),
        _constant(get(e.model).score_kind, rows),
        np.repeat(e.pose_score, k),
        *world.T,
    )
    return dict(zip(JOINT_COLUMNS, values, strict=True))


def _frame_columns(e: ClipEstimates) -> dict[str, Any]:
    rows, found = len(e), e.found
    error = np.full(rows, "", object)
    for row, message in e.errors.items():
        error[row] = message
    values = (
        _constant(e.model, rows),
        _constant(e.file, rows),
        e.frame_index,
        e.time_s,
        _nullable(np.zeros(rows) if found is None else found, e.failed | (found is None)),
        e.people,
        *e.timings_ms.T,
        e.restarted,
        e.busy,
        _names(e.device, np.arange(rows)),
        error,
    )
    return dict(zip(FRAME_COLUMNS, values, strict=True))


def _stack(parts: list[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd
    from pandas.api.types import union_categoricals

    joined = {}
    for name in columns:
        values = [part[name] for part in parts]
        if not values:
            joined[name] = pd.Series([], dtype=object)
        elif isinstance(values[0], pd.Categorical):
            joined[name] = pd.Series(union_categoricals(values))
        else:
            joined[name] = pd.concat([pd.Series(v) for v in values], ignore_index=True)
    return pd.DataFrame(joined, columns=list(columns))


def _constant(value: str, rows: int) -> Any:
    return _category(np.zeros(rows, np.intp), [value])


def _category(codes: Any, names: Sequence[str]) -> Any:
    import pandas as pd

    # Names repeat in every row: as categories they cost a byte or two each instead of a string.
    smallest = np.min_scalar_type(-max(1, len(names)))
    return pd.Categorical.from_codes(codes.astype(smallest), categories=list(names))


def _names(of_pairs: Sequence[str], rows: NDArray[np.int64]) -> Any:
    names, codes = np.unique(np.array(of_pairs, object), return_inverse=True)
    return _category(codes[rows], names.tolist())


def _nullable(values: Any, missing: Any) -> Any:
    import pandas as pd

    return pd.arrays.IntegerArray(values.astype(np.int64), missing.copy())
