"""A model that was lost too often in a row rests, and is then tried again by itself."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from estimators.errors import ModelCrashedError, PutAsideError
from estimators.runtime import aside


def test_it_rests_for_a_while_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(aside, "time", SimpleNamespace(monotonic=lambda: now_s))
    model = aside.Aside("MoveNet")
    for _ in range(aside.MOST_IN_A_ROW):
        model.check()
        model.lost(ModelCrashedError("Killed.", ""))
    now_s += 20
    with pytest.raises(PutAsideError, match=r"MoveNet is put aside: .* 8 times.* Killed") as told:
        model.check()
    assert told.value.retry_after_s == pytest.approx(aside.PAUSE_S - 20)
    assert "not started for 40 s" in told.value.advice
    now_s += 40
    model.check()
    model.lost(ModelCrashedError("Killed.", ""))  # it rests anew after a single loss
    with pytest.raises(PutAsideError, match="9 times"):
        model.check()
    model.forgive()
    model.check()
