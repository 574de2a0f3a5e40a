"""The event log: append-only columnar segments in one SQLite file, and what is read from them.

Reading order: `events` (what a log consists of), `schema` (what the file holds), `log` (append
and read), `builder` and `jsonl` (logs written by hand), `validate` (the rules), `unrepaired` (a
log without what it only concludes), `projections` and `rows` (plain SQL over a log); below them
`codec`, `_codec` and `segments` (how events become bytes), `names`, `seal` (checksums of the
tables), `database` and `upcast`.
"""

from .builder import TraceBuilder
from .errors import GcreplayError, InvalidLog
from .events import NO_OBJECT, Events, Flag, GcCall, Op
from .log import EventLog
from .validate import validate

__all__ = [
    "NO_OBJECT",
    "EventLog",
    "Events",
    "Flag",
    "GcCall",
    "GcreplayError",
    "InvalidLog",
    "Op",
    "TraceBuilder",
    "validate",
]
