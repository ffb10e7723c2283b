"""What an evaluation has found: figures with intervals, kinds of mistakes, scores, parts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import streamlit as st

from estimators.analysis.accuracy.consensus import CONSENSUS
from estimators.analysis.accuracy.headline import MEAN_KS, PCK
from estimators.analysis.accuracy.invented import InventedJoints
from estimators.numerals import counted, people
from estimators.registry import MODELS
from pages.ui.columns import explained
from pages.ui.evaluate import charts
from pages.ui.evaluate.cases import look_at
from pages.ui.evaluate.charts import SCORES
from pages.ui.evaluate.found import Found
from pages.ui.evaluate.tables import headline_table, in_brackets, number, show_table
from pages.ui.plotting import plot
from pages.ui.sidebar import set_joint_threshold
from pages.ui.tabs import tabs

_BARS = ("AP", "AP50", "AP75", "AR", PCK, MEAN_KS)


def headline(found: Found) -> None:
    """The table of each model's figures, and what they are over."""
    report = found.evaluation.report
    show_table(headline_table(found), "headline", "Accuracy of each model with its interval")
    areas = ""
    if any(source != "file" for source in report.areas):
        parts = ", ".join(f"{count:,} from the {source}" for source, count in report.areas.items())
        areas = f" AP depends on people's areas; here they come {parts}."
    st.caption(
        f"{counted(report.pictures, 'picture')}, {people(report.people)}, "
        f"{counted(report.joints, 'labelled joint')}. In brackets: 95 % "
        f"intervals over {report.draws:,} draws of pictures; none where there are too few "
        f"pictures.{areas}"
    )


def results(found: Found) -> None:
    """Tabs of which only the open one is computed."""
    views: dict[str, Callable[[Found], None]] = {
        "Accuracy": _accuracy,
        "Mistakes": _mistakes,
        "Joints": _joints,
        "Scores": _scores,
        "Parts of the set": _parts,
        "What agreement is worth": _agreement,
    }
    tabs(views, found, "evaluation")


def _accuracy(found: Found) -> None:
    chart = charts.headline_chart(found.models, _BARS)
    _clickable(chart, "headline_chart", "Accuracy of each model with intervals")
    st.caption(
        "Click a bar to see the model's pictures, the worst first. AP and AR are COCO's keypoint "
        "figures as pycocotools gives them, over everything that a "
        "model returns. PCK@0.2: joints within 0.2 of the person's torso. Mean KS: how near the "
        "joints are, people who are missed count 0. The consensus is the median of the models' "
        "joints, one voice a family. Source of each formula: docs/accuracy.md."
    )
    if found.evaluation.report.protocol == "whole":
        st.caption(
            "A model for one person is charged with everybody else in a picture. *One person, "
            "cropped* compares it fairly."
        )
    if any("*" in str(v) for v in headline_table(found).get("latency, ms", [])):
        st.caption("\\* measured while the machine was busy, or on another machine.")


def _mistakes(found: Found) -> None:
    kinds = charts.kinds_chart(found.models)
    _clickable(kinds, "kinds_chart", "What the joints of people found are")
    counts = [
        f"{shown.title}: {shown.accuracy.kinds.missed_people:,} of "
        f"{shown.accuracy.kinds.people:,} people missed, "
        f"{shown.accuracy.kinds.background_people:,} found who are nobody annotated"
        for shown in found.models.values()
    ]
    st.markdown("\n".join(f"- {count}" for count in counts))
    gains = charts.gains_chart(found.models)
    _clickable(gains, "gains_chart", "AP that correcting a kind of mistake would gain")
    best = ", ".join(
        f"{shown.title} {in_brackets(shown.accuracy.corrections.optimal_scores)}"
        for shown in found.models.values()
    )
    st.caption(
        "After Ronchi and Perona (ICCV 2017): *jitter* is near its place, *inversion* is on the "
        "person's other side, *swap* on another person, *miss* near nothing. Click a bar to see "
        f"the pictures. With the best possible ranking of the same people, AP would be: {best}; "
        "what is gained by that says more about a model's scores than about its joints."
    )
    _invented(found)


def _invented(found: Found) -> None:
    invented = found.measured.invented
    if not invented:
        return
    import pandas as pd

    rows = [{"model": found.models[m].title, **_invented_row(i)} for m, i in invented.items()]
    st.markdown("**Joints that the picture does not show**")
    show_table(pd.DataFrame(rows).set_index("model"), "invented", "Joints that models invent")
    st.caption(
        "On crops that cut through your annotated people (Ex-OKS, Purkrábek and Matas, CVPR "
        "2025): how often a joint that lies outside is put somewhere inside the crop."
    )


def _invented_row(found: InventedJoints) -> dict[str, str]:
    return {
        "invented": in_brackets(found.invented),
        "guessed outside": in_brackets(found.guessed),
        "left out": in_brackets(found.left_out),
        "Ex-OKS": in_brackets(found.ex_oks),
        "OKS inside": in_brackets(found.oks),
        "depth, torsos": number(found.invented_depth, 2),
        "joints": f"{found.joints:,}",
    }


def _joints(found: Found) -> None:
    _clickable(charts.joints_chart(found.models), "joints_chart", "PCK of each joint")
    st.caption(
        "Click a bar to see the joint in its pictures, the worst first. PCK does not count the "
        "joints of the face."
    )


def _scores(found: Found) -> None:
    plot(
        charts.coverage_chart(found.models),
        "coverage_chart",
        "Precision against coverage as the threshold moves",
    )
    models = [key for key in found.models if key != CONSENSUS]
    for pair in (models[i : i + 2] for i in range(0, len(models), 2)):
        for column, key in zip(st.columns(2), pair, strict=False):
            with column:
                _trust(found, key)
    st.caption(
        "Right: within KS 0.5 of the truth. Grey bars: how many joints have such scores; click "
        "one to see them. The "
        "dashed line is the threshold with the best F1. Expected calibration error is told only "
        "for scores that claim to be probabilities."
    )


def _trust(found: Found, model: str) -> None:
    shown, spec = found.models[model], MODELS[model]
    trust = shown.accuracy.trust
    _clickable(
        charts.reliability_chart(model, shown, spec.score_kind),
        f"reliability_{model}",
        f"Share of right joints against the score of {shown.title}",
    )
    ece = "" if math.isnan(trust.ece) else f" · calibration error {trust.ece:.2f}"
    with st.container(horizontal=True, vertical_alignment="center"):
        if trust.best is None:
            return
        st.markdown(
            f"Best threshold **{in_brackets(trust.recommended)}**: F1 {trust.best.f1:.2f}, "
            f"precision {trust.best.precision:.0%}, recall {trust.best.recall:.0%}{ece}",
            width="content",
        )
        st.button(
            "Use it",
            key=f"use_threshold_{model}",
            icon=":material/tune:",
            help="Sets the slider in the sidebar, for every page",
            on_click=set_joint_threshold,
            args=(model, trust.recommended.value),
        )


def _parts(found: Found) -> None:
    import pandas as pd

    rows, places = [], []
    for key, shown in found.models.items():
        for part in shown.accuracy.slices:
            places.append((key, part.name, part.group))
            rows.append(
                {
                    "part": f"{part.group}: {part.name}",
                    "model": shown.title,
                    "people": part.people,
                    "joints": part.joints,
                    "PCK@0.2": in_brackets(part.pck),
                    "mean KS": in_brackets(part.mean_ks),
                    "people found": in_brackets(part.found),
                }
            )
    order = sorted(range(len(rows)), key=lambda i: _part_order(found, places[i]))
    right = st.column_config.TextColumn(alignment="right")
    table = pd.DataFrame([rows[i] for i in order])
    st.dataframe(
        table,
        hide_index=True,
        key="parts_table",
        on_select=_open_part([places[i] for i in order]),
        selection_mode="single-row",
        column_config=explained(
            table, dict.fromkeys(("PCK@0.2", "mean KS", "people found"), right)
        ),
        alt="Accuracy over parts of the set",
    )
    st.caption(
        "Size by COCO's limits (32² and 96² pixels of area). Few people: two to four. Hidden: "
        "annotated, but not visible. Choose a row to see its people, the worst first."
    )


def _part_order(found: Found, place: tuple[str, str, str]) -> tuple[int, int]:
    model, name, group = place
    parts = [(s.group, s.name) for s in next(iter(found.models.values())).accuracy.slices]
    at = parts.index((group, name)) if (group, name) in parts else len(parts)
    return at, list(found.models).index(model)


def _open_part(places: Sequence[tuple[str, str, str]]) -> Callable[[], None]:
    def go() -> None:
        rows = st.session_state["parts_table"].selection.rows
        if rows and rows[0] < len(places):
            look_at(*places[rows[0]])

    return go


def _agreement(found: Found) -> None:
    worth = found.evaluation.report.agreement
    if not worth:
        st.info("It takes models of two families at least.", icon=":material/group:")
        return
    import pandas as pd

    rows = [
        {
            "model": found.models[w.model].title if w.model else "All of them",
            "rank correlation": in_brackets(w.correlation),
            "joints": w.correlation.count,
        }
        for w in worth
    ]
    show_table(pd.DataFrame(rows).set_index("model"), "agreement", "What agreement is worth")
    st.caption(
        "Spearman's rank correlation of a joint's distance from the other models with its "
        "distance from the truth: 1 means that disagreement always tells where a model is wrong, "
        "0 that it tells nothing. This is what the pages without truth have to rely on."
    )


def _clickable(figure: object, key: str, alt: str) -> None:
    """A chart whose bars lead to their pictures."""

    def go() -> None:
        points = st.session_state[key].selection.points
        if points:
            model, what, *group = points[0]["customdata"]
            look_at(str(model), str(what), SCORES if group == [SCORES] else "")

    plot(figure, key, alt, on_select=go, selection_mode="points")
