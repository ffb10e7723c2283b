"""The verdict box: one answer for page and command line, places, next steps, the rule itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from test_app_image import first_page, timed_once, viewer, wait_for
from test_app_picture_set import brought
from test_app_video import player, process, video_page

from estimators.cli.main import main
from pages.ui import uploads
from pages.ui.image import page, picture_set
from pages.ui.votes import _disputed, _why_none

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_media"
TWO = "movenet-lightning,blazepose-lite"

__all__ = ["timed_once"]  # a fixture of the Image page's tests
pytestmark = pytest.mark.usefixtures("fresh_server")


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label == label).click().run()
    return wait_for(at)


def without_measures(verdict: dict) -> dict:
    """Times and memory are measured anew by whoever asks."""
    for answer in (verdict["all"], *verdict["pictures"]):
        said = [reason["text"] for reason in answer["reasons"]]
        assert any(text.startswith("Time a picture here") for text in said)
        answer["reasons"] = [
            reason
            for reason in answer["reasons"]
            if not re.match("Time a picture here|Memory of its process", reason["text"])
        ]
    return verdict


@pytest.mark.parametrize(
    "names", [["balance_from_behind.jpg"], ["three_people_lab.jpg", "astronaut.jpg"]]
)
def test_page_and_command_line_give_the_same_verdict(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = "movenet-lightning,blazepose-lite,posenet"
    folder = tmp_path / "out"
    monkeypatch.chdir(SAMPLES)  # as a person names the files: so they are called in the verdict
    assert main(["compare", *names, "--models", models, "--output", str(folder)]) == 0

    answers = []
    module = picture_set if len(names) > 1 else page
    verdict_of = module.verdict_of

    def heard(*given: object) -> object:
        answers.append(verdict_of(*given))
        return answers[-1]

    monkeypatch.setattr(module, "verdict_of", heard)
    brought(*((name, (SAMPLES / name).read_bytes()) for name in names), models=models)
    said = without_measures(json.loads((folder / "verdict.json").read_text()))
    assert without_measures(answers[-1].as_data()) == said
    assert [each["file"] for each in said["pictures"]] == names


def test_where_nothing_decides_the_next_step_is_a_button() -> None:
    at = wait_for(first_page(models="movenet-lightning,blazepose-full", sample="three_people_lab"))
    assert any(m.value.startswith("**No recommendation") for m in at.markdown)
    press(at, "Mark the truth")
    assert at.session_state["layout"] == "truth"
    assert viewer(at)["marking"]["come"] == 1
    press(at, "Vote")
    assert at.session_state["layout"] == "vote"
    press(at, "Add PoseNet, another family")
    assert at.session_state["compare_models"][-1] == "posenet"
    assert "posenet" in at.query_params["models"]
    assert not [b for b in at.button if b.label.startswith("Add ")]


@pytest.mark.usefixtures("timed_once")
def test_the_rule_is_told_in_the_box() -> None:
    at = wait_for(first_page(models=TWO))
    told = "**Requirements** put models out"
    assert not any(told in m.value for m in at.markdown)
    at.session_state["verdict_rule"] = True  # opened
    at.run()
    at.run()  # it is open still when the page runs again
    rule = next(m.value for m in at.markdown if told in m.value)
    written = (ROOT / "docs/verdict.md").read_text(encoding="utf-8")
    tables = [line for line in written.splitlines() if line.startswith("|")]
    assert tables
    assert all(line in rule for line in tables)
    # A link to another document would lead nowhere.
    assert "](formats.md)" in written
    assert "](formats.md)" not in rule


def test_a_sentence_about_a_set_leads_to_its_picture_and_joint() -> None:
    names = ("astronaut", "three_people_lab", "balance_from_behind")
    at = brought(*((f"{n}.jpg", (SAMPLES / f"{n}.jpg").read_bytes()) for n in names), models=TWO)
    reasons = [m.value.replace("\\", "") for m in at.markdown]
    said = next(r for r in reasons if re.search(r"differ most at the .* on \S+\.jpg", r))
    joint, person, picture = re.findall(r"at the (.*) of person (\d+) on (\S+\.jpg)", said)[0]
    found = []
    for show in [b.key for b in at.button if b.key.startswith("set_verdict_reason")]:
        at.button_group(key="layout").set_value("truth").run()
        wait_for(at.button(key=show).click().run())
        pick, chosen = viewer(at)["pick"], at.session_state[uploads.CHOSEN]
        name = at.session_state[uploads._KEPT][chosen].name
        found.append((pick["joint"].replace("_", " "), str(pick["person"]), name))
    assert (joint, person, picture) in found


def test_a_sentence_about_a_clip_leads_to_frame_and_joint() -> None:
    at = process(video_page(stride="5", models=TWO))
    said = next(m.value for m in at.markdown if "differ most at the" in m.value).replace("\\", "")
    joint, person, frame = re.findall(r"at the (.*) of person (\d+) in frame (\d+)", said)[0]
    found = []
    for show in [b.key for b in at.button if b.label == "Show"]:
        at.button(key=show).click().run()
        seek = player(at)["seek"]
        pick = seek["pick"]
        found.append((pick["joint"].replace("_", " "), str(pick["person"]), str(seek["frame"])))
    assert (joint, person, frame) in found


def test_a_clip_that_nothing_decides_is_marked_at_its_most_disputed_frame() -> None:
    at = process(video_page(stride="5", models=TWO, clip_view="Agreement"))
    disputes = next(d.value for d in at.dataframe if "dispute, 1 − OKS" in d.value)
    (mark,) = [b for b in at.button if b.label == "Mark the truth"]
    mark.click().run()
    assert not at.exception
    shown = json.loads(at.main.get("bidi_component")[-1].proto.json)
    assert shown["marking"]["come"] == 1
    assert at.session_state["clip_view"] == "Truth"
    # The suggestions are the worst frames of the clip, not its first ones.
    worst = disputes.loc[disputes["dispute, 1 − OKS"].idxmax(), "frame"]
    (frames,) = [b for b in at.button_group if b.key.startswith("truth_frame")]
    assert frames.value == worst
    # Or it is voted on, and the verdict above knows at once.
    next(b for b in at.button if b.label == "Vote").click().run()
    (better,) = [b for b in at.button if b.label == "A is better"]
    (vote,) = [b for b in at.button if b.label.startswith("Vote on frame")]
    assert vote.label.endswith(", on show")
    better.click().run()
    assert not at.exception
    assert sum("1 of 1 votes" in m.value for m in at.markdown) == 2
    assert at.session_state["blind_votes"][0].place.split(":")[1] == str(worst)
    assert any("nothing left to vote on in this frame" in i.value for i in at.info)


def test_one_model_alone_cannot_be_voted_on() -> None:
    at = wait_for(first_page(models="movenet-lightning", layout="vote"))
    assert [i.value for i in at.info] == ["A vote needs two answers to choose from: add a model."]


def test_where_no_two_see_the_same_person_another_frame_is_to_be_taken() -> None:
    one, nobody = SimpleNamespace(shown={"a": 0}, members={1: {"a": 0}}), {1: {"a": 0}, 2: {"b": 0}}
    assert _why_none(one).endswith("to choose from: add a model.")
    for frame, what in ((None, "picture"), (3, "frame")):
        scene = SimpleNamespace(shown={"a": 0, "b": 0}, members=nobody, frame_index=frame)
        assert f"this {what} has none: take another one" in _why_none(scene)
        scene.members = {1: {"a": 0, "b": 0}}
        assert f"nothing left to vote on in this {what}" in _why_none(scene)


def test_a_vote_looks_at_the_joints_that_lie_furthest_apart() -> None:
    one = np.stack([np.arange(17.0) * 10, np.full(17, 50.0)], axis=-1)  # 160 pixels wide
    other = one.copy()
    other[9] += (0, 30)
    other[10] += (0, 14)  # less than half as far
    other[0] = np.nan
    name, box = _disputed(one, other)
    assert name == "left wrist"
    assert box == pytest.approx((90 - 40, 50 - 40, 90 + 40, 80 + 40))
    # Nothing in common: everything is looked at.
    one[5:], other[:5] = np.nan, np.nan
    assert _disputed(one, other)[1] == pytest.approx((-40, 10, 200, 120), abs=1)
