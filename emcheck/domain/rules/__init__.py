"""The rules, each in its own file under its id, with its rule book as the docstring."""
