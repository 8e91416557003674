"""Steps from one schema revision to the next, run by `emcheck.store.upgrade` when a database is opened."""
