"""Runs inside a bench's program, recorded: tracemalloc beside the recording. At the window's end it
writes to GCREPLAY_BENCH_SITES how many of the objects alive are of each [type, file, line]."""

import _tracemalloc
import ctypes
import gc
import json
import os
from collections import Counter
from types import CodeType

from gcreplay_capture import mark

MANAGED_DICT, HEAP_TYPE, HAVE_GC = 1 << 4, 1 << 9, 1 << 14

# get_object_traceback() of 3.11 does not find an object that stands behind its managed dictionary.
traceback_of = ctypes.pythonapi._PyTraceMalloc_GetTraceback
traceback_of.restype = ctypes.py_object
traceback_of.argtypes = [ctypes.c_uint, ctypes.c_size_t]

gc.collect()  # empties the free lists: what lies there tracemalloc would never know
_tracemalloc.start(1)
mark("traced")


def phase(name):
    if name == "end":
        gc.disable()
        mark("compared")
        objects = _alive(gc.get_objects())
        with open(os.environ["GCREPLAY_BENCH_SITES"], "w") as file:  # noqa: PTH123
            births = Counter(map(_born, objects))
            json.dump([[*born, n] for born, n in births.items()], file)


def _alive(tracked):
    """Untracked containers are found through the tracked ones."""
    found = {id(one): one for one in tracked if one is not tracked}
    todo = list(found.values())
    while todo:
        for one in [*gc.get_referents(*todo[-500:]), *_in_code(todo[-500:])]:
            if id(one) not in found and (type(one) is CodeType or _collectable(one)):
                found[id(one)] = one
                todo.insert(0, one)
        del todo[-500:]
    return [one for one in found.values() if type(one) is not CodeType]


def _in_code(some):
    """Constants and names that code objects of 3.11 hold, which have no traverse."""
    for code in some:
        if type(code) is CodeType:
            for offset in (24, 32, 96):
                yield ctypes.py_object.from_address(id(code) + offset).value


def _collectable(one):
    heap = not isinstance(one, type) or one.__flags__ & HEAP_TYPE
    return bool(type(one).__flags__ & HAVE_GC and heap)


def _born(one):
    """Without a place: older than the start."""
    kind = type(one)
    module, name = (type.__dict__[key].__get__(kind) for key in ("__module__", "__qualname__"))
    header = 32 if kind.__flags__ & MANAGED_DICT else 16
    frames = traceback_of(0, id(one) - header)
    return (name if module == "builtins" else f"{module}.{name}", *(frames or [(None, None)])[0])
