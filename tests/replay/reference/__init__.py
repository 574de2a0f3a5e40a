"""The replay engine and its collectors in plain Python: an executable specification.

Written from docs/reference/event-log.md and from CPython 3.11's Modules/gcmodule.c, not from the
native engine, which must equal it event by event. Nothing here is fast. Generations are dicts of
ids, in order; generation 3 is the permanent one and None means untracked.

* `heap`: what an object is, and how it dies.
* `regions`: what finalizers and callbacks did, where it runs.
* `collector`: a collection.
* `player`: what each event does.
* `incremental`, `pep848`: the collectors that take a heap in parts.
* `freethreaded`, `marksweep`, `trialdeletion`: those without generations.
"""

from typing import Any

from gcreplay.store.log import EventLog

from .collector import INCREMENTAL
from .freethreaded import FreeThreaded
from .incremental import Incremental
from .marksweep import MarkSweep
from .pep848 import Pep848
from .player import Reference, killed_inside
from .trialdeletion import PHP, NimORC

__all__ = ["Reference", "killed_inside", "reference"]

OTHERS: dict[str, type[Reference]] = {
    "mark-sweep": MarkSweep,
    "pep848": Pep848,
    "php": PHP,
    "nim-orc": NimORC,
}


def reference(log: EventLog, rules: str, **options: Any) -> Reference:
    """A replay of any collector."""
    if rules == "cpython-3.14t":
        return FreeThreaded(log, rules, **options)
    if rules in OTHERS:
        return OTHERS[rules](log, rules, **options)
    return (Incremental if rules in INCREMENTAL else Reference)(log, rules, **options)
