"""Drawing poses on frames."""
