"""Composition root: what the service does, put together from domain, wire and adapters."""
