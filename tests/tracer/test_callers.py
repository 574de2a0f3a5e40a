"""Who calls the gc module, when marks are passed, and what CPU time the program takes itself."""

from pathlib import Path

from recording import checked, recorded_code, run_recorded

from gcreplay.store.events import GcCall, Op
from gcreplay.store.log import EventLog

CALLS = """import ctypes, gc

def clean():
    return gc.collect()

def told(phase, info):
    if phase == "start":
        gc.set_threshold(600, 5, 5)

class Node: pass
def make(n):
    for _ in range(n):
        node = Node()
        node.me = node

make(300)
clean()
for _ in range(2):
    clean()
list(map(gc.collect, [1]))
ctypes.pythonapi.PyGC_Collect()
gc.disable(); gc.enable()
gc.callbacks.append(told)
gc.collect(0)
gc.callbacks.clear()
gc.freeze()
"""


def test_each_call_of_the_gc_module_has_the_place_that_calls_it(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(CALLS)
    done = run_recorded(tmp_path, "program.py")
    checked(done.path)
    with EventLog.open(done.path) as log:
        sites = log.sites
        told = []
        for segment in log.segments():
            for i in (segment.op == Op.GC_CALL).nonzero()[0].tolist():
                call, via = GcCall(int(segment.a[i])).name.lower(), int(segment.c[i])
                site = sites[via - 1] if via > 1 else None
                named = site and (Path(site.file).name, site.line, site.function)
                told.append((call, "C" if via == 1 else named))
    clean, module = ("program.py", 4, "clean"), "<module>"
    assert told == [
        ("collect", clean),
        ("collect", clean),
        ("collect", clean),
        ("collect", ("program.py", 20, module)),
        ("collect", "C"),
        ("disable", ("program.py", 22, module)),
        ("enable", ("program.py", 22, module)),
        ("collect", ("program.py", 24, module)),
        ("set_threshold", ("program.py", 8, "told")),
        ("freeze", ("program.py", 26, module)),
    ]


def test_a_tick_stands_before_each_mark_and_at_the_end(tmp_path: Path) -> None:
    """Deaths may stand between, which are known when the mark is passed."""
    code = "from gcreplay_capture import mark\nfor i in range(5): x = [[]]; mark(str(i))\nx = [[]]"
    done = recorded_code(tmp_path, code)
    checked(done.path)
    with EventLog.open(done.path) as log:
        events = log.window(0, log.event_count)
    ticks = (events.op == Op.TICK).nonzero()[0]
    ends = [*(events.op == Op.MARK).nonzero()[0].tolist(), len(events)]
    assert len(ends) == 6
    before = [int(ticks[ticks < end][-1]) for end in ends]
    assert len(set(before)) == 6
    for tick, end in zip(before, ends, strict=True):
        assert not (events.op[tick:end] == Op.ALLOC).any()
    times = (events.a[ticks] | events.b[ticks].astype("uint64") << 32).tolist()
    assert times == sorted(times)


def test_what_it_sleeps_is_no_cpu_time(tmp_path: Path) -> None:
    done = recorded_code(tmp_path, "import time\ntime.sleep(1)")
    with EventLog.open(done.path) as log:
        own, clock = log.meta["own_cpu_ns"], max(log.program_times())
    assert isinstance(own, int)
    assert 0 < own < clock - 900_000_000


def test_what_it_takes_to_exit_is_told_apart(tmp_path: Path) -> None:
    """The same loop, once while it runs and ten times when its modules are taken apart."""
    code = """
def loop(n):
    for _ in range(n * 200_000): pass
class Slow:
    def __del__(self): loop(10)
loop(1)
slow = Slow()
"""
    done = recorded_code(tmp_path, code)
    with EventLog.open(done.path) as log:
        own, exits = log.meta["own_cpu_ns"], log.meta["exit_cpu_ns"]
    assert isinstance(own, int) and isinstance(exits, int)
    assert exits > own > 0


def test_a_program_that_starts_others_is_not_told_its_exit(tmp_path: Path) -> None:
    done = recorded_code(tmp_path, "import os\nif os.fork() == 0: os._exit(0)\nos.wait()")
    with EventLog.open(done.path) as log:
        assert log.meta["exit_cpu_ns"] is None
