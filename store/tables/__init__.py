"""The SQLite file: `schema` (what it holds), `database` (opening it), `names` (interned texts),
`seal` (checksums), `upcast` (older files), `projections` (tables that can be made again)."""
