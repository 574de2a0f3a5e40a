"""Lines of the program's own code before which a freeze is worth trying: a mark is not needed.

Such a line makes an object that the log has, so that the moment is known to the event. Those are
taken that come next behind the end of the imports, and behind each moment at which the tracked
objects have grown to a part of their most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from gcreplay.store.events import Op, Site
from gcreplay.store.log import EventLog
from gcreplay.store.marks import written

from ..results.phases import IMPORTS, intervals
from ..results.result import Collection

MODULE: Final = "<module>"
_PARTS: Final = (0.5, 0.75, 0.9)
_FOREIGN: Final = re.compile(r"<|.*/(?:(?:site|dist)-packages|lib(?:64)?/python3\.\d+)/", re.DOTALL)


def freezes_at_lines(log: EventLog, made: Sequence[Collection]) -> list[str]:
    """Freezes before such lines, by when they are first passed; `made`: collections of the present
    setting."""
    places = _first_births(log)
    moments = [part.stop for part in intervals(log) if part.phase == IMPORTS][-1:]
    most = max((one.tracked for one in made), default=0)
    for part in _PARTS:
        moments += [one.sequence for one in made if one.tracked >= part * most][:1]
    chosen = {place for moment in moments for place in _next(places, moment)}
    return [f"freeze-at:{_named(log, site)}" for _, site in sorted(chosen, key=lambda one: one[0])]


def _first_births(log: EventLog) -> list[tuple[int, Site]]:
    """Event and place of the first birth at each line of the program's own code, in order; not
    where that birth is only near the line."""
    sites = log.sites
    own = [site for site in sites if not _FOREIGN.match(site.file)]
    first = np.full(len(sites), -1, dtype=np.int64)
    for events in log.named() if own else ():
        born = np.flatnonzero(events.op == Op.ALLOC)
        ids, at = np.unique(events.c[born], return_index=True)
        unseen = first[ids] < 0
        first[ids[unseen]] = born[at[unseen]] + events.first_sequence
    by_line: dict[tuple[str, int], tuple[int, Site]] = {}
    for sequence, site in sorted((int(first[site.id]), site.id) for site in own):
        place = sites[site]
        if sequence >= 0 and place.line > 0:
            by_line.setdefault((place.file, place.line), (sequence, place))
    return [first for first in by_line.values() if not first[1].near]


def _next(places: Sequence[tuple[int, Site]], moment: int) -> Iterator[tuple[int, Site]]:
    """Of what is passed from there on the first line, and the first one of a module."""
    behind = [place for place in places if place[0] >= moment]
    yield from behind[:1]
    yield from [place for place in behind if place[1].function == MODULE][:1]


def _named(log: EventLog, site: Site) -> str:
    """The line, by the name of the file where no other has it."""
    name = site.file.rpartition("/")[2]
    same = {one.file for one in log.sites if one.file.rpartition("/")[2] == name}
    return written(f"{name if len(same) == 1 else site.file}:{site.line}")
