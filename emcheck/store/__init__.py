"""Durable memory: one schema and one set of queries over SQLite and PostgreSQL, and a store in memory for replay.

Other rooms are handed an `emcheck.ports.Store`; what is behind it is known here only.
"""
