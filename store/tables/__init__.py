"""The SQLite file: `schema` (what it holds), `database` (opening it), `names` (interned texts),
`seal` (checksums), `sealed` (what is under them), `told` (collections and lines of source), `runs`
(stored results), `upcast` (older files), `projections` (tables that can be made again)."""
