"""Words and drawings for terminal, console and paper alike. Pure."""
