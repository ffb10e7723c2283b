"""What several tests of processes share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from estimators.decode import pool as pools
from estimators.decode.pool import Pool


@pytest.fixture(scope="module")
def decoders() -> Iterator[Pool]:
    """Files are decoded in children, as in the app's server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSE_DECODE_MB", "600")
        pool = Pool(120)
        patch.setattr(pools, "_pool", pool)
        pool.warm()
        yield pool
        pool.close()
