"""What makes a log valid: `validate` over `_validate`, and `unrepaired`, a log without what the
ingest only concluded."""
