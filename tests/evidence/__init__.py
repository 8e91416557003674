"""Tests of records on paper."""
