"""The Evaluate page: models against pictures in which people are marked."""
