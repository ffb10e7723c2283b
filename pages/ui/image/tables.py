"""The numbers of a comparison as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from estimators.analysis.agreement import joint_agreement
from estimators.analysis.figures import UNITS
from estimators.analysis.matching import PersonGroup
from estimators.registry import MODELS, ModelSpec
from estimators.runtime.api import ModelStatus, RunResult
from estimators.skeletons import COCO_17
from pages.ui.colours import faint
from pages.ui.columns import meaning
from pages.ui.image.comparison import Comparison
from pages.ui.viewer.panels import JointRef

if TYPE_CHECKING:  # pandas takes a third of a second: loaded when the first table is shown
    import pandas as pd
    from pandas.io.formats.style import Styler

POSITION, DISTANCE, SCORE = ("x, px", "y, px"), "apart, torsos", "score"
DEVICE, MEASURED = "device", "measured"
_DECIMALS = {f"{SCORE}, {kind}": n for kind, n in (("confidence", 2), ("visibility", 2))}
_DECIMALS |= {DISTANCE: 2}
_DOUBT = "background-color: #FFE14D59"  # yellow, as on the picture
# In torso lengths: from where on a joint counts as wrong in PCK@0.2, and a limb's width and more.
TINTS = ((0.2, "#D33A3A33"), (0.5, "#D33A3A80"))
_PICKED = "background-color: #7C5CFF40; font-weight: 700"  # violet, as what is chosen elsewhere
PICKED = "▸ "
_BETWEEN = "between the two"


def joint_names(comparison: Comparison) -> list[str]:
    """The joints that all models share first, then those that only some have."""
    names = dict.fromkeys(COCO_17.joints)
    for spec in comparison.specs:
        names |= dict.fromkeys(spec.skeleton.joints)
    return list(names)


def joint_table(comparison: Comparison, person: int) -> pd.DataFrame:
    """Score, position and distance from the other models of every joint of one person.

    Args:
        person: index into `comparison.groups`.

    Returns:
        One row a joint; columns (model title, quantity) for the models that found this person.
        Two models are as far from each other as the other way round: that column stands once.
    """
    import pandas as pd

    group = comparison.groups[person]
    apart = joint_agreement(comparison.shown, comparison.groups)
    columns: dict[tuple[str, str], pd.Series] = {}
    specs = [spec for spec in comparison.specs if spec.key in group.members]
    for spec in specs:
        poses, who = comparison.people[spec.key], group.members[spec.key]
        joints = list(spec.skeleton.joints)
        columns[spec.title, score_column(spec)] = pd.Series(poses.score[who], joints)
        for axis, name in enumerate(POSITION):
            columns[spec.title, name] = pd.Series(poses.xy[who, :, axis], joints)
        far = pd.Series(apart[spec.key][person], COCO_17.joints)
        if len(specs) != 2:
            columns[spec.title, DISTANCE] = far
        elif spec is specs[-1] and specs[0].family != spec.family:
            columns[_BETWEEN, DISTANCE] = far
    table = pd.DataFrame(columns).reindex(joint_names(comparison))
    table.index = [plain(joint) for joint in table.index]
    table.index.name = "joint"
    return table


def score_column(spec: ModelSpec) -> str:
    """The heading of the model's own scores of the joints."""
    return f"{SCORE}, {spec.score_kind}"


def column_meanings(comparison: Comparison, table: pd.DataFrame) -> dict[Any, Any]:
    """What each column of a `joint_table` means; the joint's name stays while others scroll."""
    scores = {(s.title, score_column(s)): s for s in comparison.specs}
    config: dict[Any, Any] = {"_index": st.column_config.TextColumn(pinned=True)}
    for at, column in enumerate(table.columns, 1):
        spec = scores.get(column)
        text = meaning(column[1])
        if spec is not None:
            text = f"{spec.title}'s own {spec.score_kind} of each joint: {spec.score_meaning}."
        config[at] = st.column_config.Column(help=text)
    return config


def styled(
    comparison: Comparison, table: pd.DataFrame, person: int, picked: JointRef | None = None
) -> Styler:
    """A `joint_table` with its decimals and colours.

    Joints under their threshold are grey, doubts yellow, large distances red (`TINTS`), and the
    row of the picked joint is violet.
    """
    css = np.full(table.shape, "", dtype=object)
    rows = {joint: row for row, joint in enumerate(table.index)}
    for spec in comparison.specs:
        columns = np.flatnonzero(table.columns.get_level_values(0) == spec.title)
        if len(columns):
            scores = table[spec.title, score_column(spec)].to_numpy()
            weak = np.flatnonzero(scores < comparison.settings.joint_threshold(spec.key))
            css[np.ix_(weak, columns)] = f"color: {faint()}"
            doubts = {plain(j) for n, j, _ in comparison.doubts(spec.key) if n == person + 1}
            doubted = np.array([rows[joint] for joint in doubts if joint in rows], np.int64)
            css[np.ix_(doubted, columns)] = _DOUBT
    if picked is not None and picked.person == person + 1 and plain(picked.joint) in rows:
        css[rows[plain(picked.joint)]] = _PICKED
        table = table.rename({plain(picked.joint): PICKED + plain(picked.joint)})
    for at, column in enumerate(table.columns):
        if column[1] == DISTANCE:
            for least, colour in TINTS:
                css[table[column].to_numpy() >= least, at] = f"background-color: {colour}"
    written = {column: f"{{:.{_DECIMALS.get(column[1], 1)}f}}" for column in table.columns}
    return table.style.apply(lambda _: css, axis=None).format(written, na_rep="–")


def joint_in_words(comparison: Comparison, person: int, joint: str) -> str:
    """What every model that found the person says about one joint, as Markdown.

    Args:
        person: index into `comparison.groups`.
    """
    group = comparison.groups[person]
    said = []
    for spec in comparison.specs:
        if spec.key in group.members and joint in spec.skeleton.joints:
            poses, who, k = (
                comparison.people[spec.key],
                group.members[spec.key],
                spec.skeleton.index(joint),
            )
            x, y = poses.xy[who, k]
            said.append(
                f"{spec.title}: {spec.score_kind} {poses.score[who, k]:.2f} at {x:.0f}, {y:.0f} px"
            )
    return f"**{plain(joint)} of person {person + 1}** · " + " · ".join(said)


def people_table(comparison: Comparison) -> pd.DataFrame:
    """Who is whom: one row a person, the score each model gives them, and their OKS.

    A model that did not find the person has an empty cell.
    """
    import pandas as pd

    scores = {
        f"{spec.title}, person score": [
            _person_score(comparison, spec.key, g) for g in comparison.groups
        ]
        for spec in comparison.specs
    }
    table = pd.DataFrame(scores | {"agreement, OKS": [g.mean_oks for g in comparison.groups]})
    table.index = [f"Person {n}" for n in range(1, len(table) + 1)]
    return table


def _person_score(comparison: Comparison, model: str, group: PersonGroup) -> float:
    scores = comparison.people[model].pose_score
    if scores is None or model not in group.members:
        return float("nan")
    return float(scores[group.members[model]])


def costs(
    comparison: Comparison, statuses: Sequence[ModelStatus]
) -> dict[str, dict[str, float | None]]:
    """What one estimate of this picture cost and what the model costs to have, by model.

    Each by the name it has in the exported figures.
    """
    out: dict[str, dict[str, float | None]] = {}
    for spec in comparison.specs:
        result = comparison.results[spec.key]
        status = _status_of(spec.key, result, statuses)
        timings = result.estimate.timings_ms
        out[spec.key] = {
            "preprocess": timings.preprocess,
            "inference": timings.inference,
            "postprocess": timings.postprocess,
            "latency": timings.total,
            "latency_least": result.least_ms,
            "latency_most": result.most_ms,
            "transport": result.transport_ms,
            "first_call": status.first_call_ms if status else None,
            "load": status.load_s if status else None,
            "memory": status.memory_mb if status else None,
            "memory_peak": status.peak_mb if status else None,
        }
    return out


def _status_of(
    model: str, result: RunResult, statuses: Sequence[ModelStatus]
) -> ModelStatus | None:
    """Of the place that answered: a model may be on the CPU and on a GPU for two viewers."""
    own = [status for status in statuses if status.model == model]
    there = [s for s in own if s.placement and s.placement.device == result.placement.device]
    return next(iter([*there, *own]), None)


def cost_table(comparison: Comparison, statuses: Sequence[ModelStatus]) -> pd.DataFrame:
    """`costs` with one row a model."""
    import pandas as pd

    names = {
        "latency": "total",
        "latency_least": "least",
        "latency_most": "most",
        "first_call": "first call",
        "memory_peak": "peak",
    }
    rows = {
        MODELS[model].title: {
            f"{names.get(name, name)}, {UNITS[name]}": value for name, value in cost.items()
        }
        for model, cost in costs(comparison, statuses).items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index", dtype=float)
    table[DEVICE] = [comparison.results[spec.key].placement.computed for spec in comparison.specs]
    table[MEASURED] = [measured(comparison.results[spec.key]) for spec in comparison.specs]
    return table


def measured(result: RunResult) -> str:
    """How its times were measured, in words."""
    calls = f"{result.calls} call{'s'[: result.calls > 1]}"
    return f"{calls}{', cold' * result.cold}{', while busy' * result.busy}"


def plain(joint: str) -> str:
    """ "left_foot_index" as people write it."""
    return joint.replace("_", " ")
