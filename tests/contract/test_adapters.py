"""Every adapter keeps the same contract; see `contracts`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.contracts import CONTRACTS, Subject


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.__name__)
def test_contract(subject: Subject, contract: Callable[[Subject], None]) -> None:
    contract(subject)
