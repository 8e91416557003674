"""Accounts, passwords, second factors and sessions: who somebody is, and what is theirs to change."""
