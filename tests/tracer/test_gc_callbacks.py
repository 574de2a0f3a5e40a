"""Callbacks, finalizers and other threads that look at the heap, or tell the collector what to do,
while a collection is about to begin, runs, or has ended."""

from pathlib import Path

import pytest
from recording import BARE, checked, run_measured, run_plain, run_recorded

LOOKING = """
import gc, threading, weakref
class Node: pass
target, seen, gone = Node(), [], None
def look(where):
    objects = gc.get_objects()
    ours = sum("gcreplay" in kind.__module__ for kind in map(type, objects))
    known = any(holder is globals() for holder in gc.get_referrers(target))
    gc.get_referents(target, Node, *objects[-50:]); tracked = len(objects); del objects
    lengths = [len(gc.get_objects(generation)) for generation in range(3)]
    seen.append((where, ours, known, gc.is_tracked(target), tracked, lengths,
                 gc.get_count(), gc.get_freeze_count(), gc.get_stats()))
def told(phase, info):
    global gone
    look((phase, info["generation"])); gone = None
class Told:
    def __del__(self): look("finalizer")
def weakly(ref): look("weak reference")
gc.callbacks.append(told)
gc.set_threshold(60, 2, 2)
for i in range(400):
    node = Node(); node.me = node; gone = Node()
    if i % 40 == 0: told_too = Told(); told_too.me = told_too; del told_too
    if i % 50 == 0: watched = Node(); watched.me = watched; ref = weakref.ref(watched, weakly); del watched
    if i % 60 == 0: gc.collect(i // 60 % 3)
gc.callbacks.clear()
for line in seen: print(line)
gc.callbacks.append(told)
thread = threading.Thread(target=gc.collect); thread.start(); thread.join()
gc.callbacks.clear()
print(sum(line[0][0] == "start" for line in seen))
"""


@pytest.mark.parametrize("granularity", [0, 1])
def test_a_walk_over_the_heap_at_any_moment_sees_what_it_would(
    tmp_path: Path, granularity: int
) -> None:
    (tmp_path / "program.py").write_text(LOOKING)
    plain = run_plain(tmp_path, "program.py", python=BARE)
    done = run_recorded(tmp_path, "program.py", python=BARE, granularity=granularity)
    assert plain.exit_code == 0, plain.err
    assert done.ran == plain
    assert done.summary.complete, done.summary.message
    checked(done.path)


def test_a_measured_program_sees_what_it_would_and_each_collection_is_noted(tmp_path: Path) -> None:
    """A walk inside a callback is not taken for a collection, nor for the begin of one."""
    (tmp_path / "program.py").write_text(LOOKING)
    plain = run_plain(tmp_path, "program.py", python=BARE)
    ran, run = run_measured(tmp_path, "program.py", python=BARE)
    assert ran == plain
    assert (run.complete, run.missed) == (True, 0)
    assert len(run.collections) == int(plain.out.splitlines()[-1]) > 10


ACTING = """
import gc, weakref
class Node: pass
def make(n):
    for i in range(n):
        node = Node(); node.me = node; node.more = [{"i": (i,)}]
def act(): gc.{act}
def told(phase, info):
    if phase == "{where}": act()
class Told:
    def __del__(self): "{where}" == "finalizer" and act()
def weakly(ref): "{where}" == "weak reference" and act()
gc.callbacks.append(told); gc.set_threshold(100, 3, 2)
for i in range(40):
    make(40)
    node = Told(); node.me = node; node = Node(); node.me = node; ref = weakref.ref(node, weakly); del node
    if i % 6 == 0: gc.collect(i // 6 % 3)
    if i % 7 == 0: print(gc.get_count(), gc.get_freeze_count(), gc.isenabled(), len(gc.get_objects()))
gc.callbacks.clear(); gc.enable(); gc.set_threshold(50); make(300); print(gc.get_stats())
"""
ACTS = [
    "collect()",
    "collect(0)",
    "disable()",
    "enable()",
    "freeze()",
    "unfreeze()",
    "set_threshold(50, 2, 2)",
    "set_threshold(0)",
]
PLACES = ["start", "stop", "finalizer", "weak reference"]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("where", PLACES)
def test_what_is_told_the_collector_from_inside_a_collection_is_replayed(
    tmp_path: Path, act: str, where: str
) -> None:
    """But what a log cannot tell, which ends the recording."""
    code = ACTING.replace("{act}", act).replace("{where}", where)
    (tmp_path / "program.py").write_text(code)
    plain = run_plain(tmp_path, "program.py", python=BARE)
    done = run_recorded(tmp_path, "program.py", python=BARE)
    assert (plain.exit_code, plain.err) == (0, "")
    assert done.ran == plain
    if (act, where) == ("freeze()", "start"):
        assert "gc.freeze()" in done.summary.message
    else:
        assert done.summary.complete, done.summary.message
    checked(done.path)
    ran, run = run_measured(tmp_path, "program.py", python=BARE)
    assert ran == plain
    assert (run.complete, run.missed) == (True, 0)


LEFT = """
import gc, os, threading
class Node: pass
def make(n):
    for i in range(n):
        node = Node(); node.me = node
entered, never = threading.Event(), threading.Event()
def told(phase, info):
    if phase == "{phase}" and threading.current_thread() is not threading.main_thread():
        entered.set(); never.wait()
gc.callbacks.append(told)
make(3000)
threading.Thread(target=gc.collect, daemon=True).start(); entered.wait()
make(3000); print(gc.collect(), gc.get_count())
"""


@pytest.mark.parametrize("phase", ["start", "stop"])
def test_a_collection_that_is_left_for_good_ends_the_recording(tmp_path: Path, phase: str) -> None:
    """Nothing is collected after that, nor at the program's end."""
    (tmp_path / "program.py").write_text(LEFT.replace("{phase}", phase))
    plain = run_plain(tmp_path, "program.py", python=BARE)
    done = run_recorded(tmp_path, "program.py", python=BARE)
    assert (plain.exit_code, plain.err) == (0, "")
    assert done.ran == plain
    assert "never ended" in done.summary.message
    assert checked(done.path).recorded > 3


@pytest.mark.parametrize("phase", ["start", "stop"])
def test_a_program_that_ends_inside_a_callback_leaves_a_sound_log(
    tmp_path: Path, phase: str
) -> None:
    code = LEFT.replace("{phase}", phase).replace("is not threading.main", "is threading.main")
    code = code.replace("never.wait()", "make(9); os._exit(3)")
    (tmp_path / "program.py").write_text(code)
    done = run_recorded(tmp_path, "program.py", python=BARE)
    assert done.ran.exit_code == 3
    assert "os._exit" in done.summary.message
    checked(done.path)


EMPTY = """
import gc
kept = []
class Saved:
    def __del__(self): kept.append(self); kept.append([{1: i} for i in range({finalizer})])
def told(phase, info):
    if phase == "stop": kept.append([[] for _ in range({callback})])
if {callback}: gc.callbacks.append(told)
for i in range(50):
    gc.collect()                                     # leaves no garbage to the next
    waiting = [[[] for _ in range(60)], [(i, k) for k in range(60)], [{} for _ in range(60)]]
    del waiting                                      # fills free lists, which a full collection empties
    saved = Saved(); saved.me = saved; del saved
    gc.collect()
    for k in range(i * 40): cycle = []; cycle.append(cycle)
"""


@pytest.mark.parametrize(
    ("finalizer", "callback"), [(0, 0), (100, 0), (0, 1), (0, 30), (100, 1), (100, 30)]
)
def test_what_is_born_before_and_after_free_lists_are_emptied_counts_so(
    tmp_path: Path, finalizer: int, callback: int
) -> None:
    """A full collection that frees nothing: the free lists take what finalizers made off the young
    counter, but not what "stop" callbacks made."""
    code = EMPTY.replace("{finalizer}", str(finalizer)).replace("{callback}", str(callback))
    (tmp_path / "program.py").write_text(code)
    done = run_recorded(tmp_path, "program.py")
    assert (done.ran.exit_code, done.ran.err) == (0, "")
    assert checked(done.path).recorded > 140
