"""Which picture is to blame for a model's process that was lost."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.errors import ModelCrashedError, ModelError
from estimators.runtime import losses as module
from estimators.runtime.losses import Losses
from estimators.types import Frame


def picture(shade: int) -> Frame:
    return Frame(np.full((8, 9, 3), shade, np.uint8))


def lost_on(losses: Losses, frame: Frame) -> None:
    with pytest.raises(ModelCrashedError), losses.of(frame, "sender"):
        raise ModelCrashedError("Its process was killed.", "Try again.")
    losses.forgive()


def test_a_picture_that_is_answered_in_the_end_is_not_to_blame() -> None:
    """A clip's frames come again with every run: kills from outside must not add up on them."""
    losses, frame = Losses(), picture(1)
    for _ in range(5):
        lost_on(losses, frame)
        losses.check(frame, "sender")
        with losses.of(frame, "sender"):
            pass


def test_pictures_of_a_size_are_looked_at_no_longer_than_a_loss_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    losses, hashed, now_s = Losses(), [], [1000.0]
    key = module._key
    monkeypatch.setattr(module, "_key", lambda frame: hashed.append(frame) or key(frame))
    monkeypatch.setattr(module.time, "monotonic", lambda: now_s[0])
    lost_on(losses, picture(1))
    for expected in (3, 3):
        losses.check(picture(2), "another")
        with losses.of(picture(2), "another"):
            pass
        assert len(hashed) == expected
        now_s[0] += 601


def test_one_that_is_never_answered_is_set_aside_and_no_other() -> None:
    losses, frame = Losses(), picture(1)
    lost_on(losses, frame)
    with losses.of(picture(2), "sender"):
        pass
    lost_on(losses, frame)
    with pytest.raises(ModelError, match="set aside"):
        losses.check(frame, "another")
    losses.check(picture(2), "another")
