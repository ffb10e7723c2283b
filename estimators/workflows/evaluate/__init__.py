"""Models over annotated pictures: the run and what it keeps, its figures, its files."""
