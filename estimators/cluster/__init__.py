"""Many machines at once: a thin driver over what a shard does, on Ray."""
