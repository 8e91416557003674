"""Simulated base units, tags, people and radio, with ground truth and an independent auditor."""
