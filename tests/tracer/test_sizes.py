"""The size of an object, born while recording or found where it began, is that of its block."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from recording import BARE, run_recorded

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

PROGRAM = """
import ctypes, sys
from gcreplay_capture import mark
from objects import kept
with open("/proc/self/maps") as maps:
    heap = next(line.split()[0] for line in maps if line.rstrip().endswith("[heap]"))
low, high = (int(bound, 16) for bound in heap.split("-"))
usable = ctypes.CDLL(None).malloc_usable_size
usable.argtypes, usable.restype = [ctypes.c_void_p], ctypes.c_size_t
def room(op):
    at = id(op) - (32 if type(op).__flags__ & 1 << 4 else 16)
    if low <= at < high: return usable(at)
    return (ctypes.c_uint.from_address((at & ~16383) + 36).value + 1) * 16 # szidx of its pool
mark("made")
for op in kept:
    if type(op).__flags__ & 1 << 14:
        print(type(op).__module__, type(op).__qualname__, room(op))
"""


def block(size: int) -> int:
    """What pymalloc hands out for so many bytes, or malloc."""
    return -(-size // 16) * 16 if size <= 512 else -(-(size + 8) // 16) * 16 - 8


@pytest.mark.parametrize("found", [True, False], ids=["found", "born"])
def test_a_size_is_that_of_the_block(tmp_path: Path, found: bool) -> None:
    (tmp_path / "objects.py").write_text(OBJECTS)
    (tmp_path / "sitecustomize.py").write_text("import objects" if found else "")
    (tmp_path / "program.py").write_text(PROGRAM)
    done = run_recorded(
        tmp_path, "program.py", environment={"PYTHONPATH": str(tmp_path)}, python=BARE
    )
    assert done.summary.complete, done.summary.message
    expected: Counter[tuple[str, int]] = Counter()
    for line in done.lines:
        module, name, room = line.split()
        expected[name if module == "builtins" else f"{module}.{name}", int(room)] += 1
    assert len({name for name, _ in expected}) > 25
    alive: Counter[tuple[str, int]] = Counter()
    with EventLog.open(done.path) as log:
        run = Replay(log, "never")
        run.note_deaths()
        run.run()
        assert run.deaths is not None
        ((end, _),) = log.marks()
        _, _, shapes, _ = log.events().columns()
        born = np.flatnonzero(log.events().op == Op.ALLOC)
        for sequence, death in zip(born.tolist(), run.deaths.tolist(), strict=True):
            if sequence < end <= death:
                shape = log.shapes[shapes[sequence]]
                alive[log.types[shape.type].qualified, block(shape.size)] += 1
    wrong = expected - alive
    # malloc does not split off what is too small to be a block of its own.
    spare = Counter({(name, room - 16): n for (name, room), n in wrong.items() if room > 512})
    assert not Counter({at: n for at, n in wrong.items() if at[1] <= 512})
    assert not spare - (alive - expected)
