"""Benchmarks: figures side by side in one run on this machine. `make bench` prints them."""
