"""One file per schema revision, frozen once released."""
