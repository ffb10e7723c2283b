"""Parts of a set, the consensus as a row, the whole report and the pictures behind its numbers."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from accuracy_changes import CHANGES, changed, without_absent
from accuracy_sets import (
    K,
    annotated_set,
    at,
    coco_dataset,
    images,
    joint,
    person,
    pycocotools_stats,
    random_results,
    random_set,
    result,
)

from estimators.analysis.accuracy.bootstrap import picture_draws
from estimators.analysis.accuracy.cases import (
    invented_people,
    joint_cases,
    kind_cases,
    missed_people,
    score_cases,
    slice_cases,
)
from estimators.analysis.accuracy.consensus import agreement_worth, consensus, ranks
from estimators.analysis.accuracy.headline import METRICS, PCK, PCKH
from estimators.analysis.accuracy.kinds import KINDS
from estimators.analysis.accuracy.nearness import nearness
from estimators.analysis.accuracy.report import Evaluation, as_data, evaluate_predictions
from estimators.analysis.accuracy.slices import GROUPS, Slice, slices
from estimators.analysis.accuracy.tables import Predictions, Truth
from estimators.annotated import HIDDEN, AnnotatedImage
from estimators.datasets.read import read_annotated_set
from estimators.errors import InputError
from estimators.skeletons import COCO_17
from tests import annotated_factory as factory

LIGHTNING, THUNDER, BLAZE, POSENET = (
    *("movenet-lightning", "movenet-thunder"),
    *("blazepose-full", "posenet"),
)


def sliced(
    pictures: list[AnnotatedImage], results: list[dict[str, Any]]
) -> dict[tuple[str, str], Slice]:
    truth = Truth.of(pictures)
    near = nearness(truth, Predictions.of(results, truth))
    rows = slices(truth, near, picture_draws(len(pictures), 50))
    return {(row.group, row.name): row for row in rows}


@pytest.mark.parametrize(
    ("area", "name"),
    [(1023.0, "small"), (1024.0, "medium"), (9215.0, "medium"), (9216.0, "large")],
)
def test_sizes_are_cocos(area: float, name: str) -> None:
    found = sliced(images([person(at(100), area=area)]), [])
    assert {key for key in found if key[0] == "size"} == {("size", name)}


def test_people_in_the_picture_and_whoever_is_cut_off() -> None:
    many = [person(at(100 * i), box_xyxy=(100 * i + 3, 50, 100 * i + 97, 400)) for i in range(5)]
    edge = [person(at(300), box_xyxy=(300, 50, 638.5, 400))]
    found = sliced(images(many, many[:4], edge, []), [])
    counts = {key: row.people for key, row in found.items()}
    assert counts["people", "one"] == 1
    assert counts["people", "few"] == 4
    assert counts["people", "many"] == 5
    assert counts["truncation", "cut off"] == 1
    assert counts["truncation", "whole"] == 9
    near = replace(edge[0], box_xyxy=(300, 50, 637.5, 400))
    assert ("truncation", "cut off") not in sliced(images([near]), [])


def test_hidden_joints_apart_from_visible_ones() -> None:
    flags = np.full(K, 2)
    flags[[joint("left_wrist"), joint("left_elbow")]] = HIDDEN
    flags[joint("nose")] = 0
    somebody = replace(person(at(100)), visibility=flags)
    off = at(100)
    off[joint("left_wrist"), 0] += 21
    found = sliced(images([somebody]), [result(1, off)])
    hidden, visible = found["joints", "hidden"], found["joints", "visible"]
    assert (hidden.joints, hidden.pck.value, hidden.pck.count) == (2, 0.5, 2)
    assert (visible.joints, visible.pck.value, visible.pck.count) == (14, 1.0, 10)
    assert (hidden.people, visible.people) == (1, 1)
    assert visible.mean_ks.value == pytest.approx(1)


def test_parts_add_up_to_the_whole() -> None:
    pictures = random_set(2)
    found = sliced(pictures, random_results(pictures, 2))
    truth = Truth.of(pictures)
    for group in ("size", "people", "truncation"):
        rows = [row for (g, _), row in found.items() if g == group]
        assert {row.name for row in rows} <= set(GROUPS[group])
        assert sum(row.people for row in rows) == len(truth)
        assert sum(row.joints for row in rows) == truth.labelled.sum()
    whole = found["truncation", "whole"]
    assert 0 < whole.found.value < 1
    assert whole.pck.low < whole.pck.value < whole.pck.high


def agreed(poses: dict[str, list[np.ndarray]]) -> tuple[Truth, Any, dict[str, Predictions]]:
    truth = Truth.of(images([person(at(100)), person(at(400))]))
    models = {
        model: Predictions.of([result(1, xy, 0.9, 0.9) for xy in people], truth)
        for model, people in poses.items()
    }
    return truth, consensus(truth, models), models


def test_the_consensus_is_the_median_with_one_voice_a_family() -> None:
    """Two MoveNets 8 px to the right are one voice against one 4 px and one 0 px."""
    both = [at(108), at(408)]
    _, found, _ = agreed(
        {LIGHTNING: both, THUNDER: both, BLAZE: [at(104), at(404)], POSENET: [at(100)]}
    )
    xy = [np.reshape(r["keypoints"], (K, 3))[:, :2] + 0.5 for r in found.results]
    np.testing.assert_allclose(xy[0], at(104), atol=1e-3)
    np.testing.assert_allclose(xy[1], at(406), atol=1e-3)  # of two voices
    scores = [r["score"] for r in found.results]
    assert scores[0] > scores[1] > 0
    assert scores[1] < 2 / 3
    # Lightning against the median of the other two voices, 2 px: 6 px of a torso of 100 px.
    np.testing.assert_allclose(found.distance[LIGHTNING][0], 0.06, atol=1e-6)
    np.testing.assert_allclose(found.distance[POSENET][0], 0.06, atol=1e-6)


def test_the_score_of_the_consensus_is_the_share_of_voices_times_their_agreement() -> None:
    both = [at(100), at(400)]
    _, found, _ = agreed({LIGHTNING: both, THUNDER: both, BLAZE: both, POSENET: both[:1]})
    assert [r["score"] for r in found.results] == pytest.approx([1, 2 / 3])
    # Variants of one voice may differ as they like: their middle agrees with the other one.
    _, found, _ = agreed({LIGHTNING: [at(92.0005)], THUNDER: [at(108)], BLAZE: [at(100)]})
    points = np.reshape(found.results[0]["keypoints"], (K, 3))
    np.testing.assert_allclose(points[:, :2] + 0.5, at(100), atol=6e-4)
    assert points[0, 0] == round(points[0, 0], 3)
    assert found.results[0]["score"] < 1


def test_whom_one_alone_sees_hides_nobody_else() -> None:
    for seen in (at(100), at(400)):
        _, found, _ = agreed({LIGHTNING: [at(100), at(400)], BLAZE: [seen]})
        (result_,) = found.results
        np.testing.assert_allclose(result_["keypoints"][0], seen[0, 0] - 0.5)


def test_the_interval_of_a_correlation_is_of_the_draws_alone() -> None:
    pictures = random_set(5)
    truth = Truth.of(pictures)
    models = {
        m: Predictions.of(random_results(pictures, seed, 0.1), truth)
        for seed, m in enumerate((LIGHTNING, BLAZE, POSENET))
    }
    found = consensus(truth, models)
    assert found is not None
    near = {m: nearness(truth, p) for m, p in models.items()}
    (first, *_) = agreement_worth(truth, found, near, np.array([[12, *[0] * 11]]))
    assert first.correlation.low == first.correlation.high != first.correlation.value


def test_people_without_a_size_are_counted_apart() -> None:
    people = [person(at(100)), person(at(300), area=0.0), person(at(400), ())]
    crowd = person(at(400), iscrowd=True)
    report = evaluate_predictions(
        annotated_set(images([*people, crowd], [])), {LIGHTNING: []}, draws=5
    ).report
    assert (report.people, report.sizeless, report.joints) == (1, 1, 17)
    assert (report.pictures, report.pictures_with_people) == (2, 1)
    assert report.areas == {"unknown": 2}


def test_no_consensus_of_one_voice_nor_about_whom_one_alone_sees() -> None:
    assert agreed({LIGHTNING: [at(100)], THUNDER: [at(100)]})[1] is None
    _, found, _ = agreed({LIGHTNING: [at(100), at(400)], BLAZE: [at(100)]})
    assert len(found.results) == 1
    assert np.isnan(found.distance[LIGHTNING][1]).all()
    # Whoever is under a variant's own thresholds is not found by it.
    truth = Truth.of(images([person(at(100))]))
    weak = Predictions.of([result(1, at(100), 0.9, 0.29)], truth)
    sure = Predictions.of([result(1, at(100), 0.9, 0.9)], truth)
    found = consensus(truth, {LIGHTNING: weak, BLAZE: sure})
    assert found is not None
    assert found.results == []


def test_distance_from_the_others_is_held_against_real_errors() -> None:
    """One model errs more and more from joint to joint, two are right: ranks agree entirely."""
    off = at(100)
    off[:, 1] += np.arange(1, K + 1)
    truth, found, models = agreed({LIGHTNING: [off], BLAZE: [at(100)], POSENET: [at(100)]})
    near = {m: nearness(truth, p) for m, p in models.items()}
    rows = {r.model: r for r in agreement_worth(truth, found, near, picture_draws(1, 5))}
    assert rows[LIGHTNING].correlation.value == pytest.approx(1)
    assert rows[LIGHTNING].correlation.count == K
    assert math.isnan(rows[POSENET].correlation.value)  # it makes no error to be told
    assert rows[""].correlation.count == 3 * K


def test_equal_distances_share_their_rank() -> None:
    np.testing.assert_allclose(ranks(np.array([3.0, 1.0, 3.0, 2.0])), [1.0, -1.5, 1.0, -0.5])


def test_the_correlation_is_spearmans() -> None:
    pictures = random_set(5)
    truth = Truth.of(pictures)
    models = {
        m: Predictions.of(random_results(pictures, seed, 0.1), truth)
        for seed, m in enumerate((LIGHTNING, BLAZE, POSENET))
    }
    found = consensus(truth, models)
    assert found is not None
    near = {m: nearness(truth, p) for m, p in models.items()}
    rows = agreement_worth(truth, found, near, picture_draws(len(pictures), 100))
    row = next(r for r in rows if r.model == BLAZE)
    pairs = [
        (found.distance[BLAZE][near[BLAZE].found[g], k], near[BLAZE].error[g, k])
        for g in range(len(truth))
        for k in range(K)
        if near[BLAZE].found[g] >= 0
    ]
    kept = np.array([p for p in pairs if np.isfinite(p).all()])
    ranks = kept.T.argsort(axis=1).argsort(axis=1)  # no two are the same
    assert row.correlation.value == pytest.approx(np.corrcoef(ranks)[0, 1])
    assert row.correlation.low < row.correlation.value < row.correlation.high


@pytest.fixture(scope="module")
def evaluated() -> Evaluation:
    pictures = random_set(7)
    results = {
        m: random_results(pictures, seed, 0.06 + 0.05 * seed)
        for seed, m in enumerate((LIGHTNING, BLAZE))
    }
    return evaluate_predictions(annotated_set(pictures), results, "crop", draws=60)


def test_one_call_gives_everything(evaluated: Evaluation) -> None:
    report = evaluated.report
    assert list(report.models) == [LIGHTNING, BLAZE, "consensus"]
    assert (report.protocol, report.draws, report.pictures) == ("crop", 60, 12)
    assert report.people == len(evaluated.truth)
    assert report.areas == {"unknown": report.people}
    for model in report.models.values():
        assert set(model.figures) == set(METRICS)
        assert model.corrections.ap == pytest.approx(model.figures["AP"].value, abs=1e-12)
        assert model.kinds.people == report.people
        assert len(model.joints) == K
        assert model.slices
    assert report.models[LIGHTNING].trust.kind == "confidence"
    assert report.models[BLAZE].trust.kind == "visibility"
    assert report.models["consensus"].trust.best is None
    # Of every two models; the consensus is no model to choose.
    assert {d.metric for d in report.differences} == {"AP", "PCK@0.2", "mean_KS"}
    assert all({d.better, d.other} == {LIGHTNING, BLAZE} for d in report.differences)
    (sentence,) = report.sentences
    assert "MoveNet Lightning" in sentence
    assert "BlazePose full" in sentence
    assert [row.model for row in report.agreement] == ["", LIGHTNING, BLAZE]


def test_its_ap_is_that_of_pycocotools_for_the_consensus_too(evaluated: Evaluation) -> None:
    dataset = coco_dataset(random_set(7))
    expected = pycocotools_stats(dataset, list(map(dict, evaluated.consensus)))
    figures = evaluated.report.models["consensus"].figures
    assert figures["AP"].value == pytest.approx(expected[0], abs=1e-9)


def test_the_report_is_json(evaluated: Evaluation) -> None:
    data = as_data(evaluated.report)
    again = json.loads(json.dumps(data, allow_nan=False))
    ap = again["models"][LIGHTNING]["AP"]
    figure = evaluated.report.models[LIGHTNING].figures["AP"]
    assert ap == {"value": figure.value, "interval": [figure.low, figure.high], "count": 19}
    assert again["models"][LIGHTNING]["PCKh@0.5"] == {"value": None, "interval": None, "count": 0}
    assert again["models"][LIGHTNING]["kinds"]["shares"]["jitter"]["count"] > 0
    assert again["models"][BLAZE]["corrections"]["gains"][0]["kind"] == "miss"
    assert again["models"]["consensus"]["trust"]["best"] is None
    assert again["differences"][0]["metric"] == "AP"


def test_identical_models_nobody_and_one_picture() -> None:
    one = annotated_set(images([person(at(100))]))
    same = [result(1, at(103), 0.9, 0.9)]
    report = evaluate_predictions(one, {LIGHTNING: same, THUNDER: same, POSENET: []}, draws=20)
    figures = [m.figures for m in report.report.models.values()]
    assert figures[0]["AP"] == figures[1]["AP"]
    assert math.isnan(figures[0]["AP"].low)
    assert figures[2]["AP"].value == 0
    assert all(s.startswith("Too few pictures") for s in report.report.sentences)
    empty = evaluate_predictions(annotated_set(images([])), {LIGHTNING: []}, draws=20)
    assert math.isnan(empty.report.models[LIGHTNING].figures["AP"].value)
    assert empty.report.agreement == ()
    json.dumps(as_data(empty.report), allow_nan=False)
    nothing = evaluate_predictions(annotated_set([]), {}, draws=20)
    assert (nothing.report.pictures, dict(nothing.report.models)) == (0, {})
    with pytest.raises(InputError, match="no model 'consensus'"):
        evaluate_predictions(one, {"consensus": same})


def untied(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In which order people of one score come is anybody's choice."""
    return [{**r, "score": r["score"] + number / 1000} for number, r in enumerate(results)]


@pytest.fixture(scope="module")
def unchanged() -> tuple[list[AnnotatedImage], dict[str, Any], dict[str, Any]]:
    pictures = random_set(8)
    results = {
        m: without_absent(untied(random_results(pictures, 9 + seed, 0.1)))
        for seed, m in enumerate((LIGHTNING, BLAZE))
    }
    return pictures, results, plain(pictures, results)


def plain(pictures: list[AnnotatedImage], results: dict[str, Any]) -> dict[str, Any]:
    """Every number of a report that does not hang on names of joints or on drawing pictures."""
    report = evaluate_predictions(annotated_set(pictures), results, draws=5).report
    numbers: dict[str, Any] = {}
    for key, model in report.models.items():
        numbers |= {f"{key} {name}": f.value for name, f in model.figures.items()}
        numbers |= {f"{key} {name}": f.count for name, f in model.kinds.shares.items()}
        numbers |= {f"{key} {g.kind}": (g.alone, g.in_order) for g in model.corrections.gains}
        numbers[f"{key} score"] = model.trust.recommended.value
        numbers |= {f"{key} {s.group} {s.name}": (s.people, s.pck.value) for s in model.slices}
        numbers[f"{key} people"] = (model.kinds.missed_people, model.kinds.background_people)
    numbers |= {f"agreement {row.model}": row.correlation.value for row in report.agreement}
    return numbers


@pytest.mark.parametrize("how", CHANGES)
def test_what_must_change_nothing(how: str, unchanged: Any) -> None:
    pictures, results, expected = unchanged
    found = plain(*changed(pictures, results, how))
    # Sizes are absolute: a picture three times as large has other small and medium people.
    sizes = ("APm", "APl", "ARm", "ARl", "size") if how == "scaled" else ()
    names = [n for n in expected if not any(part in n for part in sizes)]
    assert len(names) > 60
    for name in names:
        assert found[name] == pytest.approx(expected[name], abs=1e-4, nan_ok=True), name


def test_pictures_in_another_order_of_their_numbers_have_the_same_intervals() -> None:
    pictures = random_set(4)
    # Without ties: in which order people of one score come is anybody's choice.
    results = [
        {**r, "score": r["score"] + n / 1000} for n, r in enumerate(random_results(pictures, 5))
    ]
    backwards = [replace(image, image_id=100 - image.image_id) for image in pictures]
    answers = [{**r, "image_id": 100 - r["image_id"]} for r in results]
    one, other = (
        evaluate_predictions(annotated_set(p), {POSENET: r}, draws=200).report.models[POSENET]
        for p, r in ((pictures, results), (backwards, answers))
    )
    for name, figure in one.figures.items():
        again = other.figures[name]
        for told in ("value", "low", "high"):
            expected = pytest.approx(getattr(figure, told), nan_ok=True)
            assert getattr(again, told) == expected, (name, told)
    assert one.figures["AP"].known


def test_every_format_gives_the_same_pck_and_areas_decide_the_ap(tmp_path: Path) -> None:
    """COCO with areas of 0.53 of the box, YOLO-pose, and MPII, whose people have no face."""
    folder = factory.pictures(tmp_path / "pictures")
    sources = {
        "coco": (folder, factory.write_json(factory.coco(), tmp_path / "coco.json")),
        "yolo": (None, factory.yolo(tmp_path)),
        "mpii": (folder, factory.mpii_json(tmp_path / "mpii.json")),
    }
    widths = [width for width, _ in factory.SIZES.values()]
    figures = {}
    for name, (images_at, file) in sources.items():
        annotated, _ = read_annotated_set(images_at, file)
        ids = {image.width: image.image_id for image in annotated.images}
        results = []
        for number, somebody in enumerate(factory.people()):
            xy = somebody["xy"] + np.random.default_rng(number).normal(0.5, 4, (K, 2))
            results.append(result(ids[widths[somebody["image"] - 1]], xy, 0.9 - number / 10))
        report = evaluate_predictions(annotated, {LIGHTNING: results}, draws=5).report
        figures[name] = report.models[LIGHTNING].figures
    for name in ("yolo", "mpii"):
        assert figures[name][PCK].count == figures["coco"][PCK].count
        assert figures[name][PCK].value == pytest.approx(figures["coco"][PCK].value)
    assert 0 < figures["coco"][PCK].value < 1
    assert figures["yolo"]["AP"].value == pytest.approx(figures["coco"]["AP"].value, abs=1e-9)
    assert figures["mpii"][PCKH].count > 0
    assert figures["coco"][PCKH].count == 0


def test_cases_behind_the_bars_are_the_worst_first(evaluated: Evaluation) -> None:
    counts = evaluated.report.models[BLAZE].kinds
    for kind in KINDS:
        cases = kind_cases(evaluated, BLAZE, kind)
        assert len(cases) == counts.shares[kind].count
        assert [c.similarity for c in cases] == sorted(c.similarity for c in cases)
    bins = evaluated.report.models[BLAZE].trust.reliability
    for each in bins:
        cases = score_cases(evaluated, BLAZE, each.low, each.high)
        assert len(cases) == each.joints
        assert sum(c.similarity >= 0.5 for c in cases) == round(each.right * each.joints)
        assert [c.similarity for c in cases] == sorted(c.similarity for c in cases)
    wrists = kind_cases(evaluated, BLAZE, "miss", "left_wrist")
    assert len(wrists) == counts.by_joint["left_wrist"][KINDS.index("miss")]
    assert {c.joint for c in wrists} == {"left_wrist"}
    people = {image.image_id: image.people for image in evaluated.truth.pictures}
    missed = missed_people(evaluated, BLAZE)
    assert len(missed) == counts.missed_people > 0
    areas = [people[c.image_id][c.person].area for c in missed]
    assert areas == sorted(areas, reverse=True)
    assert len(set(areas)) > 1
    invented = invented_people(evaluated, BLAZE)
    assert len(invented) == counts.background_people > 0
    assert all(c.person == -1 and c.prediction >= 0 for c in invented)
    scores = [c.similarity for c in invented]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) > 1
    joints = evaluated.report.models[BLAZE].joints
    for row in joints:
        cases = joint_cases(evaluated, BLAZE, row.joint)
        assert len(cases) == row.labelled
        assert np.mean([c.similarity for c in cases]) == pytest.approx(row.mean_similarity)
    for row in evaluated.report.models[BLAZE].slices:
        cases = slice_cases(evaluated, BLAZE, row.group, row.name)
        assert len(cases) == row.people
        assert [c.similarity for c in cases] == sorted(c.similarity for c in cases)


def test_a_case_leads_to_the_person_and_the_prediction() -> None:
    off = at(100)
    off[joint("left_wrist"), 1] += 400
    crowd = person(at(400), (), iscrowd=True, box_xyxy=(400, 100, 500, 400))
    pictures = images([crowd, person(at(100)), person(at(250, scale=0.2), area=400.0)])
    results = [result(1, at(60, 350), 0.9, 0.9), result(1, off, 0.8, 0.9)]
    found = evaluate_predictions(annotated_set(pictures), {LIGHTNING: results}, draws=5)
    (case,) = kind_cases(found, LIGHTNING, "miss")
    assert (case.image_id, case.person, case.prediction) == (1, 1, 1)
    assert case.joint == "left_wrist"
    assert case.joint in COCO_17.joints
    assert [c.person for c in missed_people(found, LIGHTNING)] == [2]
    assert [c.prediction for c in invented_people(found, LIGHTNING)] == [0]


def test_a_part_tells_how_many_of_its_people_were_found() -> None:
    pictures = images([person(at(100)), person(at(300))], [person(at(100))])
    some = sliced(pictures, [result(1, at(100)), result(2, at(100))])
    for group in {group for group, _ in some}:
        rows = [row for (of, _), row in some.items() if of == group]
        assert sum(row.people for row in rows) == 3
        assert sum(row.found.value * row.people for row in rows) == pytest.approx(2)


def test_the_highest_scores_are_behind_the_highest_bar() -> None:
    pictures = images([person(at(100))])
    results = [result(1, at(100), 0.9, np.linspace(0.2, 1.0, K))]
    found = evaluate_predictions(annotated_set(pictures), {LIGHTNING: results}, draws=5)
    last = found.report.models[LIGHTNING].trust.reliability[-1]
    cases = score_cases(found, LIGHTNING, last.low, last.high)
    assert [case.joint for case in cases] == list(COCO_17.joints[-last.joints :])
    assert (last.high, last.joints) == (1.0, 3)  # 0.9, 0.95 and 1
