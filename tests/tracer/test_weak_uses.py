"""Uses of weak references in a recording, and where a program depends on its collector."""

from pathlib import Path

import pytest
from recording import recorded_code, run_measured

from gcreplay.replay.run import replay
from gcreplay.store.events import Op, WeakUse
from gcreplay.store.log import EventLog

KINDS = """
import gc, weakref
from gcreplay_capture import mark

class Node:
    def method(self): pass

class Ref(weakref.ref):
    __slots__ = ("more",)

    def __call__(self):
        return super().__call__()

def asked(kind, make):
    node = Node()
    node.me = node
    ask = make(node)
    mark(kind)
    ask(), ask()
    mark("again")
    ask()
    mark("dropped")
    node = None
    gc.collect()
    mark("in vain")
    ask(), ask()                      # dead for good, so once is enough
    mark("end")

def in_a_dictionary(node):
    known = weakref.WeakValueDictionary(node=node)
    return lambda: known.get("node")

def in_a_set(node):
    known = weakref.WeakSet([node])
    return lambda: [one.me is one for one in known]

asked("plain", weakref.ref)
asked("with a callback", lambda node: weakref.ref(node, lambda _: None))
asked("of a subclass", Ref)
asked("of a method", lambda node: weakref.WeakMethod(node.method))
asked("in a dictionary", in_a_dictionary)
asked("in a set", in_a_set)

def through_a_proxy(node):
    proxy = weakref.proxy(node, lambda _: None)
    return lambda: getattr(proxy, "me", None) if gc.isenabled() else None

gc.disable()
asked("a proxy", through_a_proxy)
"""


def uses(path: Path) -> dict[str, list[tuple[str, str]]]:
    """By the mark of its kind, in order: where ("" right behind it, else the later mark), and what
    the program got ("hit", "miss"), of each use whose object is a Node."""
    found: dict[str, list[tuple[str, str]]] = {}
    kind = place = ""
    with EventLog.open(path) as log:
        op, a, b, c = (column.tolist() for column in log.events().columns())
        shapes = [b[i] for i in range(len(op)) if op[i] == Op.ALLOC]
        for i in range(len(op)):
            if op[i] == Op.MARK:
                label = log.labels[a[i]]
                later = label in ("again", "dropped", "in vain", "end")
                kind, place = (kind, label) if later else (label, "")
                found.setdefault(kind, [])
            elif op[i] == Op.WEAKREF and c[i] in (WeakUse.HIT, WeakUse.MISS):
                type_ = log.types[log.shapes[shapes[b[i]]].type]
                found[kind] += [(place, WeakUse(c[i]).name.lower())] * (type_.name == "Node")
    return found


def test_a_recording_tells_what_weak_references_were_asked_and_what_they_gave(
    tmp_path: Path,
) -> None:
    """Asked twice on end, a plain one has told all with the first hit; the others make something
    in between. Weak dictionaries and sets forget what is dead before they are asked."""
    found = uses(recorded_code(tmp_path, KINDS).path)
    hits, misses = [("", "hit"), ("again", "hit")], [("in vain", "miss")]
    more = [("", "hit"), *hits]
    assert found == {
        "plain": hits + misses,
        "with a callback": hits + misses,
        "of a subclass": more + misses,
        "of a method": more + misses,
        "in a dictionary": hits,
        "in a set": more,
        "a proxy": [],
    }


ONE_CACHED = """
import gc, weakref
from gcreplay_capture import mark

class Node: pass

def made():
    node = Node()
    node.me = [node]
    return weakref.ref(node)

gc.collect()
cached = made()
mark("dropped")
kept = [[] for _ in range(300)]       # 100 of them begin a young collection, 700 do not
mark("asked")
got = cached() is not None
kept += [[] for _ in range(2000)]
mark("in vain")
print(got, cached() is not None)
"""


@pytest.mark.parametrize("granularity", [0, 50])
def test_a_policy_that_would_have_changed_an_answer_is_told_which(
    tmp_path: Path, granularity: int
) -> None:
    """The program got the node when it asked first, and not when it asked again. Under 100,10,10
    it is gone by then, under a threshold of 0 it is never collected."""
    done = recorded_code(tmp_path, ONE_CACHED, granularity=granularity)
    assert done.lines == ["True False"]
    with EventLog.open(done.path) as log:
        marks = {label: sequence for sequence, label in log.marks()}
        recorded, default, closer, manual = (
            replay(log, policy).depends_on_collector
            for policy in (
                "cpython-3.11",
                "cpython-3.11:700,10,10",
                "cpython-3.11:100,10,10",
                "manual",
            )
        )
        ops = log.events().op
    assert recorded.count == default.count == 0
    assert recorded.first is default.first is None
    for found, what, mark in ((closer, "hit", "asked"), (manual, "miss", "in vain")):
        assert found.count == 1
        assert found.first is not None
        assert (found.first.type, found.first.what) == ("__main__.Node", what)
        assert found.first.event > marks[mark]
        assert ops[found.first.event] == Op.WEAKREF


def test_what_it_is_told_is_what_really_happens(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import gc; gc.set_threshold(100, 10, 10)\n"
        + ONE_CACHED.replace("gcreplay_capture", "sys").replace(
            "from sys import mark", "mark = print"
        )
    )
    ran, _ = run_measured(tmp_path, "program.py")
    assert ran.out.splitlines()[-1] == "False False"


MANY_CACHED = """
import weakref
class Node:
    def __init__(self):
        self.me = self
        self.more = [self]
known = weakref.WeakValueDictionary()
kept = []
made = 0
for i in range(10000):
    node = known.get(i * 7 % 30)
    if node is None:
        made += 1
        node = known[i * 7 % 30] = Node()
    kept.append([[]])
    if len(kept) > 3000:
        kept.clear()
print(made)
"""


@pytest.mark.parametrize("granularity", [0, 100])
def test_under_its_own_settings_no_program_depends_on_its_collector(
    tmp_path: Path, granularity: int
) -> None:
    done = recorded_code(tmp_path, MANY_CACHED, granularity=granularity)
    with EventLog.open(done.path) as log:
        assert len(log.observed) > 20
        assert replay(log, "cpython-3.11").depends_on_collector.count == 0
        closer = replay(log, "cpython-3.11:100,10,10").depends_on_collector
        assert closer.count > 1000
        assert closer.first is not None
        assert (closer.first.type, closer.first.what) == ("__main__.Node", "hit")


CLOSED = """
import gc, weakref
class Node: pass
def made():
    node = Node()
    node.me = node
    return weakref.ref(node)
kept = [[] for _ in range(300)]
cached = made()
kept += [[] for _ in range(100)]
cached()
gc.freeze()
gc.unfreeze()
gc.collect()
print(cached())
"""


def test_a_hit_is_forgotten_where_what_waited_is_written_without_a_probe(tmp_path: Path) -> None:
    """gc.freeze() closes the window: the places of before are of no event behind it."""
    assert recorded_code(tmp_path, CLOSED).lines == ["None"]


TAKEN_OVER = """
import gc, weakref
class Node: pass
kept = []
def made():
    node = Node()
    kept.append(node)
    return weakref.ref(node)
gc.collect()
references = [made() for _ in range(20)]
spare = []
for _ in range(3):
    spare.append([reference() is None for reference in references])
gc.collect()
print(len(kept))
"""


@pytest.mark.parametrize("granularity", [0, 10])
def test_what_a_hit_gave_is_let_go_behind_it(tmp_path: Path, granularity: int) -> None:
    """Between birth, hits and the next probe a list has the nodes, and code had each but for
    moments: what it let go of is what it had at that place."""
    done = recorded_code(tmp_path, TAKEN_OVER, granularity=granularity)
    assert done.lines == ["20"]
    with EventLog.open(done.path) as log:
        op, a, b, c = (column.tolist() for column in log.events().columns())
        shapes = [b[i] for i in range(len(op)) if op[i] == Op.ALLOC]
        nodes = {o for o, s in enumerate(shapes) if log.types[log.shapes[s].type].name == "Node"}
    held = dict.fromkeys(nodes, 1)
    hits = dict.fromkeys(nodes, 0)
    for i in range(len(op)):
        if op[i] == Op.WEAKREF and c[i] == WeakUse.HIT and b[i] in nodes:
            hits[b[i]] += 1
        elif op[i] in (Op.INCREF, Op.DECREF) and a[i] in nodes:
            held[a[i]] += b[i] if op[i] == Op.INCREF else -b[i]
            assert held[a[i]] >= 0
    assert len(nodes) == 20
    assert set(hits.values()) == {3}
    assert set(held.values()) == {0}
