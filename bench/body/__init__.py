"""The body check on real recordings, which stay where they are: `make bench-body DATA=FOLDER`."""
