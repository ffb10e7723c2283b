"""Expected quality and the chance to be about the best: every number worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.analysis.quality import (
    CHANCE_SIGNALS,
    Coefficients,
    chance_signals,
    chances,
    expected_oks,
    expected_quality,
    picked_signals,
)
from estimators.analysis.signals import PERSON_SIGNALS, PICTURE_SIGNALS, Signals

LIGHTNING, THUNDER, FULL, POSENET = (
    *("movenet-lightning", "movenet-thunder"),
    *("blazepose-full", "posenet"),
)
TWIN = "movenet-lightning-tfhub"
MODELS = (LIGHTNING, THUNDER, FULL)


def picture(**values: float) -> np.ndarray:
    return np.array([values.get(name, 0.0) for name in PICTURE_SIGNALS])


def people(count: int, score: float = 0.0) -> np.ndarray:
    rows = np.zeros((count, len(PERSON_SIGNALS)))
    rows[:, -1] = score
    return rows


# Two variants of one family, one of another.
THREE = Signals(
    {LIGHTNING: people(1), THUNDER: people(0), FULL: people(2)},
    {LIGHTNING: (0,), THUNDER: (), FULL: (0, 1)},
    {
        LIGHTNING: picture(agreement=0.2, found_share=0.5, found_more=0.1, few=0.3, single=0.6),
        THUNDER: picture(agreement=0.4, found_share=0.8, found_more=0.3, uneven=0.7),
        FULL: picture(agreement=0.9, found_share=0.6, found_more=0.6, long_limbs=0.1, exchanged=1),
    },
    2,
    0.25,
)
QUALITY = {LIGHTNING: 0.5, THUNDER: 0.65, FULL: 0.6}


def told(model: str, models: tuple[str, ...] = MODELS, signals: Signals = THREE) -> dict:
    row = chance_signals(signals, QUALITY, models)[models.index(model)]
    assert len(row) == len(CHANCE_SIGNALS)
    return dict(zip(CHANCE_SIGNALS, row.tolist(), strict=True))


def test_a_model_is_held_against_other_families() -> None:
    assert told(LIGHTNING) == pytest.approx(
        {
            "quality": 0.5,
            "lead": 0.5 - 0.6,
            "mean_quality": (0.5 + 0.65 + 0.6) / 3,
            "families": 2,
            "agreement": 0.2,
            "mean_agreement": (0.2 + 0.4 + 0.9) / 3,
            "agreement_lead": 0.2 - 0.9,
            "found_share_lead": 0.5 - 0.6,
            "found_more_lead": 0.1 - 0.6,
            "few": 0.3,
            "single": 0.6,
            "uneven": 0,
            "long_limbs": 0,
            "exchanged": 0,
        }
    )
    full = told(FULL)
    assert full["lead"] == pytest.approx(0.6 - 0.65)
    assert full["agreement_lead"] == pytest.approx(0.9 - 0.4)
    assert full["found_share_lead"] == pytest.approx(0.6 - 0.8)
    assert full["found_more_lead"] == pytest.approx(0.6 - 0.1)  # over who finds fewest too many
    assert (full["long_limbs"], full["exchanged"]) == (0.1, 1)
    assert told(THUNDER)["uneven"] == 0.7


def test_where_all_are_of_one_family_there_is_no_lead() -> None:
    row = told(LIGHTNING, (LIGHTNING, THUNDER))
    leads = ("lead", "agreement_lead", "found_share_lead", "found_more_lead")
    assert [row[name] for name in leads] == [0, 0, 0, 0]
    assert row["families"] == 1  # by the one that sees somebody
    assert told(THUNDER, (THUNDER, FULL))["families"] == 1


def test_the_oks_of_a_person_is_a_weighted_sum_with_a_line_of_the_models_own() -> None:
    """Of its score and of the best agreement with another family."""
    rows = np.zeros((2, len(PERSON_SIGNALS)))
    rows[0, 0], rows[0, 8], rows[:, 9] = 0.5, 0.25, (0.4, 0.8)
    rows[1, 1] = 0.3
    weights = (0.2, 0.0, *[9.0] * 6, 0.4, 0.1)
    fit = Coefficients(weights, {LIGHTNING: (0.05, 0.5, -0.5)}, ())
    expected = [0.5 * 0.2 + 0.25 * 0.4 + 0.1, 0.1]
    line = [0.05 + 0.5 * 0.4, 0.05 + 0.5 * 0.8 - 0.5 * 0.3]
    assert expected_oks(FULL, rows, fit) == pytest.approx(expected)
    assert expected_oks(LIGHTNING, rows, fit) == pytest.approx(np.add(expected, line))
    assert expected_oks(TWIN, rows, fit) == pytest.approx(np.add(expected, line))
    own = Coefficients(weights, {LIGHTNING: (0.05, 0.5, 0.0), TWIN: (0.3, 0.0, 0.0)}, ())
    assert expected_oks(TWIN, rows, own) == pytest.approx(np.add(expected, 0.3))


@pytest.mark.parametrize(("start", "oks"), [(-0.2, 0), (0.05, 0.05), (0.95, 0.95), (1.2, 1)])
def test_an_expected_oks_is_a_share(start: float, oks: float) -> None:
    fit = Coefficients((0.0,) * 9 + (start,), {}, ())
    assert expected_oks(FULL, people(1), fit) == pytest.approx(oks)


@pytest.mark.parametrize(("oks", "somebody"), [(0.5, 0.65), (0.75, 0.975), (0.8, 1.0)])
def test_a_person_is_somebody_in_proportion_until_surely_so(oks: float, somebody: float) -> None:
    """Three see the first person, one best, one another, one nobody; one also sees a second."""
    score = Coefficients((0.0,) * 10, dict.fromkeys((*MODELS, POSENET), (0.0, 1.0, 0.0)), ())
    signals = Signals(
        {
            LIGHTNING: people(1, 0.9),
            THUNDER: people(1, 0.2),
            FULL: np.concatenate([people(1, oks), people(1, 0.8)]),
            POSENET: people(0),
        },
        {LIGHTNING: (0,), THUNDER: (0,), FULL: (1, 0), POSENET: ()},
        {},
        2,
        0.0,
    )
    # Whom a model misses counts against it, and whom it alone sees as far as it may be nobody.
    assert expected_quality(signals, score) == pytest.approx(
        {
            LIGHTNING: 0.9 / (1 + somebody),
            THUNDER: 0.2 / (1 + somebody),
            FULL: (oks + 0.8) / (1 + somebody + 1 - somebody),
            POSENET: 0.0,
        }
    )


def test_chances_without_calibration_are_the_log_odds() -> None:
    """The weights of everything but the intercept are 0 but one: quality, the first signal."""
    fit = Coefficients((), {}, (2.0, *np.zeros(len(CHANCE_SIGNALS) - 1), 0.5))
    expected = {m: 1 / (1 + np.exp(-(2 * q + 0.5))) for m, q in QUALITY.items()}
    assert chances(THREE, QUALITY, MODELS, fit) == pytest.approx(expected)
    rows = picked_signals(THREE, QUALITY, MODELS, fit)
    best, second = (1 / (1 + np.exp(-(2 * QUALITY[m] + 0.5))) for m in (THUNDER, FULL))
    assert rows[0] == pytest.approx([1.5, 0.5, 0.25, best * (1 - best)])
    assert rows[1, 3] == pytest.approx(second * (1 - second))


def test_a_model_alone_has_no_rival() -> None:
    fit = Coefficients((), {}, np.zeros(len(CHANCE_SIGNALS) + 1))
    (row,) = picked_signals(THREE, QUALITY, (LIGHTNING,), fit)
    assert row[3] == pytest.approx(0.001, abs=1e-5)  # it is out at odds of 1000 : 1
