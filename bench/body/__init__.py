"""The body check on simulated tags, and on real recordings (which stay where they are): `make bench-body`."""
