"""Numbers made from poses: matching, agreement, accuracy, verdicts."""
