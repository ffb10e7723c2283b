"""Exit codes of every command, and the formats that `compare` writes."""

from __future__ import annotations

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
FORMATS = ("json", "csv", "coco", "coco-dataset", "parquet")
