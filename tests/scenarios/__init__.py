"""The nights that everything is held against, each under a name and with a story that a person reads (`told`)."""
