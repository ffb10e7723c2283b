"""The Evaluate page without a browser: the bundled set, what can be brought, what it says."""

from __future__ import annotations

import json
import re
import time
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from estimators.datasets.health import HealthReport
from estimators.errors import TryAgainError
from estimators.media.samples import FOLDER
from estimators.workflows import room as rooms
from estimators.workflows.evaluate.measure import Measured, report_data
from estimators.workflows.room import Need, Room
from pages.ui import engine
from pages.ui.evaluate import sources
from tests.app.visits import visit
from tests.unit.runtime_support import wait_until

_LONGEST_S = 120.0


pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture(scope="module")
def bundled() -> AppTest:
    """The bundled set, evaluated once."""
    return evaluated(evaluate_page(models="movenet-lightning,blazepose-full", evaluation="Scores"))


def evaluate_page(**address: str) -> AppTest:
    return visit("evaluate", **address).run()


def evaluated(at: AppTest) -> AppTest:
    at.button(key="run_evaluate").click().run()
    end = time.monotonic() + _LONGEST_S
    while any(b.key == "cancel_evaluate" for b in at.button) and time.monotonic() < end:
        time.sleep(0.2)
        at.run()
    assert not at.exception
    return at


def headline(at: AppTest) -> dict[str, dict[str, str]]:
    return at.dataframe[0].value.to_dict("index")


@pytest.fixture
def annotated_zip(tmp_path: Path) -> Path:
    """Two sample pictures, one more that is listed but absent, and their annotations."""
    content = json.loads((FOLDER / "annotations.json").read_text("utf-8"))
    wanted = ["astronaut.jpg", "grace_hopper.jpg", "three_people_lab.jpg"]
    images = [i for i in content["images"] if i["file_name"] in wanted]
    ids = {i["id"] for i in images}
    people = [a for a in content["annotations"] if a["image_id"] in ids]
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in wanted[:2]:
            archive.write(FOLDER / name, f"images/{name}")
        annotations = content | {"images": images, "annotations": people}
        archive.writestr("annotations/people.json", json.dumps(annotations))
    return path


def test_who_finds_the_server_full_waits_and_is_told_for_how_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = Room(500)
    monkeypatch.setattr(rooms, "_room", room)
    others = Need(450, lambda: 75.0)
    room.enter(others, lambda: False)
    at = evaluate_page(models="movenet-lightning")
    at.button(key="run_evaluate").click().run()
    told = ":material/hourglass_empty: Waits for room on this server: it is next, about 1 min 15 s."
    wait_until(lambda: told in [m.value for m in at.run().markdown])
    at.button(key="cancel_evaluate").click().run()
    assert not at.exception
    wait_until(lambda: room.report()["waiting"] == 0)
    wait_until(lambda: any("Stopped" in i.value for i in at.run().info))
    (stopped,) = [i.value for i in at.info if "Stopped" in i.value]
    assert re.fullmatch(r"Stopped after 0 of \d+ answers\.", stopped), "nothing is below"
    at.button(key="run_evaluate").click().run()
    room.leave(others)
    wait_until(lambda: not any(b.key == "cancel_evaluate" for b in at.run().button))
    assert len(at.dataframe[0].value) == 1
    assert room.report()["running"] == 0
    assert not at.exception


def test_the_bundled_set_is_one_click_from_figures_and_pictures(bundled: AppTest) -> None:
    at, table = bundled, headline(bundled)
    assert list(table) == ["MoveNet Lightning", "BlazePose full", "Consensus"]
    assert table["BlazePose full"]["AP"].count("–") == 1
    assert table["BlazePose full"]["latency, ms"] != "–"
    said = [m.value for m in at.markdown]
    assert any("better than MoveNet Lightning on your pictures" in text for text in said)
    assert any("For a set of pictures like this" in text for text in said)
    (viewer,) = [json.loads(c.proto.json) for c in at.main.get("bidi_component")]
    assert viewer["layers"]["truth"]["people"], "the truth is drawn beside the predictions"
    assert [panel["title"] for panel in viewer["panels"]] == ["MoveNet Lightning", "BlazePose full"]


def test_a_running_evaluation_is_found_again_after_a_reload() -> None:
    address = {"models": "movenet-thunder"}
    first = evaluate_page(**address)
    first.button(key="run_evaluate").click().run()
    again = evaluate_page(**address)  # a session of its own, as after a reload
    assert again.session_state["evaluate_work"].job is first.session_state["evaluate_work"].job
    assert not any(button.key == "run_evaluate" for button in again.button)
    again.session_state["evaluate_work"].job.join(_LONGEST_S)
    again.run()
    assert not again.exception
    assert list(headline(again)) == ["MoveNet Thunder"]
    asked = calls("movenet-thunder")
    assert list(headline(evaluate_page(**address))) == ["MoveNet Thunder"], "what is done, too"
    assert calls("movenet-thunder") == asked


def calls(model: str) -> int:
    return next(s.calls for s in engine.runner().status() if s.model == model)


def test_the_page_shows_the_figures_of_the_report(bundled: AppTest) -> None:
    _, _, measured = bundled.session_state["evaluate_measured"]
    assert isinstance(measured, Measured)
    health = HealthReport("coco", "annotations.json", 14, 14, 25, 355)
    figure = report_data(measured, health)["models"]["blazepose-full"]["AP"]
    low, high = figure["interval"]
    expected = f"{figure['value']:.2f} ({low:.2f}–{high:.2f})"
    assert headline(bundled)["BlazePose full"]["AP"] == expected


def test_a_zip_is_looked_at_before_any_model_runs(annotated_zip: Path) -> None:
    at = evaluate_page(models="movenet-lightning", set="upload")
    assert any("Bring pictures and the file" in info.value for info in at.info)
    upload = at.get("file_uploader")[0]
    upload.upload(annotated_zip.name, annotated_zip.read_bytes(), "application/zip")
    at.run()
    assert not at.exception
    said = " ".join(m.value for m in at.markdown)
    assert "2 of 3 listed pictures with 2 people" in said
    assert "Pictures that are listed but not there" in said
    assert "three\\_people\\_lab" in said
    assert at.button(key="run_evaluate").label == "Evaluate on 2 pictures"
    table = headline(evaluated(at))
    assert list(table) == ["MoveNet Lightning"]
    assert "(" not in table["MoveNet Lightning"]["AP"], "two pictures carry no interval"


def test_a_set_that_had_to_wait_too_long_is_read_in_the_next_run(
    annotated_zip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise TryAgainError("9 files wait already.", "Try again in about 5 s.")

    at = evaluate_page(models="posenet", set="upload")  # which nobody has run on this set yet
    content = annotated_zip.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(sources, "read_elsewhere", busy)
        at.get("file_uploader")[0].upload(annotated_zip.name, content, "application/zip")
        at.run()
    (said,) = at.error
    assert said.value.startswith("9 files wait already")
    at.run()
    assert not at.error
    assert at.button(key="run_evaluate").label == "Evaluate on 2 pictures"


def test_what_is_no_annotated_set_is_told_in_words() -> None:
    at = evaluate_page(models="movenet-lightning", set="upload")
    picture = (FOLDER / "astronaut.jpg").read_bytes()
    at.get("file_uploader")[0].upload("astronaut.jpg", picture, "image/jpeg")
    at.run()
    assert not at.exception
    assert len(at.error) == 1
    assert not any(button.key == "run_evaluate" for button in at.button)


def test_a_recommended_threshold_moves_the_slider(bundled: AppTest) -> None:
    at = bundled
    _, _, measured = at.session_state["evaluate_measured"]
    recommended = measured.evaluation.report.models["blazepose-full"].trust.recommended.value
    at.button(key="use_threshold_blazepose-full").click().run()
    assert not at.exception
    slider = at.slider(key="joint_threshold_blazepose-full")
    assert slider.value == pytest.approx(recommended, abs=0.005)


def test_whatever_can_be_clicked_leads_to_pictures_or_says_that_there_are_none(
    bundled: AppTest,
) -> None:
    at = bundled
    for what in ("pictures", "inversion", "missed_people", "background", "nose", "size/small"):
        at.selectbox[1].set_value(what).run()
        assert not at.exception
        steps = [m.value for m in at.markdown if m.value.startswith("Case **1** of")]
        assert steps or any("none of these" in info.value for info in at.info)


def test_stepping_through_the_cases_goes_from_worst_to_best(bundled: AppTest) -> None:
    at = bundled
    at.selectbox[1].set_value("nose").run()
    first = next(m.value for m in at.markdown if m.value.startswith("Case **1** of"))
    at.button(key="evaluate_next").click().run()
    assert not at.exception
    second = next(m.value for m in at.markdown if m.value.startswith("Case **2** of"))
    assert float(first.rsplit(" ", 1)[1]) <= float(second.rsplit(" ", 1)[1])
