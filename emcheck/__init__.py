"""emcheck: an open-source curfew checker for electronic monitoring."""

__version__ = "0.1.0"
