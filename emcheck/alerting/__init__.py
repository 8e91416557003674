"""The way out: alerts from the transactional outbox to where they are watched. At least once, in order."""
