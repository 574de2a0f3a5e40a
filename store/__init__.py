"""The event log: append-only columnar segments in one SQLite file, and what is read from them.

* `events`, `errors`, `words`: what a log consists of; start here.
* `log`, `builder`: append and read; logs written by hand.
* `tables/`: the SQLite file, its schema, checksums and older versions.
* `encoding/`: how events become bytes.
* `rules/`: what makes a log valid.
* `exchange/`: JSON Lines and rows for plain SQL.
* `documentation`: makes docs/event-log.md from all of it.
"""

from .builder import TraceBuilder
from .errors import GcreplayError, InvalidLog
from .events import NO_OBJECT, Events, Flag, GcCall, Op
from .log import EventLog
from .rules.validate import validate

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
