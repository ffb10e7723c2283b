"""Arrays that grow row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Growing:
    """Rows of one shape and dtype that double their room when it runs out."""

    def __init__(self, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
        self._data: NDArray[Any] = np.empty((16, *shape), dtype)
        self._rows = 0

    def extend(self, values: Any) -> None:
        """Appends rows [N, *shape]."""
        values = np.asarray(values, self._data.dtype)
        end = self._rows + len(values)
        if end > len(self._data):
            data = np.empty((max(end, 2 * len(self._data)), *self._data.shape[1:]), values.dtype)
            data[: self._rows] = self.rows
            self._data = data
        self._data[self._rows : end] = values
        self._rows = end

    @property
    def rows(self) -> NDArray[Any]:
        """Read-only view of what is there, [N, *shape]."""
        view = self._data[: self._rows]
        view.flags.writeable = False
        return view
