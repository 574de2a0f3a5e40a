"""A log without some of its references, as if they had been weak.

Every event keeps its sequence number, so results can be laid beside the recording. A KEPT event
stands where one was left out: it says nothing where free lists are modelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from gcreplay.store.events import NO_OBJECT, REPAIR_LABELS, U8, U64, Events, Op, positions
from gcreplay.store.log import EventLog
from gcreplay.store.rules.sifted import Sifted, sifted
from gcreplay.store.words import describe

from ..run import CUTS
from .chosen import Chosen, Names, choose
from .cut import Cut
from .links import FOREVER, Links


@dataclass(frozen=True, slots=True)
class Use:
    """An event of the recording in which the program uses an object that would be dead by then."""

    event: int
    told: str
    object: int
    type: str
    site: str


@dataclass(frozen=True, slots=True)
class Lost:
    """What the program still uses when nothing but what was cut holds it.

    objects: how many. events: in how many events it takes a reference to them, or asks a weak
    reference. first: the first of these.
    """

    objects: int = 0
    events: int = 0
    first: Use | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def sentence(self) -> str:
        """The warning; empty where nothing is lost."""
        if self.first is None:
            return ""
        objects = "an object" if self.objects == 1 else f"{self.objects:,} objects"
        site = f" made at {self.first.site}" if self.first.site else ""
        return (
            f"a weak reference would change the program: it still uses {objects} that nothing else "
            f"holds (first at event {self.first.event:,}: {self.first.told}, of a "
            f"{self.first.type}{site})"
        )


class CutLog:
    """`log`: in memory, the recording without the references that `cuts` mean; a context manager.

    It follows the rules but for the KEPT events that stand in for others. A replay of it models
    free lists: what is recorded of them is true of the uncut program only. `chosen`: how many
    references are cut. `lost`: what the program misses then. `coarse`: the recording was probed
    in its collections alone, and what dies in between dies late in it.
    """

    def __init__(self, cuts: Sequence[Cut], log: EventLog, chosen: Chosen, lost: Lost) -> None:
        self.cuts, self.log, self.chosen, self.lost = tuple(cuts), log, chosen, lost
        meta = log.meta
        self.coarse = meta.get("counts") == "probed" and not meta.get("granularity")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.log.close()


def cut_log(log: EventLog, cuts: Sequence[Cut], names: Names | None = None) -> CutLog:
    """The log without these references. `names`: its own, where they are known already.

    Raises NotFound for a cut that means none, InvalidLog for a log that breaks its rules, and as
    `EventLog.segments`.
    """
    names = Names(log) if names is None else names
    links, chosen = names.links, choose(names, cuts)
    undone = links.undone[chosen.links]
    out = np.sort(np.concatenate([links.sequence[chosen.links], undone[undone != FOREVER]]))
    rest = EventLog.in_memory(meta={**log.meta, CUTS: [str(cut) for cut in cuts]})
    try:
        rest.take_names(log.names)
        uses = _Uses(log, links)
        for part in sifted(log, lambda events: _within(out, events)):
            uses.take(part)
            rest.append(*_standing_in(part))
        rest.add_readings(log.readings(frames=True))
        rest.flush()
    except BaseException:
        rest.close()
        raise
    return CutLog(cuts, rest, chosen, uses.lost())


def _within(out: U64, events: Events) -> U8:
    """Which of these events are among those sequence numbers, ascending."""
    mask = np.zeros(len(events), np.uint8)
    begin, end = np.searchsorted(out, [events.first_sequence, events.first_sequence + len(events)])
    mask[(out[begin:end] - np.uint64(events.first_sequence)).astype(np.intp)] = 1
    return mask


def _standing_in(part: Sifted) -> tuple[np.ndarray, ...]:
    gone = part.keep == 0
    op, a, b, c = (column.copy() for column in part.events.columns())
    op[gone], b[gone], c[gone] = Op.KEPT, 0, 0
    return op, a, b, c


class _Uses:
    """Gathers where the program takes a reference to what is dead without what was cut, or asks or
    makes a weak one. What else names it is no sign of life: sizes, links and tracking are noted
    when the recorder probes, which may be after the object was let go. Nor is what a recorded
    collection does to its garbage, nor a repair."""

    def __init__(self, log: EventLog, links: Links) -> None:
        repairs = REPAIR_LABELS.values()
        self._repairs = [i for i, text in enumerate(log.labels) if text in repairs]
        self._log, self._links = log, links
        self._inside = 0
        self._objects = [np.zeros(0, np.uint32)]
        self._events = 0
        self._first: tuple[int, tuple[int, int, int, int], int] | None = None

    def take(self, part: Sifted) -> None:
        events = part.events
        op, a, b, c = events.columns()
        depth = np.zeros(len(op), np.int64)
        marks = positions(op, Op.INSIDE)
        depth[marks] = np.where(b[marks] == 1, 1, -1)
        depth = np.cumsum(depth) + self._inside
        if len(op):
            self._inside = int(depth[-1])
        taken = (op == np.uint8(Op.INCREF)) & ~np.isin(c, self._repairs)
        pointed = (op == np.uint8(Op.LINK)) | (op == np.uint8(Op.WEAKREF))
        taken |= pointed & (b == part.missed) & (a != b)
        at = np.flatnonzero(taken & (part.missed != NO_OBJECT) & (depth == 0))
        if not len(at):
            return
        self._events += len(at)
        self._objects.append(np.unique(part.missed[at]))
        if self._first is None:
            i = int(at[0])
            event = (int(op[i]), int(a[i]), int(b[i]), int(c[i]))
            self._first = (events.first_sequence + i, event, int(part.missed[i]))

    def lost(self) -> Lost:
        if self._first is None:
            return Lost()
        sequence, event, wanted = self._first
        type_ = self._log.types[int(self._links.type[wanted])].qualified
        use = Use(sequence, describe(*event), wanted, type_, _site_of(self._log, wanted))
        return Lost(len(np.unique(np.concatenate(self._objects))), self._events, use)


def _site_of(log: EventLog, wanted: int) -> str:
    """File and line of an object's birth; empty where they are unknown."""
    header = next(one for one in reversed(log.segment_table) if one.first_object <= wanted)
    events = log.window(header.first_sequence, header.stop_sequence)
    born = positions(events.op, Op.ALLOC)[wanted - header.first_object]
    site = log.sites[int(events.c[born])]
    return f"{'near ' * site.near}{site.file}:{site.line}" if site.id else ""
