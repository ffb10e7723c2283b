"""The numbers of a comparison as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from estimators.analysis.agreement import joint_agreement
from estimators.skeletons import COCO_17
from pages.ui.comparison import Comparison

if TYPE_CHECKING:  # pandas takes a third of a second: loaded when the first table is shown
    import pandas as pd

POSITION, DISTANCE = ("x, px", "y, px"), "apart, torsos"


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
    """
    import pandas as pd

    group = comparison.groups[person]
    apart = joint_agreement(comparison.shown, comparison.groups)
    columns: dict[tuple[str, str], pd.Series] = {}
    for spec in comparison.specs:
        if spec.key not in group.members:
            continue
        poses, who = comparison.people[spec.key], group.members[spec.key]
        joints = list(spec.skeleton.joints)
        columns[spec.title, spec.score_kind] = pd.Series(poses.score[who], joints)
        for axis, name in enumerate(POSITION):
            columns[spec.title, name] = pd.Series(poses.xy[who, :, axis], joints)
        columns[spec.title, DISTANCE] = pd.Series(apart[spec.key][person], COCO_17.joints)
    table = pd.DataFrame(columns).reindex(joint_names(comparison))
    table.index = [plain(joint) for joint in table.index]
    table.index.name = "joint"
    return table


def people_table(comparison: Comparison) -> pd.DataFrame:
    """Who is whom: one row a person, the score each model gives them, and their OKS.

    A model that did not find the person has an empty cell.
    """
    import pandas as pd

    rows = []
    for group in comparison.groups:
        row: dict[str, float | str] = {}
        for spec in comparison.specs:
            scores = comparison.people[spec.key].pose_score
            found = spec.key in group.members and scores is not None
            row[spec.title] = float(scores[group.members[spec.key]]) if found else float("nan")
        rows.append(row | {"agreement, OKS": group.mean_oks})
    table = pd.DataFrame(rows, columns=[*(s.title for s in comparison.specs), "agreement, OKS"])
    table.index = [f"Person {n}" for n in range(1, len(table) + 1)]
    return table


def cost_table(comparison: Comparison, statuses: dict) -> pd.DataFrame:
    """What one estimate of this picture cost, and what the model costs to have."""
    import pandas as pd

    rows = {}
    for spec in comparison.specs:
        result, status = comparison.results[spec.key], statuses.get(spec.key)
        timings = result.estimate.timings_ms
        rows[spec.title] = {
            "preprocess, ms": timings.preprocess,
            "inference, ms": timings.inference,
            "postprocess, ms": timings.postprocess,
            "total, ms": timings.total,
            "transport, ms": result.transport_ms,
            "first call, ms": status and status.first_call_ms,
            "load, s": status and status.load_s,
            "memory, MB": status and (status.pss_mb or status.rss_mb),
        }
    return pd.DataFrame.from_dict(rows, orient="index", dtype=float)


def plain(joint: str) -> str:
    """ "left_foot_index" as people write it."""
    return joint.replace("_", " ")
