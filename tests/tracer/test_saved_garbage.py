"""What outlives the collection that found it: saved by a finalizer, kept in gc.garbage, or freed by
nothing; and what dies right behind it."""

from pathlib import Path

import pytest
from recording import recorded_code, run_plain, run_recorded

from gcreplay.store.log import EventLog
from gcreplay.store.rules.validate import validate

PROBES = [(0, 0), (1, 0), (50, 700), (7, 100)]
"""Granularity and distance of the full probes."""

GENERATORS = """
import gc, sys
sys.unraisablehook = lambda told: None
kept = []
def saves():
    me = yield
    try: yield me
    finally:
        kept.append(me)
        if len(kept) > 5: kept.clear()
def yields():
    me = yield
    try: yield me
    finally: yield 5                              # no collection can take this one apart
def lose(function):
    generator = function(); next(generator); generator.send(generator)
gc.set_threshold(60, 5, 3)
for i in range(300):
    for function in ({functions}): lose(function)
    lists = [[]]; lists[0].append(lists)
gc.collect()
print(gc.get_stats())
"""


@pytest.mark.parametrize("probes", PROBES)
@pytest.mark.parametrize("functions", ["saves,", "yields,", "saves, yields"])
def test_generators_save_themselves_or_yield_where_they_are_finalized(
    tmp_path: Path, functions: str, probes: tuple[int, int]
) -> None:
    """One that yields is found by every collection, counted each time, and stays."""
    code = GENERATORS.replace("{functions}", functions)
    done = recorded_code(tmp_path, code, granularity=probes[0], full_probe=probes[1])
    assert done.ran == run_plain(tmp_path, "program.py")


SAVEALL = """
import gc
back = []
class Back:
    def __del__(self):
        back.append(self)
        if len(back) > 3: back.clear()
class Node: pass
def lose(kind):
    node = kind(); node.me = node; node.more = [node]
gc.set_threshold(50, 5, 3)
for debug in (0, {debug}, gc.DEBUG_SAVEALL, 0):
    gc.set_debug(debug)
    for i in range(60): lose(Back); lose(Node)
    print(len(gc.garbage), len(back))
    gc.garbage.clear(); gc.collect(); gc.garbage.clear()
"""


@pytest.mark.parametrize("probes", PROBES)
@pytest.mark.parametrize("debug", ["gc.DEBUG_UNCOLLECTABLE", "gc.DEBUG_SAVEALL"])
def test_what_is_in_gc_garbage_is_told_from_what_finalizers_saved(
    tmp_path: Path, debug: str, probes: tuple[int, int]
) -> None:
    code = SAVEALL.replace("{debug}", debug)
    done = recorded_code(tmp_path, code, granularity=probes[0], full_probe=probes[1])
    assert done.ran == run_plain(tmp_path, "program.py")


FIRST = """
import gc
kinds = [type("Kind", (), {"__slots__": ["s%d" % k for k in range(2 * n)]}) for n in range(20)]
class Told:
    def __del__(self): made.extend([[] for i in range(9)])
made = []
gc.set_threshold(60, 5, 3)
for i in range(3000):
    last = kinds[i % 20]()      # begins a collection; then the one before is freed, of another size
    if i % 5 == 0: told = Told(); told.me = told; del told
    if i % 5 == 1: cycle = []; cycle.append(cycle)
"""


@pytest.mark.parametrize("probes", PROBES)
def test_a_death_right_behind_a_collection_is_seen(tmp_path: Path, probes: tuple[int, int]) -> None:
    """Lost, its block was read as an object later on, which ended the program."""
    recorded_code(tmp_path, FIRST, granularity=probes[0], full_probe=probes[1])


OUTLIVED = """
import gc, weakref
class Node: pass
called, refs = [], []
def callback(ref): called.append([]); len(called) > 9 and called.clear()
def drop(phase, info):
    if phase == "start": refs[:] = [ref for ref in refs if ref() is not None]
gc.callbacks.append(drop)
gc.set_threshold(50, 5, 5)
for i in range(1000):
    node = Node(); node.me = node; refs.append(weakref.ref(node, callback))
"""


@pytest.mark.parametrize("probes", PROBES)
def test_a_weak_reference_that_outlived_its_callback_counts_in_no_collection(
    tmp_path: Path, probes: tuple[int, int]
) -> None:
    """It dies in a later one, where a gc callback drops it."""
    recorded_code(tmp_path, OUTLIVED, granularity=probes[0], full_probe=probes[1])


THREADS = """
import gc, sys, threading, weakref
sys.setswitchinterval(1e-5)
saved, refs, lock = [], [], threading.Lock()
class Told:
    def __del__(self):
        with lock: saved.append([[i] for i in range(20)]); len(saved) > 10 and saved.clear()
class Back:
    def __del__(self):
        for i in range(30): x = [i, [i]]
        saved.append(self)
        if len(saved) > 10: del saved[:5]
class Breaks:
    def __del__(self):
        self.me = None
        for i in range(50): str(i)
        self.more = {i: [i] for i in range(10)}
class Node: pass
def called(ref): saved.append([ref]); [[] for i in range(30)]
def work(n):
    for i in range(150):
        told = Told(); told.n = n; told.me = told
        back = Back(); back.me = back; back.x = [back, told]
        breaks = Breaks(); breaks.me = breaks
        node = Node(); node.me = node; refs.append(weakref.ref(node, called)); del refs[:-40]
gc.set_threshold(100, 5, 5)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(threads))
"""


def test_threads_that_meet_in_finalizers_and_callbacks(tmp_path: Path) -> None:
    """Whole and valid. What a thread does while the finalizer of another waits is replayed behind all
    finalizers, so a counter may differ by where it stood at 0."""
    (tmp_path / "program.py").write_text(THREADS)
    done = run_recorded(tmp_path, "program.py")
    assert (done.ran, done.summary.complete) == (run_plain(tmp_path, "program.py"), True)
    with EventLog.open(done.path) as log:
        validate(log)
