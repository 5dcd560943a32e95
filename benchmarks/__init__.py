"""Benchmarks: each prints one JSON line; `make bench` runs them and rewrites docs/benchmarks.md."""
