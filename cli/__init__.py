"""gcreplay: record a program's heap once, replay it under any garbage collector, compare exactly.

This package is the command line, the one place that knows the other three: `gcreplay.tracer`
records, `gcreplay.store` keeps the event log, `gcreplay.replay` runs collectors over it.

Reading order: `main` (the group and its exit codes), `output` (tables and formats), `progress`,
`limits` (`--fail-if`), then `commands`, one file a subcommand. `pytest/` is the pytest plug-in, and
`block` is for programs that are recorded: it marks a block of their code.
"""

from .blocks import block

__all__ = ["block"]
