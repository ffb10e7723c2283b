"""How fast each model is, what it takes, and on which machine: one fair way to measure."""
