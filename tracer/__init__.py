"""Recording: the capture that runs inside a program, and everything around it.

Reading order: `record` (run a program, write its recording), `interpreter` (who runs it),
`signals` (whom a request to end means), `spool` and `ingest` (raw records become canonical
events), `_linetable`, `real` (run a program under a setting without recording it, and note its
collections); natively `preload/` (the way in), `capture/` (inside the program, from `attach.c` on)
and `ingest/` (outside), with `capture/format.h` between them. What depends on one version of the
interpreter stands in `capture/layout.h`.
"""

from .errors import BrokenSpool, CannotRecord, NotASpool
from .real import (
    CollectAt,
    FreezeAt,
    FreezeLine,
    Plan,
    RealCollection,
    RealMark,
    RealOptions,
    RealRun,
    RealRunner,
    run_real,
)
from .record import RecordOptions, RecordProgress, RecordSummary, record, recover

__all__ = [
    "BrokenSpool",
    "CannotRecord",
    "CollectAt",
    "FreezeAt",
    "FreezeLine",
    "NotASpool",
    "Plan",
    "RealCollection",
    "RealMark",
    "RealOptions",
    "RealRun",
    "RealRunner",
    "RecordOptions",
    "RecordProgress",
    "RecordSummary",
    "record",
    "recover",
    "run_real",
]
