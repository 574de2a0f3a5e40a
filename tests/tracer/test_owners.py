"""Whose finalizer or callback did what inside a collection."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from finalizer_text import BEGIN, PROGRAMS
from recording import BARE, checked, recorded_code, run_plain, run_recorded

from gcreplay.replay import replay
from gcreplay.store.events import NO_OBJECT, Op
from gcreplay.store.log import EventLog


@dataclass(frozen=True, slots=True)
class Region:
    """What stands between the begin and the end of a region: how much was born there, by type, and
    whether the last that loses a reference is its owner, and which ops stand there."""

    owner: str | None
    born: Counter[str]
    kills_owner: bool
    did: set[int]


def regions(path: Path) -> list[Region]:
    """All regions of a recording in which something happened."""
    with EventLog.open(path) as log:
        op, a, b, _ = (column.tolist() for column in log.events().columns())
        names = [log.types[shape.type].name for shape in log.shapes]
    type_of: dict[int, str] = {}
    found: list[Region] = []
    begin = 0
    for i, code in enumerate(op):
        if code == Op.ALLOC:
            type_of[a[i]] = names[b[i]]
        if code == Op.INSIDE and b[i]:
            begin = i
        elif code == Op.INSIDE and i > begin + 1:
            born = Counter(type_of[a[k]] for k in range(begin, i) if op[k] == Op.ALLOC)
            dropped = [b[k] if op[k] == Op.UNLINK else a[k] for k in range(begin + 1, i)]
            owner = None if a[i] == NO_OBJECT else type_of[a[i]]
            found.append(Region(owner, born, a[i] in dropped[-1:], {*op[begin + 1 : i]}))
    return found


END = "\ngc.disable(); print(len(ran))"


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_code_of_garbage_does_is_its_own(tmp_path: Path, name: str) -> None:
    """One region for each finalizer or callback that ran, and none without an owner; but that
    storage of what they gave to garbage went to a free list, when that was deleted."""
    owner, code = PROGRAMS[name]
    done = recorded_code(tmp_path, BEGIN + dedent(code) + END)
    ran = int(done.out)
    assert ran > 2000
    found = regions(done.path)
    if "gives" in name:
        found = [region for region in found if region.owner or region.did != {Op.KEPT}]
    assert Counter(region.owner for region in found) == {owner: ran}


def test_a_finalizer_that_breaks_its_cycle_kills_its_owner(tmp_path: Path) -> None:
    code = PROGRAMS["a finalizer that breaks its own cycle"][1]
    done = recorded_code(tmp_path, BEGIN + dedent(code) + END)
    found = regions(done.path)
    assert [region.kills_owner for region in found] == [True] * int(done.out)


@pytest.mark.parametrize(
    ("kind", "made"), [("__del__", "Made()"), ("__del__", "[self]"), ("callback", "Made()")]
)
def test_each_runs_with_what_it_makes(tmp_path: Path, kind: str, made: str) -> None:
    """Also what comes from a free list, which no hook sees."""
    code = {
        "__del__": """
            class Made: pass
            class D:
                def __del__(self): kept.append(MADE)
            kept = []
            for i in range(50):
                for j in range(20): d = D(); d.me = d
                del d; gc.collect(0); kept.clear()
            """,
        "callback": """
            import weakref
            class Made: pass
            class Node: pass
            def gone(ref): kept.append(MADE)
            kept = []
            for i in range(50):
                refs = []
                for j in range(20): n = Node(); n.me = n; refs.append(weakref.ref(n, gone))
                del n; gc.collect(0); kept.clear()
            """,
    }[kind].replace("MADE", made)
    done = recorded_code(tmp_path, "import gc; gc.disable()\n" + dedent(code))
    type_made = "list" if made == "[self]" else "Made"
    found = [region for region in regions(done.path) if region.born[type_made]]
    assert [region.born[type_made] for region in found] == [1] * 1000
    assert None not in {region.owner for region in found}


def test_callbacks_and_finalizers_of_one_collection_are_told_apart(tmp_path: Path) -> None:
    """Callbacks first; a callback written in C, and one that makes nothing, among them."""
    code = """
import gc, weakref, functools
class Node: pass
class Made: pass
class Told:
    def __del__(self): kept.append(Made()); self.me = None
def suspended(node):
    try: yield
    finally: kept.append(Made()); node.me = None
def gone(ref): kept.append(Made())
def make(kind):
    n = kind(); n.me = n
    return n
kept = []
gc.disable()
for i in range(200):
    n, told, held = make(Node), make(Told), make(Node)
    held.g = suspended(held); next(held.g)
    refs = [weakref.ref(n, gone), weakref.ref(told, kept.append)]
    refs.append(weakref.ref(held, functools.partial(map, gone)))
    refs.append(weakref.ref(held, gone))
    del n, told, held
    gc.collect(0)
    kept.clear()
"""
    done = recorded_code(tmp_path, code)
    made = [region.owner for region in regions(done.path) if region.born["Made"]]
    assert Counter(made) == {"ReferenceType": 400, "Told": 200, "generator": 200}
    for i in range(0, len(made), 4):
        assert made[i : i + 2] == ["ReferenceType"] * 2


KEPT = {
    "what a callback makes": (
        "Made",
        """
        import gc, weakref
        class Node: pass
        class Made: pass
        def gone(ref): kept.append(Made()); refs.discard(ref)
        kept, refs = [], set()
        for i in range(1500): n = Node(); n.me = n; refs.add(weakref.ref(n, gone))
        """,
    ),
    "what a finalizer makes": (
        "Made",
        """
        import gc
        class Made: pass
        class D:
            def __del__(self): kept.append(Made()); self.me = None
        kept = []
        for i in range(1500): d = D(); d.me = d
        """,
    ),
    "what a finalizer saves": (
        "D",
        """
        import gc
        class D:
            def __del__(self): kept.append(self)
        kept = []
        for i in range(1500): d = D(); d.me = d
        """,
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_code_of_garbage_keeps_is_held_where_it_ran(tmp_path: Path, name: str) -> None:
    """By the list, old by then, that only later probes show; so where that code does not run, no
    event of the program is about it."""
    kept, code = KEPT[name]
    done = recorded_code(tmp_path, dedent(code) + "\ngc.collect()", granularity=50)
    with EventLog.open(done.path) as log:
        op, a, b, _ = (column.tolist() for column in log.events().columns())
        names = [log.types[shape.type].name for shape in log.shapes]
        of_kind = {a[i] for i, code in enumerate(op) if code == Op.ALLOC and names[b[i]] == kept}
        lists = {a[i] for i, code in enumerate(op) if code == Op.ALLOC and names[b[i]] == "list"}
        inside, held_inside, held = False, 0, 0
        for i, code in enumerate(op):
            inside = bool(b[i]) if code == Op.INSIDE else inside
            holds = code == Op.LINK and a[i] in lists and b[i] in of_kind
            held_inside += holds and inside
            held += holds
        never = replay(log, "never")
    assert held == held_inside > 1000
    assert (never.unmoved, never.regions_run) == (0, 0)


THREADS = """
import gc, sys, threading, time
class Made: pass
class D:
    def __del__(self):
        box.append(MADE)
        while box: time.sleep(0)
def work():
    while going:
        if box: kept.append(Made()); box.clear()
        time.sleep(0)
box, kept, going = [], [], True
sys.setswitchinterval(1000)   # only who sleeps gives way
gc.disable()
thread = threading.Thread(target=work); thread.start()
for i in range(100):
    d = D(); d.me = d; del d
    gc.collect(0)
going = False; thread.join()
"""


@pytest.mark.parametrize(("made", "owner"), [("None", None), ("[None]", "D")])
def test_what_another_thread_does_meanwhile(tmp_path: Path, made: str, owner: str | None) -> None:
    """Is nobody's, unless it frees what the finalizer made: then it does so because that ran."""
    done = recorded_code(tmp_path, THREADS.replace("MADE", made))
    found = [region for region in regions(done.path) if region.born["Made"]]
    assert [region.owner for region in found] == [owner] * 100


def test_gc_callbacks_own_nothing(tmp_path: Path) -> None:
    code = """
import gc
class Node: pass
class Made: pass
kept = []
gc.disable()
gc.callbacks.append(lambda phase, info: kept.append(Made()))
for i in range(20): n = Node(); n.me = n; del n; gc.collect(0)
"""
    done = recorded_code(tmp_path, code)
    found = [region for region in regions(done.path) if region.born["Made"]]
    assert [region.owner for region in found] == [None] * 40


def test_what_the_interpreter_prints_of_garbage_is_the_programs(tmp_path: Path) -> None:
    """Under gc.DEBUG_COLLECTABLE it prints what it has found, and owners are told all the same."""
    code = """
import gc, re, sys, io, weakref
class D:
    def __del__(self): self.me = None
class Node: pass
sys.stderr = io.StringIO()
gc.disable(); gc.collect(); gc.set_debug(gc.DEBUG_COLLECTABLE)
refs, kept = [], []
for i in range(50):
    d = D(); d.me = d; n = Node(); n.me = n; refs.append(weakref.ref(n, lambda ref: kept.append({1: ref})))
    if i % 10 == 9: del d, n; gc.collect(0)
gc.set_debug(0); print(re.sub("0x[0-9a-f]*", "", sys.stderr.getvalue()))
"""
    (tmp_path / "program.py").write_text(code)
    plain = run_plain(tmp_path, "program.py", python=BARE)
    done = run_recorded(tmp_path, "program.py", python=BARE)
    assert plain.out.count("collectable <Node") == 50
    assert done.ran == plain
    checked(done.path)
    owners = Counter(region.owner for region in regions(done.path))
    assert owners == {"D": 50, "ReferenceType": 50}


def test_what_a_finalizer_saves_is_held_in_its_region(tmp_path: Path) -> None:
    """Itself, or what hung from it while it goes; a finalizer that saves nothing has no region."""
    code = """
import gc
class Part: pass
class Saved:
    def __del__(self): kept.append(self)
class Saves:
    def __del__(self): kept.append(self.part)
class Idle:
    def __del__(self): pass
kept = []
gc.disable()
for i in range(100):
    a, b, c = Saved(), Saves(), Idle()
    a.me, b.me, c.me, b.part, a.part = a, b, c, Part(), Part()
    b.part.me = b.part
    del a, b, c
    assert gc.collect(0) == 2, "the one that saved its part, and the idle one"
"""
    done = recorded_code(tmp_path, code)
    owners = Counter(region.owner for region in regions(done.path))
    assert owners == {"Saved": 100, "Saves": 100}


def test_what_is_saved_by_the_interpreter_is_kept_and_found_again(tmp_path: Path) -> None:
    """gc.DEBUG_SAVEALL puts what would be deleted into gc.garbage. The full collection finds the last 99
    lists, and the four that were in use when the young were collected."""
    code = """
import gc
gc.disable(); gc.collect(); gc.set_debug(gc.DEBUG_SAVEALL)
for i in range(1000):
    x = []; x.append(x)
    if i % 300 == 0: print(gc.collect(0))
del x
print(gc.collect(), len(gc.garbage)); gc.set_debug(0)
print(gc.collect())
gc.garbage.clear()
print(gc.collect())
"""
    done = recorded_code(tmp_path, code)
    assert done.lines[-3:] == [f"{99 + 4} 1000", "0", "1000"]
