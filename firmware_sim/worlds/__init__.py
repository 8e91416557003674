"""Whole simulated worlds: a town, a broker and the service itself, in one virtual time."""
