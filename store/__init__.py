"""The event log: append-only columnar segments in one SQLite file, and what is read from them."""
