"""Recording: the capture that runs inside a program, and everything around it.

Reading order: `record` (run a program, write its recording), `interpreter` (who runs it),
`spool` and `ingest` (raw records become canonical events), `linetable`; natively `capture/`
(inside the program) and `ingest/` (outside), with `capture/format.h` between them.
"""

from .errors import BrokenSpool, CannotRecord, NotASpool
from .record import RecordOptions, RecordProgress, RecordSummary, record, recover

__all__ = [
    "BrokenSpool",
    "CannotRecord",
    "NotASpool",
    "RecordOptions",
    "RecordProgress",
    "RecordSummary",
    "record",
    "recover",
]
