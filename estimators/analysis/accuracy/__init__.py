"""How accurate models are on annotated pictures; docs/accuracy.md has the formulas in one place."""
