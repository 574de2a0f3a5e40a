"""The line on which an object was made, however it was made."""

from collections import Counter
from pathlib import Path

import numpy as np
from recording import recorded_code

from gcreplay.replay.run import Replay
from gcreplay.store.events import Op
from gcreplay.store.log import EventLog

Born = tuple[str, int]
TIMES = 200

INNOCENT = """
class Node: pass
def make_node(): return Node()
def innocent(): return {1, 2, 3}
nodes = []
for i in range(5000):
    nodes.append(make_node())
    nodes.append(innocent())
"""

BIRTHS = """
import functools, gc, types, warnings, weakref
from collections import defaultdict, deque
from gcreplay_capture import mark

warnings.simplefilter("ignore")
class Node:
    def method(self): pass
class Slots: __slots__ = ("a",)
class Wrong(Exception): pass
def star(*args): return args
def named(**named): return named
def numbers(i): #: generator
    yield i
async def waits(): pass #: coroutine
async def later(i): #: async_generator
    yield i
def closure(i): #: cell
    return lambda: i #: function, tuple
def comprehension(i):
    return [j for j in range(i)] #: list
def between(i): return i * 1000.5, str(i) * 3
keep = [None] * 20000
def put(x):
    keep.append(x)
def births(i):
    node = Node() #: __main__.Node
    put(node)
    between(i)
    put(Slots()) #: __main__.Slots
    put([i]) #: list
    between(i)
    put((i, node)) #: tuple
    put({i: node}) #: dict
    put({"a": i, "b": i}) #: dict
    between(i)
    put({i}) #: set
    put(frozenset([i])) #: frozenset
    put(lambda: 0) #: function
    put(closure(i))
    between(i)
    put(numbers(i))
    put(waits())
    put(later(i))
    put(node.method) #: method
    put([].append) #: list, builtin_function_or_method
    between(i)
    put(slice(i, node)) #: slice
    put(comprehension(3))
    put(Wrong(i)) #: __main__.Wrong, tuple
    put(deque()) #: collections.deque
    put(defaultdict(list)) #: collections.defaultdict
    between(i)
    put(functools.partial(star, i)) #: functools.partial, tuple, dict
    put("a b c".split()) #: list
    put(divmod(i, 7)) #: tuple
    put(dict(a=i)) #: dict
    put(iter([i])) #: list, list_iterator
    put(weakref.ref(node)) #: weakref.ReferenceType
    put(memoryview(b"abc")) #: memoryview, managedbuffer
    between(i)
    first, *rest = i, i, i #: list
    put(rest)
    put(star(i, i)) #: tuple
    put(named(a=i)) #: dict
    put(types.SimpleNamespace(a=i)) #: types.SimpleNamespace, dict
    put(f"{i:>9}".partition(" ")) #: tuple
    put([*range(3)]) #: list
    put((*rest, i)) #: tuple
gc.disable()
for i in range(TIMES):
    births(i)
mark("alive")
"""

DYING = """
class Node: pass
kept = []
for i in range(500):
    exec(compile("kept.append(Node())", f"piece {i}", "exec"))
"""


def alive(path: Path, file: str) -> tuple[Counter[Born], Counter[Born]]:
    """Of the objects made in that file and alive at the last mark, or the end: how many of each
    type on each line, exactly and near it."""
    exact: Counter[Born] = Counter()
    near: Counter[Born] = Counter()
    with EventLog.open(path) as log:
        run = Replay(log, "never")
        run.note_deaths()
        run.run()
        deaths = run.deaths
        assert deaths is not None
        end = log.marks()[-1][0] if log.marks() else log.event_count
        born = np.flatnonzero(log.events().op == Op.ALLOC)
        _, _, shapes, sites = log.events().columns()
        for sequence, death in zip(born.tolist(), deaths.tolist(), strict=True):
            site = log.sites[sites[sequence]]
            if sequence < end <= death and site.file.endswith(file):
                kind = log.types[log.shapes[shapes[sequence]].type].qualified
                (near if site.near else exact)[kind, site.line] += 1
    return exact, near


def marked(code: str) -> Counter[Born]:
    """What is made on each line, by what stands behind "#:"."""
    lines = [(n, line.partition("#: ")[2]) for n, line in enumerate(code.splitlines(), 1)]
    return Counter({(kind, n): TIMES for n, kinds in lines for kind in kinds.split(", ") if kind})


def test_an_object_is_not_blamed_on_what_is_allocated_next(tmp_path: Path) -> None:
    recorded = recorded_code(tmp_path, INNOCENT)
    exact, near = alive(recorded.path, "program.py")
    assert {born: n for born, n in exact.items() if n > 100} == {
        ("__main__.Node", 3): 5000,
        ("set", 4): 5000,
    }
    assert near.total() < 20


def test_every_kind_of_birth_is_on_its_line(tmp_path: Path) -> None:
    code = BIRTHS.replace("TIMES", str(TIMES))
    expected = marked(code)
    assert len({kind for kind, _ in expected}) > 20
    recorded = recorded_code(tmp_path, code)
    exact, near = alive(recorded.path, "program.py")
    begun = Counter({born: n for born, n in exact.items() if n < TIMES / 2})
    wrong = exact - expected - begun
    assert not wrong
    missing = Counter[str]()
    for (kind, _), n in (expected - exact).items():
        missing[kind] += n
    close = Counter[str]()
    for (kind, _), n in near.items():
        close[kind] += n
    assert not missing - close
    assert close.total() < 0.15 * expected.total()


def test_code_that_dies_before_its_last_object_is_settled_is_still_its_site(tmp_path: Path) -> None:
    recorded = recorded_code(tmp_path, DYING)
    with EventLog.open(recorded.path) as log:
        nodes = [i for i, t in enumerate(log.types) if t.qualified == "__main__.Node"]
        shapes = [s.id for s in log.shapes if s.type in nodes]
        _, _, shape, site = log.events().columns()
        born = np.flatnonzero((log.events().op == Op.ALLOC) & np.isin(shape, shapes))
        files = [log.sites[site[at]].file for at in born.tolist()]
    assert files == [f"piece {i}" for i in range(500)]
