"""The size of an object, born while recording or found where it began, is that of its block.

With GCREPLAY_SIZES_PYTHON and GCREPLAY_SIZES_MODULES the soak asks the types of other packages."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from recording import BARE, Recorded, run_recorded

from gcreplay.replay.run import Replay
from gcreplay.store.events import Op
from gcreplay.store.log import EventLog

OBJECTS = """
import collections, contextvars, enum, os, re, sys, time
class Plain: pass
class Slots: __slots__ = ("a", "b")
class Tuple(tuple): pass
class Integer(int): pass
class Bytes(bytes): pass
class List(list): pass
class Meta(type): pass
class Made(metaclass=Meta): __slots__ = ("x", "y", "z")
class Colour(enum.IntEnum): RED = 1; BIG = 1 << 70
Named = collections.namedtuple("Named", "x y z")
def generator(*many):
    a = b = [many]
    yield a, b
async def coroutine(): pass
async def later(): yield 1
def frame(a=1, b=2): return sys._getframe()
kept = [Plain(), Slots(), Integer(), Integer(1 << 99), Bytes(b"123456789"), List([1]), Named(1, 2, 3)]
kept += [Tuple([[]] * n) for n in range(9)] + [(*[[]] * n,) for n in range(1, 30)]
kept += [Integer(-1 << n) for n in range(0, 200, 20)] + [Bytes(bytes(n)) for n in range(20)]
kept += [type(f"C{n}", (), {"__slots__": [f"s{i}" for i in range(n)]}) for n in range(9)]
kept += [generator(1), coroutine(), later(), frame(), memoryview(b"abc"), re.compile("a(b)|c")]
kept += [os.stat("."), time.localtime(), os.times(), sys.version_info, re.match("a(.)", "ab")]
kept += [slice(1, kept), {}, {1: kept}, {1}, [], Plain().__init__, contextvars.copy_context()]
try: 1 / 0
except ZeroDivisionError as error: kept += [error, error.__traceback__]
"""

EVERY_TYPE = """
import gc, importlib, os, sys, warnings
warnings.simplefilter("ignore")
LEFT = {"antigravity", "this", "idlelib", "turtle", "turtledemo", "tkinter", "test", "distutils"}
names = os.environ.get("SIZES_OF", "").split() or sorted(sys.stdlib_module_names - LEFT)
modules = set()
for name in names:
    try: importlib.import_module(name)
    except ImportError: continue
    modules.add(name.partition(".")[0])
def below(kind, found):
    for one in type.__subclasses__(kind):
        if one not in found:
            found[one] = None
            below(one, found)
    return found
kept = []
for kind in list(below(object, {object: None})):
    if str(kind.__module__).partition(".")[0] not in modules | {"builtins", "collections"}: continue
    if kind.__flags__ & 1 << 9 and not os.environ.get("SIZES_OF"): continue # made by Python code
    if not kind.__flags__ & 1 << 14 or issubclass(kind, type): continue
    for arguments in ((), ([],), ("a",), (b"abc",), ({},), (iter([]),), (len,), (object,), ([], [])):
        try: kept.append(kind(*arguments))
        except BaseException: continue
        break
"""

ALL_OBJECTS = """
def all_objects():
    found = {id(one): one for one in gc.get_objects()}
    todo = list(found.values())
    while todo:
        for one in gc.get_referents(todo.pop()):
            if id(one) not in found and type(one).__flags__ & 1 << 14 and not (
                issubclass(type(one), type) and not one.__flags__ & 1 << 9):
                found[id(one)] = one
                todo.append(one)
    return [one for one in found.values() if not (issubclass(type(one), type) and not one.__flags__ & 1 << 9)]
"""

PROGRAM = """
import ctypes, gc, sys
from gcreplay_capture import mark
from objects import kept
gc.collect() # what was taken from private free lists is met
gc.disable()
with open("/proc/self/maps") as maps: mappings = [line.split() for line in maps]
bounds = [(*(int(bound, 16) for bound in fields[0].split("-")), *fields[5:]) for fields in mappings]
low, high = next((first, end) for first, end, *path in bounds if path == ["[heap]"])
asked_for = [(first, end) for first, end, *path in bounds if path in ([], ["[heap]"])]
usable = ctypes.CDLL(None).malloc_usable_size
usable.argtypes, usable.restype = [ctypes.c_void_p], ctypes.c_size_t
def pool(at): return (ctypes.c_uint.from_address((at & ~16383) + 36).value + 1) * 16 # its szidx
def room_of(size): return -(-size // 16) * 16 if size <= 512 else -(-(size + 8) // 16) * 16 - 8
def room(op):
    at = id(op) - (32 if type(op).__flags__ & 1 << 4 else 16)
    mapped = at & 4095 == 16 and ctypes.c_size_t.from_address(at - 8).value & 4095 == 2 # by malloc
    if type(op) is tuple and room_of(sys.getsizeof(op)) < (usable(at) if low <= at < high or mapped else pool(at)):
        return room_of(sys.getsizeof(op)) # it was resized, and its block stayed
    if low <= at < high or mapped: return usable(at)
    return pool(at)
OBJECTS
mark("made")
lines, ours = [], {id(mark), id(vars(sys.modules["gcreplay_capture"]))} # no objects of the program
for op in objects:
    if id(op) in ours: continue
    static = not any(first <= id(op) < end for first, end in asked_for) # in a file's own data
    if type(op).__flags__ & 1 << 14 and not static:
        kind = type(op)
        name = type.__dict__["__qualname__"].__get__(kind).rpartition(".")[2]
        if name == "_common_types_metatype": name = "type" # Cython gives them this class when made
        lines.append(f"{name} {room(op)}")
print(*lines, sep="\\n")
"""


Sized = tuple[str, int]


def block(size: int) -> int:
    """What pymalloc hands out for so many bytes, or malloc."""
    return -(-size // 16) * 16 if size <= 512 else -(-(size + 8) // 16) * 16 - 8


def recorded(
    folder: Path, objects: str, measured: str, found: bool, **environment: str
) -> Recorded:
    """A program whose `objects` are there before the recording begins, or made during it."""
    (folder / "objects.py").write_text(objects)
    (folder / "sitecustomize.py").write_text("import objects" if found else "")
    (folder / "program.py").write_text(PROGRAM.replace("OBJECTS", measured))
    done = run_recorded(
        folder,
        "program.py",
        environment={"PYTHONPATH": str(folder), **environment},
        python=os.environ.get("GCREPLAY_SIZES_PYTHON", BARE),
    )
    assert done.summary.complete, done.summary.message
    assert done.ran.exit_code == 0, done.ran.err
    return done


def measured_and_recorded(done: Recorded) -> tuple[Counter[Sized], Counter[Sized]]:
    """How many objects are of each (type, size of the block): as measured, and as recorded."""
    expected: Counter[Sized] = Counter()
    for line in done.lines:
        name, size = line.rsplit(" ", 1)
        expected[name, int(size)] += 1
    alive: Counter[Sized] = Counter()
    with EventLog.open(done.path) as log:
        run = Replay(log, "never")
        run.note_deaths()
        run.run()
        assert run.deaths is not None
        ((end, _),) = log.marks()
        events, types, shapes = log.events(), log.types, log.shapes
        _, objects, low, high = map(np.asarray, events.columns())
        shape_of = low
        born = np.flatnonzero(events.op == Op.ALLOC)
        alive_at = (born < end) & (run.deaths >= end)
        living = born[alive_at]
        more = np.zeros(len(run.deaths), np.int64)
        resized = np.flatnonzero(events.op[:end] == Op.RESIZE)
        more[objects[resized]] = low[resized].astype(np.uint32) + (
            high[resized].astype(np.int64) << 32
        )
        of_each = zip(shape_of[living].tolist(), more[alive_at].tolist(), strict=True)
        for (number, grown), n in Counter(of_each).items():
            shape = shapes[number]
            name = types[shape.type].qualified.rpartition(".")[2]
            if name != "tuple":  # only tuples are resized; others are told what they own outside
                grown = 0
            name = "type" if name == "_common_types_metatype" else name
            alive[name, block(shape.size + grown)] += n
    return expected, alive


def differing(done: Recorded) -> Counter[Sized]:
    """What is measured with one size and recorded with another."""
    expected, alive = measured_and_recorded(done)
    wrong, other = expected - alive, alive - expected
    # malloc does not split off what is too small to be a block of its own.
    spare = Counter({(name, room - 16): n for (name, room), n in wrong.items() if room > 512})
    wrong = Counter({at: n for at, n in wrong.items() if at[1] <= 512})
    wrong += spare - other
    if not os.environ.get("GCREPLAY_SIZES_MODULES"):
        return wrong
    # What no probe has met yet, as it hangs from nothing tracked, has no size at all.
    with_another = {name for name, _ in other - spare}
    return Counter({at: n for at, n in wrong.items() if at[0] in with_another})


@pytest.mark.parametrize("found", [True, False], ids=["found", "born"])
def test_a_size_is_that_of_the_block(tmp_path: Path, found: bool) -> None:
    done = recorded(tmp_path, OBJECTS, "objects = kept", found)
    assert len({line.rsplit(" ", 1)[0] for line in done.lines}) > 25
    assert not differing(done)


@pytest.mark.parametrize("found", [True, False], ids=["found", "born"])
def test_so_is_that_of_every_object_of_all_types(tmp_path: Path, found: bool) -> None:
    """Of a stock interpreter: of each type that can be called, and all that its modules make."""
    modules = os.environ.get("GCREPLAY_SIZES_MODULES", "")
    measured = ALL_OBJECTS + "objects = all_objects()"
    done = recorded(tmp_path, EVERY_TYPE, measured, found, SIZES_OF=modules)
    assert len({line.rsplit(" ", 1)[0] for line in done.lines}) > 100
    assert not differing(done)
