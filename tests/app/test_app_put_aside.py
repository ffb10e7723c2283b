"""A model lost again and again: the page says that it is put aside, and a button tries it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from estimators.errors import ModelCrashedError
from estimators.runtime import aside
from estimators.runtime import runner as runners
from estimators.runtime.runner import ProcessRunner
from estimators.settings import Settings
from pages.ui import engine
from tests.app.visits import visit
from tests.unit import fake_adapters as fake
from tests.unit.runtime_support import wait_until

KEY, OTHER = "movenet-lightning", "movenet-thunder"


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessRunner]:
    """The app's own, in whose processes stand-ins obey when they are told to end themselves."""
    st.cache_resource.clear()
    st.cache_data.clear()
    models = {key: fake.spec(key) for key in (KEY, OTHER)}
    hosts = ProcessRunner(Settings(), models=models, threads=1)
    monkeypatch.setattr(runners, "ProcessRunner", lambda settings: hosts)
    monkeypatch.setattr(engine, "default_models", lambda has_weights: ())
    yield hosts
    hosts.close()
    st.cache_resource.clear()
    st.cache_data.clear()


def asides(at: AppTest) -> list[str]:
    return [e.value for e in at.error if "is put aside" in e.value]


def test_try_again_after_so_many_crashes(runner: ProcessRunner) -> None:
    for number in range(aside.MOST_IN_A_ROW):  # each by somebody else, with another picture
        with pytest.raises(ModelCrashedError):
            runner.estimate(KEY, fake.picture(number, 9, fake.KILL), viewer=f"{number}")
    at = visit(models=f"{KEY},{OTHER}").run()
    wait_until(lambda: asides(at.run()))
    (told,) = asides(at)
    assert f"{aside.MOST_IN_A_ROW} times in a row" in told
    assert "Try again" in told
    assert [b.key for b in at.button if b.key and b.key.startswith("retry_")] == [f"retry_{KEY}"]
    at.button(key=f"retry_{KEY}").click().run()
    wait_until(lambda: not at.run().error)
    assert not any(b.key == f"retry_{KEY}" for b in at.button)
    states = {s.model: (s.state, s.restarts) for s in runner.status()}
    assert states[KEY] == ("ready", aside.MOST_IN_A_ROW)
    assert states[OTHER] == ("ready", 0)
    assert not at.exception
