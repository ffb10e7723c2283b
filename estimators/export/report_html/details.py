"""What lies behind the headline: kinds of mistakes, joints, scores, parts of the set, origins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from estimators.export.report_html.parts import (
    dot,
    in_line,
    key,
    number,
    plot,
    share,
    stacked,
    table,
    text,
    with_interval,
)

Report = Mapping[str, Any]
METRIC_TITLES = {
    "mean_KS": "mean KS",
    "mean_error": "mean error (torsos)",
    "median_error": "median error (torsos)",
}
_KINDS = ("good", "jitter", "inversion", "swap", "miss")
_CORRECTIONS = {"score": "ranking", "background": "background people", "missed_people": "missed"}
# Scores that are no probabilities have no diagonal to be compared with.
_IN_UNIT = ("confidence", "visibility")


def colour_of(report: Report, model: str) -> str:
    """The CSS value of a model's colour."""
    return f"var(--model-{list(report['models']).index(model)})"


def name_of(report: Report, model: str) -> str:
    """A model's name behind its colour, HTML."""
    return dot(colour_of(report, model), report["models"][model]["title"])


def sections(report: Report) -> Iterator[str]:
    """Each section, from the one most asked for on."""
    yield f"<h2>Kinds of mistakes</h2>{_kinds(report)}"
    yield f"<h2>Joints</h2>{_joints(report)}"
    yield f"<h2>What the scores are worth</h2>{_trust(report)}"
    yield f"<h2>Parts of the set</h2>{_slices(report)}"
    yield _invented(report)
    yield _agreement(report)


def _kinds(report: Report) -> str:
    rows, gains = [], []
    for model, numbers in report["models"].items():
        kinds, fixed = numbers["kinds"], numbers["corrections"]
        shares = {kind: kinds["shares"][kind]["value"] or 0.0 for kind in _KINDS}
        lines = f"of {kinds['joints']:,} joints"
        rows.append((name_of(report, model), shares, lines))
        counts = [kinds["missed_people"], kinds["background_people"]]
        gained = [number(gain["alone"]) for gain in fixed["gains"]]
        best = with_interval(fixed["optimal_scores"])
        gains.append([name_of(report, model), *map(str, counts), best, *gained])
    first = next(iter(report["models"].values()))["corrections"]["gains"]
    names = [_CORRECTIONS.get(gain["kind"], gain["kind"]) for gain in first]
    header = ["Model", "People missed", "Background", "AP, best ranking"]
    header += [f"+&nbsp;{text(name)}" for name in names]
    return (
        f"<p>{text(_ABOUT_KINDS)}</p>{stacked(rows)}{key(_KINDS)}"
        f"<h3>AP gained if one kind alone were corrected</h3>{table(header, gains)}"
    )


_ABOUT_KINDS = (
    "Of the labelled joints of people found (OKS 0.1): good is within KS 0.85, jitter within 0.5, "
    "an inversion is near the person's other side, a swap near another person's joint, a miss near "
    "nothing (Ronchi and Perona, ICCV 2017)."
)


def _joints(report: Report) -> str:
    models, rows = report["models"], []
    for each in zip(*(model["joints"] for model in models.values()), strict=True):
        joint, *_ = each
        shown = (
            f"{number(one['mean_similarity'], 2)}<small>{share(one['pck'])}</small>" for one in each
        )
        rows.append([text(joint["joint"].replace("_", " ")), f"{joint['labelled']:,}", *shown])
    header = ["Joint", "Labelled", *(name_of(report, model) for model in models)]
    about = (
        "Mean KS over all labelled joints, 0 where not found; under it PCK@0.2 of the torso, which "
        "joints of the face have none of."
    )
    return f"<p>{about}</p>{table(header, rows)}"


def _trust(report: Report) -> str:
    parts = []
    for model, numbers in report["models"].items():
        trust, colour = numbers["trust"], colour_of(report, model)
        if trust["best"] is None:
            continue
        seen = [(one["score"], one["right"]) for one in trust["reliability"]]
        kept = [(one["coverage"], one["precision"]) for one in trust["thresholds"]]
        kind, best = trust["kind"], trust["best"]
        lines = (
            f"Recommended threshold {in_line(trust['recommended'], 2)} shows "
            f"{share(best['coverage'])} of the joints, of which {share(best['precision'])} are "
            "within KS 0.5."
        )
        if trust["ece"] is not None:
            lines += f" Expected calibration error {number(trust['ece'])}."
        score = f"{kind} of a joint"
        parts.append(
            f"<h3>{name_of(report, model)}</h3><p>{lines}</p><div class='plots'>"
            f"<figure>{plot(seen, colour, (score, 'within KS 0.5'), kind in _IN_UNIT)}</figure>"
            f"<figure>{plot(kept, colour, ('share of joints shown', 'within KS 0.5'))}</figure>"
            "</div>"
        )
    return "".join(parts) or "<p>No model gives scores to its joints.</p>"


def _slices(report: Report) -> str:
    models, rows = report["models"], []
    for each in zip(*(model["slices"] for model in models.values()), strict=True):
        part, *_ = each
        counts = [f"{part['people']:,}", f"{part['joints']:,}"]
        shown = (with_interval(one["mean_ks"], 2) for one in each)
        rows.append([text(f"{part['group']}: {part['name']}"), *counts, *shown])
    header = ["Part", "People", "Joints", *(name_of(report, model) for model in models)]
    about = "Mean KS of the labelled joints, 0 where not found."
    return f"<p>{about}</p>{table(header, rows)}"


def _invented(report: Report) -> str:
    rows = [
        [
            name_of(report, model),
            f"{found['crops']:,}",
            f"{found['joints']:,}",
            *(with_interval(found[part]) for part in ("invented", "guessed", "left_out")),
            number(found["invented_depth"], 2),
            *(with_interval(found[part]) for part in ("ex_oks", "oks")),
        ]
        for model, numbers in report["models"].items()
        if (found := numbers.get("invented"))
    ]
    if not rows:
        return ""
    header = ["Model", "Crops", "Joints outside", "Invented inside", "Guessed outside", "Left out"]
    header += ["Depth (torsos)", "Ex-OKS", "OKS inside"]
    about = (
        "On crops that cut through annotated people: what becomes of joints that the picture does "
        "not show. Ex-OKS counts invented joints, plain OKS does not (ProbPose, CVPR 2025)."
    )
    return f"<h2>Invented joints</h2><p>{about}</p>{table(header, rows)}"


def _agreement(report: Report) -> str:
    if not report["agreement"]:
        return ""
    rows = []
    for row in report["agreement"]:
        name = name_of(report, row["model"]) if row["model"] else "All models"
        rows.append(
            [name, with_interval(row["correlation"], 2), f"{row['correlation']['count']:,}"]
        )
    about = (
        "How well the distance from the other models tells where a joint is really wrong: "
        "Spearman's rank correlation, 1 if it orders the errors perfectly, 0 if it says nothing."
    )
    found = table(["Model", "Rank correlation", "Joints"], rows)
    return f"<h2>What agreement is worth</h2><p>{about}</p>{found}"


def provenance(report: Report) -> str:
    """Where the numbers come from."""
    rows = [
        [text(model), text(numbers["weights"]["sha256"] or "unknown"), text(numbers["runtime"])]
        for model, numbers in report["models"].items()
        if numbers.get("weights")
    ]
    about, machine, versions = report["set"], report["machine"], report["versions"]
    facts = [
        f"Made {report['created']} from {about['name']} (SHA-256 {about['sha256']}).",
        f"{machine['processor']}, {machine['cores_available']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}.",
        ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        f"Intervals: {report['draws']:,} bootstrap draws of pictures, 95 %, seed {report['seed']}.",
    ]
    lines = "".join(f"<p>{text(fact)}</p>" for fact in facts)
    weights = table(["Model", "Weights (SHA-256)", "Runtime"], rows)
    return f"<h2>Where the numbers come from</h2>{lines}{weights}"
