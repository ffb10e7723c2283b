"""The Benchmark page: latency, stages, memory, accuracy against latency, other machines."""
