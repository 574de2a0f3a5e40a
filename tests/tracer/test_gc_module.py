"""Programs that use the collector themselves: `gc`, from Python and from C."""

from pathlib import Path

import pytest
from recording import (
    BARE,
    checked,
    checked_places,
    collections,
    recorded_code,
    run_plain,
    run_recorded,
)

from gcreplay.store.events import GcCall
from gcreplay.store.log import EventLog

MAKE = """
import gc, weakref, ctypes
class Node: pass
def make(n):
    for i in range(n):
        a = Node(); a.me = a; a.more = [{"i": (i,)}]
"""
USES = {
    "collect": "for g in (0, 1, 2): make(300); print(gc.collect(g), gc.collect(generation=g))",
    "collect with nothing new": "for i in range(6):\n    gc.collect(); gc.collect(1); gc.collect(0); gc.collect()\n"
    "    print(len(gc.get_objects()), [len(gc.get_objects(g)) for g in range(3)])",
    "disable and enable": "gc.disable(); make(3000); print(gc.get_count()[0] > 5000); gc.enable(); make(3)",
    "set_threshold": "for t in (100, 5, 2, 0, -1, 3000):\n    gc.set_threshold(t); make(900)\n"
    "gc.set_threshold(150, 3, 2); make(6000); gc.set_threshold(50, 0, 0); make(500)",
    "freeze": "make(900); gc.freeze(); print(gc.get_freeze_count() > 100); make(900); gc.collect(); make(2000)",
    "unfreeze": "gc.freeze(); make(900); gc.unfreeze(); make(2500); gc.collect(1); make(3000)",
    "freeze what is not tracked yet": "make(300); d = {0: None}; gc.freeze(); d[1] = d; del d",
    "freeze and go on for long": "gc.freeze(); gc.set_threshold(50, 2, 2); make(4000)",
    "callbacks": "seen = []\n"
    "def told(phase, info): seen.append((phase, dict(info)))\n"
    "gc.callbacks.append(told); make(5000); gc.collect(); gc.callbacks.remove(told); make(2000)",
    "callbacks that make garbage": "def told(phase, info): make(30)\n"
    "gc.callbacks.append(told); make(3000); gc.callbacks.clear(); make(2000)",
    "collect inside a finalizer": "class D:\n    def __del__(self): gc.collect(); make(5)\n"
    "for i in range(900): d = D(); d.me = d",
    "collect inside a callback": "gc.callbacks.append(lambda p, i: gc.collect()); make(2000); gc.callbacks.clear()",
    "get_objects": "for i in range(20):\n    make(100); x = gc.get_objects(); y = gc.get_objects(generation=0)\n"
    "    del x, y",
    "get_referrers": "x = [[]]\nfor i in range(20):\n    make(100); gc.get_referrers(x[0]); gc.get_referents(x); gc.is_tracked(x)",
    "from C, off and on": "ctypes.pythonapi.PyGC_Disable(); make(2000); ctypes.pythonapi.PyGC_Enable(); make(3000)",
    "from C, collect": "make(300); print(ctypes.pythonapi.PyGC_Collect() >= 300); make(3000)",
    "collect in threads": "import threading\n"
    "def f():\n    for i in range(30): make(60); gc.collect(i % 3)\n"
    "ts = [threading.Thread(target=f) for _ in range(4)]; [t.start() for t in ts]; [t.join() for t in ts]",
}


@pytest.mark.parametrize("name", USES)
def test_what_the_program_does_to_the_collector_is_replayed(tmp_path: Path, name: str) -> None:
    code = f"{MAKE}{USES[name]}\nmake(2000)\n"
    (tmp_path / "program.py").write_text(code)
    plain = run_plain(tmp_path, "program.py", python=BARE)
    done = recorded_code(tmp_path, code, python=BARE)
    assert done.ran == plain


def test_what_is_saved_for_debugging_is_garbage_to_a_replay(tmp_path: Path) -> None:
    """DEBUG_SAVEALL keeps what would have been freed; a recorder cannot tell it from a program
    that resurrects. Where collections run is the same as long as nothing saved is freed."""
    code = MAKE + (
        "gc.set_debug(gc.DEBUG_SAVEALL); make(20); gc.collect(); n = len(gc.garbage)\n"
        "gc.set_debug(0); print(n >= 40); make(2000)"
    )
    (tmp_path / "program.py").write_text(code)
    done = run_recorded(tmp_path, "program.py")
    assert done.out == "True\n"
    checked(done.path)


def test_resurrection(tmp_path: Path) -> None:
    """What a finalizer saves is not collected; the log cannot say so before it happens, so the
    replay counts it. Nothing else moves."""
    code = MAKE + (
        "kept = []\n"
        "class Phoenix:\n    def __del__(self): kept.append(self)\n"
        "for i in range(3000):\n"
        "    p = Phoenix(); p.me = p if i % 2 else None\n"
        "    if len(kept) > 50: kept.clear()\n"
        "print(len(kept) <= 51)"
    )
    (tmp_path / "program.py").write_text(code)
    plain, done = run_plain(tmp_path, "program.py"), run_recorded(tmp_path, "program.py")
    assert done.ran == plain
    checked_places(done.path)


def test_the_log_says_which_calls_were_made_and_from_where(tmp_path: Path) -> None:
    code = MAKE + (
        "gc.disable(); gc.enable(); gc.set_threshold(500, 6, 7); gc.collect(1); gc.freeze()\n"
        "gc.unfreeze(); gc.set_debug(gc.DEBUG_UNCOLLECTABLE); gc.set_debug(0)\n"
        "ctypes.pythonapi.PyGC_Disable(); make(3); ctypes.pythonapi.PyGC_Enable(); make(3)"
    )
    done = recorded_code(tmp_path, code)
    with EventLog.open(done.path) as log:
        calls = [(call, arguments) for _, call, arguments in log.gc_calls()]
    assert calls == [
        (GcCall.DISABLE, []),
        (GcCall.ENABLE, []),
        (GcCall.SET_THRESHOLD, [500, 6, 7]),
        (GcCall.COLLECT, [1]),
        (GcCall.FREEZE, []),
        (GcCall.UNFREEZE, []),
        (GcCall.SET_DEBUG, [4]),
        (GcCall.SET_DEBUG, [0]),
        (GcCall.DISABLE, []),
        (GcCall.ENABLE, []),
    ]


def test_nothing_of_the_capture_is_among_the_objects(tmp_path: Path) -> None:
    code = """
import gc
class Node: pass
def ours(found): return [type(x) for x in found if "gcreplay" in repr(type(x)) or "gcreplay" in str(getattr(x, "__name__", ""))]
for i in range(3000):
    a = Node(); a.me = a
    if i % 500 == 0:
        found = [ours(gc.get_objects())] + [ours(gc.get_objects(g)) for g in range(3)]
        assert found == [[]] * 4, found
gc.freeze(); gc.unfreeze(); gc.collect()
print(ours(gc.get_objects()), gc.garbage, [n for n in dir(gc) if "hook" in n])
"""
    assert recorded_code(tmp_path, code, python=BARE).out == "[] [] []\n"


def test_collections_are_told_with_their_cause(tmp_path: Path) -> None:
    """3000 self-cycles, nothing else: one collection every 701 births, all young, then a call
    that finds the last ones. The first comes earlier by what start-up had counted."""
    code = "import gc\nclass Node: pass\ngc.collect()\nfor i in range(3000):\n    a = Node(); a.me = a\nprint(gc.collect())"
    done = recorded_code(tmp_path, code)
    causes = [(cause, generation) for cause, generation, _ in collections(done.path)]
    assert causes == [("call", 2), *[("threshold", 0)] * 4, ("call", 2)]
