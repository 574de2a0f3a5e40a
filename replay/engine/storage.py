"""How births and deaths of a log's types touch the young counter: GC header, free list, or none.

Free lists and capacities are those of CPython 3.11; tuples of 20 items are put on their list but
never taken from it.
"""

from __future__ import annotations

import numpy as np

from gcreplay.store.errors import InvalidLog
from gcreplay.store.events import Flag, FreeLists, StartState
from gcreplay.store.log import EventLog
from gcreplay.store.words import describe

from . import _engine

TUPLE_LENGTHS = 20
_TUPLE_HEADER, _ITEM = 40, 8  # bytes: GC header, PyVarObject; one pointer
CAPACITY = {
    "list": 80,
    "dict": 80,
    "slice": 1,
    "context": 255,
    "async_gen_asend": 80,
    "async_gen_value": 80,
}
_FIRST_TUPLE = 1 + len(CAPACITY)
_NUMBER = {kind: i for i, kind in enumerate(CAPACITY, start=1)}
CAPACITIES = [0, *CAPACITY.values(), *[2000] * TUPLE_LENGTHS]
"""By free list number; 0 stands for no free list."""


def free_counts(lists: FreeLists) -> list[int]:
    """Numbers of objects waiting, by free list number."""
    return [0, *(getattr(lists, kind) for kind in CAPACITY), *lists.tuple]


def free_list_of(kind: str, size: int) -> int:
    """Number of the free list that serves blocks of this kind and size; 0 for none."""
    if kind == "tuple":
        length = (size - _TUPLE_HEADER) // _ITEM
        return _FIRST_TUPLE + length - 1 if 1 <= length <= TUPLE_LENGTHS else 0
    return _NUMBER.get(kind, 0)


def engine_for(log: EventLog, mode: int, *, modelled: bool) -> _engine.Engine:
    """An engine that knows the log's shapes and starts with its free lists."""
    types = log.types
    shapes = np.zeros(len(log.shapes), dtype=_engine.SHAPE_DTYPE)
    for shape in log.shapes:
        type_ = types[shape.type]
        row = shapes[shape.id]
        number = free_list_of(type_.kind, shape.size) if Flag.GC in shape.flags else 0
        row["bytes"] = shape.size
        row["flags"] = int(shape.flags)
        row["free_list"] = number
        row["takes"] = number not in (0, len(CAPACITIES) - 1)
        row["is_tuple"] = type_.kind == "tuple"
        row["is_dict"] = type_.kind == "dict"
        row["legacy"] = type_.finalizer == 2
    start = log.start
    waiting = free_counts((start or StartState()).free_lists)
    return _engine.Engine(mode, shapes, waiting, CAPACITIES, modelled, start is None)


def advance(engine: _engine.Engine) -> int:
    """Apply events up to the next reason to stop. Raises InvalidLog for one that breaks a rule."""
    try:
        return engine.advance()
    except _engine.Broken as error:
        sequence, rule = error.args
        raise InvalidLog(sequence, describe(*engine.event), rule) from None
