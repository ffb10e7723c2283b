"""Files to take away: CSV, JSON, Parquet, COCO results."""
