"""From a spool to an event log: drives the native ingest and names what it found."""

from __future__ import annotations

from typing import Any

import numpy as np

from gcreplay.store.errors import GcreplayError, InvalidLog
from gcreplay.store.events import (
    REPAIR_LABELS,
    U32,
    Events,
    Flag,
    FreeLists,
    ObservedCollection,
    Op,
    StartState,
    positions,
)
from gcreplay.store.log import EventLog
from gcreplay.store.readings import INDEX, Readings, firsts
from gcreplay.store.rules.validate import Validator

from ._ingest import Ingest
from ._linetable import LineTable
from .errors import BrokenSpool
from .source import source_lines
from .spool import HEADER, Spool

BATCH_EVENTS = 1 << 20
_KINDS = (
    "other",
    "list",
    "dict",
    "tuple",
    "slice",
    "context",
    "async_gen_asend",
    "async_gen_value",
    "weakref",
    "type",
)
_FINALIZER, _LEGACY = 16, 32
_CUT = "the file was cut short"
REPAIRS = (
    "stale_link",
    "late_decref",
    "hold",
    "opaque",
    "late_object",
    "unknown_free",
    "missed_collection",
)
"""What the ingest had to add for the log to agree with the recorded deaths, by kind."""

UNUSUAL = ("private_free_list", "outlived", "own_blocks")
"""What types do that the interpreter's own do not."""


class SpoolIngest:
    """Moves what a capture has written so far into an event log, as often as asked."""

    def __init__(self, spool: Spool, log: EventLog) -> None:
        self._spool = spool
        self._log = log
        self._native = Ingest()
        self._validator = Validator(log.names, found_heap=True)
        self._written = 0
        self._lines: list[LineTable] = []
        self._code_names: list[tuple[str, str, int]] = []
        self._sites: list[int] = [0]
        self._marks: list[int] = []
        self._labels: list[int] = [0]
        self._calls: list[int] = []
        self._start_written = False
        log.add_types([("", "(unknown)", "other", 0)])
        for label in REPAIR_LABELS.values():  # the native ingest knows their numbers
            log.add_label(label)

    def step(self) -> bool:
        """Take up to `BATCH_EVENTS` events; False when nothing was waiting. Raises BrokenSpool when
        something else than records stands there; what is certain of what stood before is taken."""
        if self._spool.waiting <= 0:
            return False
        try:
            mapped, start, end = self._spool.view()
        except ValueError:
            raise self._broken(_CUT, 0) from None
        try:
            window = memoryview(mapped)
            try:
                with window[start:end] as data:
                    columns = np.frombuffer(data, np.uint8)
                    try:
                        read, definitions = self._native.feed(columns, BATCH_EVENTS)
                    except ValueError as error:
                        why, certain, at = error.args
                        if certain is not None:
                            self._write(certain)
                        raise self._broken(_CUT if self._spool.cut_short else why, at) from None
                    finally:
                        del columns  # it holds the bytes
            finally:
                window.release()
            self._write(definitions)
        finally:
            mapped.close()
        self._spool.consume(read)
        return True

    def finish(self) -> None:
        """The program has ended: take everything and complete the log's facts."""
        while self.step():
            pass
        if self._spool.cut_short:
            raise self._broken(_CUT, self._spool.waiting)
        try:
            self._write(self._native.finish())
        except ValueError as error:
            raise self._broken(str(error), 0) from None
        self._log.add_lines(source_lines(self._log.sites, self._spool.facts))
        repairs = dict(zip(REPAIRS, self._native.repairs, strict=True))
        self._log.set_meta(repairs=repairs, unusual_types=self._unusual_types())

    def _unusual_types(self) -> dict[str, dict[str, int]]:
        """Of each such type, how many objects."""
        of = zip(*self._native.unusual, strict=True)
        return {
            what: {self._log.types[i].qualified: n for i, n in enumerate(counts) if n}
            for what, counts in zip(UNUSUAL, of, strict=False)
        }

    def _broken(self, why: str, further: int) -> BrokenSpool:
        at = HEADER + self._spool.consumed + further
        return BrokenSpool(f"{self._spool.path}: at byte {at:,}: {why}; what was read is kept")

    @property
    def events(self) -> int:
        """Canonical events made so far."""
        return int(self._native.events)

    @property
    def objects(self) -> int:
        """Objects among them. (The log would first have to write what it buffers.)"""
        return int(self._native.objects)

    @property
    def ended(self) -> bool:
        """Whether the interpreter's shutdown was reached."""
        return bool(self._native.ended)

    def _write(self, definitions: dict[str, list[Any]]) -> None:
        log = self._log
        log.add_types(
            (
                module,
                name,
                _KINDS[flags & 15],
                2 if flags & _LEGACY else int(flags & _FINALIZER != 0),
            )
            for flags, module, name in map(_split_type, definitions["types"])
        )
        for first_line, file, function, table in definitions["codes"]:
            self._lines.append(LineTable(table, first_line))
            self._code_names.append((file, function, first_line))
        for code, offset, near in definitions["sites"]:
            file, function, first_line = self._code_names[code - 1]
            line = self._lines[code - 1].line(offset) or first_line
            self._sites.append(log.add_site(file, line, function, near))
        for type_id, size, flags in definitions["shapes"]:
            log.add_shape(type_id, size, Flag(flags))
        self._marks += [log.add_label(label) for label in definitions["marks"]]
        self._calls += [log.add_argument(_json(arguments)) for _, arguments in definitions["calls"]]
        self._labels += [log.add_label(label) for label in definitions["labels"]]
        readings = self._readings()
        op, a, b, c, places, gone = self._native.take()
        _rename(c, positions(op, Op.ALLOC), self._sites)
        _rename(a, positions(op, Op.MARK), self._marks)
        calls = positions(op, Op.GC_CALL)
        _rename(b, calls, self._calls)
        # Sites of their callers stand one higher: 1 is a call from C.
        _rename(c, calls[c[calls] > 1], [0, *(site + 1 for site in self._sites)])
        if not self._start_written and len(start := positions(op, Op.START)):
            self._start_written = True
            a[start] = log.add_argument(_start_state(self._native.state).to_json())
        events = Events(op, a, b, c, self._written)
        try:
            self._validator.feed(events, places, gone)
        except InvalidLog as error:
            certain = events.part(0, error.sequence - self._written)
            self._append(certain, definitions["observed"], readings)
            raise self._contradicts(error) from None
        self._append(events, definitions["observed"], readings)

    def _readings(self) -> Readings:
        sequence, object, reason, title, counts, target, label = self._native.readings()
        names = np.asarray(self._labels, np.uint32)
        named = label < INDEX
        label[named] = names[label[named]]
        return Readings(sequence, object, reason, names[title], firsts(counts), target, label)

    def _append(self, events: Events, observed: list[Any], readings: Readings) -> None:
        self._written += len(events)
        self._log.add_observed(
            ObservedCollection(row[0], row[1], "threshold" if row[2] == 0 else "call", *row[3:])
            for row in observed
            if row[0] < self._written
        )
        self._log.append(*events.columns())
        known = np.searchsorted(readings.sequence, self._written, "right")
        self._log.add_readings(readings.part(0, int(known)))

    def _contradicts(self, error: InvalidLog) -> BrokenSpool:
        return BrokenSpool(
            f"{self._spool.path}: what it says cannot have happened ({error}); what stands before "
            "is kept; this is a fault of gcreplay: please report it, with the spool"
        )


def _rename(column: U32, chosen: Any, names: list[int]) -> None:
    """The numbers that the ingest gave become those of the log."""
    if len(chosen):
        column[chosen] = np.asarray(names, np.uint32)[column[chosen]]


def _split_type(definition: tuple[int, str, str]) -> tuple[int, str, str]:
    """Static types carry their module in the name, heap types beside it."""
    flags, module, name = definition
    if module == "" and "." in name:
        module, _, name = name.rpartition(".")
    return flags, module or "builtins", name


def _json(arguments: list[int]) -> str:
    return "[" + ", ".join(map(str, arguments)) + "]"


def _start_state(state: list[int] | None) -> StartState:
    if state is None:
        raise GcreplayError("the spool has no state record; record again")
    names = ("list", "dict", "slice", "context", "async_gen_asend", "async_gen_value")
    return StartState(
        count=(state[0], state[1], state[2]),
        threshold=(state[3], state[4], state[5]),
        enabled=bool(state[6]),
        long_lived_total=state[7],
        long_lived_pending=state[8],
        free_lists=FreeLists(
            **dict(zip(names, state[9:15], strict=True)), tuple=tuple(state[15:35])
        ),
    )


__all__ = ["BATCH_EVENTS", "REPAIRS", "SpoolIngest"]
