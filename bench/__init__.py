"""Benchmarks. `make bench` runs the quick ones; `make bench ARGS=soak` one by name."""
