"""The event log: append-only columnar segments in one SQLite file, and what is read from them.

* `events`, `errors`, `words`: what a log consists of; start here.
* `log`, `rare`, `builder`: append and read; events of rare ops; logs written by hand.
* `tables/`: the SQLite file, its schema, checksums and older versions.
* `encoding/`: how events become bytes.
* `rules/`: what makes a log valid.
* `exchange/`: JSON Lines and rows for plain SQL.
* `documentation`: makes docs/reference/event-log.md from all of it.

Each name is imported when it is asked for: who only wants an error does not wait for SQLAlchemy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .builder import TraceBuilder
    from .errors import GcreplayError, InvalidLog
    from .events import NO_OBJECT, Events, Flag, GcCall, Op
    from .log import EventLog
    from .rules.validate import validate
else:
    _HOME = {
        "NO_OBJECT": ".events",
        "EventLog": ".log",
        "Events": ".events",
        "Flag": ".events",
        "GcCall": ".events",
        "GcreplayError": ".errors",
        "InvalidLog": ".errors",
        "Op": ".events",
        "TraceBuilder": ".builder",
        "validate": ".rules.validate",
    }

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOME[name], __name__), name)


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
