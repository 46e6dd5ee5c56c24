"""Benchmarks. `make bench` runs all; `make bench ARGS=pipeline` one."""
