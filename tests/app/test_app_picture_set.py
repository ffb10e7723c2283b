"""Several pictures at once on the Image page: one summary, the most disputed picture first."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from test_app_image import first_page, viewer, wait_for

from pages.ui import uploads

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"

pytestmark = pytest.mark.usefixtures("fresh_server")


def brought(*files: tuple[str, bytes], models: str = "movenet-lightning,blazepose-lite") -> AppTest:
    at = first_page(models=models)
    at.button_group(key="picture_source").set_value("upload").run()
    uploader = at.get("file_uploader")[0]
    for name, data in files:
        uploader.upload(name, data, "image/jpeg")
    at.run()
    wait_for(at)
    for _ in range(100):
        if not at.get("progress"):
            break
        at.run()
    return at


def test_a_set_has_one_verdict_and_its_most_disputed_picture_first() -> None:
    empty = io.BytesIO()
    Image.fromarray(np.full((300, 200, 3), 90, np.uint8)).save(empty, "JPEG")
    files = {
        name: (SAMPLES / f"{name}.jpg").read_bytes() for name in ("astronaut", "three_people_lab")
    }
    at = brought(*((f"{n}.jpg", d) for n, d in files.items()), ("empty.jpg", empty.getvalue()))
    assert [s.value for s in at.header if s.value.startswith("All")] == ["All 3 pictures"]
    (table,) = [d.value for d in at.dataframe if "picture" in d.value]
    assert list(table["picture"]) == ["three_people_lab.jpg", "astronaut.jpg", "empty.jpg"]
    agreement = table["agreement, OKS"]
    assert agreement[0] < agreement[1] <= 1
    assert np.isnan(agreement[2])
    assert table["MoveNet Lightning, people"][2] == 0
    said = " ".join(m.value for m in at.markdown)
    assert "set of pictures" in said


def test_one_picture_has_no_summary() -> None:
    at = brought(("astronaut.jpg", (SAMPLES / "astronaut.jpg").read_bytes()))
    assert not [s for s in at.header if s.value.startswith("All")]
    assert len(at.session_state[uploads._KEPT]) == 1


def test_a_sentence_about_a_joint_leads_to_it() -> None:
    at = wait_for(first_page(models="movenet-lightning,blazepose-lite"))
    assert viewer(at)["pick"] is None
    shows = [b for b in at.button if b.label == "Show"]
    shows[0].click().run()
    pick = viewer(at)["pick"]
    assert pick["model"] in viewer(at)["layers"]
    said = next(m.value for m in at.markdown if "differ most at the" in m.value)
    assert pick["joint"].replace("_", " ") in said
    assert f"person {pick['person']}" in said
    shows = [b for b in at.button if b.label == "Show"]
    shows[0].click().run()
    assert viewer(at)["pick"]["seq"] == pick["seq"] + 1
