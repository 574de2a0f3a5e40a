"""Where a recording passes a place of the program's code: a line of a file."""

from __future__ import annotations

import numpy as np

from gcreplay.store.errors import NotFound
from gcreplay.store.events import Op
from gcreplay.store.log import EventLog
from gcreplay.store.marks import meant

Place = tuple[str, int]
"""A file, whole or the end of its path from a folder on, and a line."""


def is_in(file: str, wanted: str) -> bool:
    """Whether a path is the wanted one or ends in it."""
    return file == wanted or file.endswith(f"/{wanted}")


def first_birth(log: EventLog, place: Place, since: int = 0) -> int:
    """The event from `since` on in which that line first makes an object that the log has; raises
    NotFound where there is none. Births whose line is only near do not count."""
    file, line = place
    sites = log.sites
    exact = [site for site in sites if not site.near and is_in(site.file, file)]
    ids = [site.id for site in exact if site.line == line]
    for events in log.named(since) if ids else ():
        born = np.flatnonzero((events.op == Op.ALLOC) & np.isin(events.c, ids))
        if len(born):
            return int(born[0]) + events.first_sequence
    lines = sorted({site.line for site in exact}, key=lambda one: (abs(one - line), one))[:3]
    names = {site.file.rpartition("/")[2] for site in sites}
    if lines:
        near = f"; lines of it that do: {', '.join(map(str, sorted(lines)))}"
    else:
        near = meant(file.rpartition("/")[2], names)
    raise NotFound(f"line {line} of {file} makes no object in the recording from there on{near}")
