"""Ways in and out of the file: `jsonl` (JSON Lines), `records` (events as values), `rows` (a table
for plain SQL)."""
