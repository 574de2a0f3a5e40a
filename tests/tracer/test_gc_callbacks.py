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
