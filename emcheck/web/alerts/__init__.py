"""The queue and the alert: what is open, live, and what may be done about it."""
