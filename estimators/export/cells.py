"""Text in the cells of a CSV file, such that no spreadsheet takes it for a formula."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from estimators.media.names import printable

if TYPE_CHECKING:
    import pandas as pd

# Spreadsheets compute what begins so, in East Asian versions the wide forms, too (OWASP, "CSV
# Injection"), some behind spaces, too.  Where lists are separated by semicolons, one inside a text
# begins a new cell.
_FORMULA = re.compile(r"(^|;)(?=\s*[=+\-@＝＋－＠])")


def cell(text: str) -> str:
    r"""`text` as it stands in a cell: `'` before what would be a formula, `\t` for a tab, ..."""
    return _FORMULA.sub(r"\1'", printable(text))


def with_plain_cells(table: pd.DataFrame) -> pd.DataFrame:
    """`table` with each of its texts as a `cell`; numbers stay numbers."""
    changed = {}
    for name, column in table.items():
        values = _values(column)
        mapping = {text: cell(text) for text in values if isinstance(text, str)}
        if any(before != after for before, after in mapping.items()):
            changed[name] = column.astype(object).map(lambda v, m=mapping: m.get(v, v))
    return table.assign(**changed) if changed else table


def _values(column: pd.Series[Any]) -> list[Any]:
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        return list(column.cat.categories)
    return [] if pd.api.types.is_numeric_dtype(column) else list(column.unique())
