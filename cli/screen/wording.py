"""Events in words: what `gcreplay events` prints for each."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from gcreplay.report.words.places import short
from gcreplay.screen.here import here
from gcreplay.store import NO_OBJECT, EventLog, Events, Flag, GcCall, Op
from gcreplay.store.events import StartState, WeakUse, signed64

GENERATIONS: Final = ("young", "generation 1", "generation 2", "permanent", "never freed")
NO_OBJECTS: Final = (Op.START, Op.GC_CALL, Op.SAFEPOINT, Op.MARK, Op.TICK)
TWO_OBJECTS: Final = (Op.LINK, Op.UNLINK, Op.WEAKREF)


_WEAK: Final = {
    WeakUse.PLAIN: "",
    WeakUse.CALLBACK: ", with callback",
    WeakUse.HIT: ": asked, and it lives",
    WeakUse.MISS: ": asked, and it is dead",
}


class Wording:
    """Puts events of one log into words; objects appear as type#number, as in `list#12`."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._types = log.types
        self._shapes = log.shapes
        self._sites = log.sites
        self._labels = log.labels
        self._arguments = log.arguments
        self._shape_of: dict[int, int] = {}

    def lines(self, events: Events) -> Iterator[tuple[int, str, str]]:
        """Sequence number, name of the op and the rest in words, for each event."""
        self._find_shapes(named_objects(events))
        for i in range(len(events)):
            op = Op(int(events.op[i]))
            told = self._tell(op, int(events.a[i]), int(events.b[i]), int(events.c[i]))
            yield events.first_sequence + i, op.name.lower().replace("_", "-"), told

    def _find_shapes(self, objects: Iterable[int]) -> None:
        """Read the segments in which the objects were born: only alloc events name a type."""
        wanted = np.array(sorted(set(objects)), np.int64)
        for segment in self._log.segment_table:
            stop = segment.first_object + segment.objects
            here = wanted[(wanted >= segment.first_object) & (wanted < stop)]
            if not len(here):
                continue
            events = self._log.window(segment.first_sequence, segment.stop_sequence)
            shapes = events.b[events.op == Op.ALLOC]
            found = shapes[here - segment.first_object]
            self._shape_of.update(zip(here.tolist(), found.tolist(), strict=True))

    def _object(self, number: int) -> str:
        if number == NO_OBJECT:
            return "nothing"
        shape = self._shapes[self._shape_of[number]]
        return f"{self._types[shape.type].qualified}#{number}"

    def _tell(self, op: Op, a: int, b: int, c: int) -> str:
        match op:
            case Op.START:
                return self._start(a)
            case Op.ALLOC:
                return self._birth(a, b, c)
            case Op.INCREF | Op.DECREF:
                return self._object(a) + (f" by {b}" if b > 1 else "")
            case Op.LINK | Op.UNLINK:
                label = f"  {self._labels[c]}" if c else ""
                return f"{self._object(a)} -> {self._object(b)}{label}"
            case Op.RESIZE:
                return f"{self._object(a)} has {signed64(b, c):+,} bytes beside its block of birth"
            case Op.TRACK:
                return f"{self._object(a)}  {GENERATIONS[b]}"
            case Op.GC_CALL:
                arguments = self._arguments[b].strip("[]")
                call = GcCall(a).name.lower()
                return f"gc.{call}({arguments}){' from C' if c == 1 else self._place(c - 1)}"
            case Op.INSIDE:
                return f"{'ends' if b == 0 else 'begins'}: a finalizer of {self._object(a)}"
            case Op.MARK:
                return self._labels[a]
            case Op.TICK:
                return f"{a | b << 32:,} ns"
            case Op.WEAKREF:
                return f"{self._object(a)} to {self._object(b)}{_WEAK[WeakUse(c)]}"
            case Op.SAFEPOINT:
                return ""
            case Op.KEPT | Op.UNTRACK:
                return self._object(a)

    def _start(self, argument: int) -> str:
        state = StartState.from_json(self._arguments[argument])
        return (
            f"counters {_commas(state.count)}  thresholds {_commas(state.threshold)}  "
            f"{'enabled' if state.enabled else 'disabled'}"
        )

    def _birth(self, number: int, shape_id: int, site_id: int) -> str:
        shape = self._shapes[shape_id]
        flags = " ".join(flag.name.lower() for flag in Flag if flag in shape.flags and flag.name)
        return f"{self._object(number)}  {shape.size} bytes  {flags}{self._place(site_id)}"

    def _place(self, site_id: int) -> str:
        if site_id <= 0:
            return ""
        site = self._sites[site_id]
        near = "near " if site.near else ""
        return f"  {near}{short(site.file, *here())}:{site.line} {site.function}"


def _commas(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


def named_objects(events: Events) -> set[int]:
    """The numbers of all objects that the events name."""
    named = set(events.a[~np.isin(events.op, NO_OBJECTS)].tolist())
    named |= set(events.b[np.isin(events.op, TWO_OBJECTS)].tolist())
    return named - {NO_OBJECT}
