"""gcreplay: record a program's heap once, replay it under any garbage collector, compare exactly.

This package is the command line, the one place that knows the other three: `gcreplay.tracer`
records, `gcreplay.store` keeps the event log, `gcreplay.replay` runs collectors over it.

Reading order: `main` (the group and its exit codes), `output` (tables and formats), `progress`,
`limits` (`--fail-if`), then `commands`, one file a subcommand.
"""
