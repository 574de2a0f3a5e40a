"""Programs that pull at the interpreter's own strings: what they give is what they would give."""

from pathlib import Path

import pytest
from recording import BARE, checked, run_plain, run_recorded

CYCLES = """
class Last: pass
def cycles(n):
    for i in range(n):
        last = Last(); last.me = last
cycles(3000)
"""
PROGRAMS = {
    "signals": """
import signal
seen = []
def told(number, frame): seen.append([number, frame.f_lineno > 0]); cycles(50)
signal.signal(signal.SIGALRM, told); signal.signal(signal.SIGUSR1, told)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
while len(seen) < 100: cycles(100)
signal.setitimer(signal.ITIMER_REAL, 0)
for i in range(50): signal.raise_signal(signal.SIGUSR1)
print(sum(n == signal.SIGUSR1 for n, _ in seen))
""",
    "recursion": """
import sys
def down(n): held = [n]; return down(n + 1) + len(held)
for limit in (1000, 5000):
    sys.setrecursionlimit(limit)
    try: down(0)
    except RecursionError as error: kept = error
    cycles(500)
print(type(kept).__name__)
""",
    "memory errors": """
caught = 0
for i in range(200):
    try: x = [[i]] * (1 << 60)
    except MemoryError: caught += 1
    try: (b"x" * (1 << 62)).split()
    except (MemoryError, OverflowError): caught += 1
    cycles(20)
print(caught)
""",
    "tracing and profiling": """
import sys, threading
lines, calls = [], []
def trace(frame, event, arg): lines.append((event,)); return trace
def profile(frame, event, arg): calls.append([event])
sys.settrace(trace); cycles(2000); sys.settrace(None)
sys.setprofile(profile); cycles(2000); sys.setprofile(None)
threading.settrace(trace); t = threading.Thread(target=cycles, args=(500,)); t.start(); t.join()
print(len(lines), len(calls) > 0)
""",
    "lists of all objects": """
import gc
for i in range(20):
    all = gc.get_objects()
    assert not [t for t in map(type, all) if "gcreplay" in t.__module__]
    held = [i]; holder = {"held": held}
    assert any(x is holder for x in gc.get_referrers(held))
    kinds = [gc.get_objects(generation=g) for g in range(3)]; cycles(100)
for x in all: gc.get_referents(x)
print(gc.is_tracked(all), len(gc.garbage))
""",
    "another module named gc": """
import sys, types
real = sys.modules["gc"] = types.ModuleType("gc")
import gc
assert not hasattr(gc, "collect")
del sys.modules["gc"]; import gc
print(gc.collect() >= 0, gc is not real); cycles(2000); gc.freeze(); gc.collect(); gc.unfreeze()
""",
    "ctypes": """
import ctypes
api = ctypes.pythonapi
print(api.PyGC_IsEnabled(), api.PyGC_Disable(), api.PyGC_Enable()); cycles(1000)
api.PyGC_Collect.restype = ctypes.c_ssize_t
last = Last(); last.me = last; del last
print(api.PyGC_Collect() > 0)
@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
def compare(a, b): cycles(5); return a[0] - b[0]
array = (ctypes.c_int * 200)(*range(200, 0, -1))
ctypes.CDLL(None).qsort(array, len(array), ctypes.sizeof(ctypes.c_int), compare)
print(array[0], array[199])
libc = ctypes.CDLL(None)
import os
child = libc.fork()
if child == 0: cycles(2000); os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""",
    "exec": """
import os, sys
if len(sys.argv) == 1:
    sys.stdout.flush(); os.execv(sys.executable, [sys.executable, __file__, "again"])
print("again", sorted(n for n in os.environ if "GCREPLAY" in n), "gcreplay_capture" in sys.modules)
""",
    "files of any number": """
import os
os.dup2(1, 200); os.dup2(1, 201); os.dup2(1, 202)
cycles(400_000)
os.write(201, b"kept\\n"); os.close(200); cycles(3000)
""",
    "tracemalloc again and again": """
import tracemalloc, faulthandler
faulthandler.enable()
for i in range(5): tracemalloc.start(); cycles(800); tracemalloc.stop(); cycles(800)
print(tracemalloc.is_tracing())
""",
    "threads that end at any time": """
import sys, threading
sys.setswitchinterval(1e-5)
def work(n):
    threading.stack_size(256 * 1024); held = [threading.current_thread()]; cycles(n)
for i in range(30):
    ts = [threading.Thread(target=work, args=(20 * j,)) for j in range(4)]
    [t.start() for t in ts]; [t.join() for t in ts]
threading.Thread(target=cycles, args=(10**9,), daemon=True).start()
print("left")
""",
    "pickles of what holds itself": """
import copyreg, pickle
last = Last(); last.me = [last, {"me": last}]
for protocol in range(6):
    for i in range(50): again = pickle.loads(pickle.dumps(last, protocol)); assert again.me[0] is again
print("same")
""",
}


CLOSER = ("signals", "recursion", "tracing and profiling", "threads that end at any time")


@pytest.mark.parametrize(
    ("name", "granularity"), [*((name, 0) for name in PROGRAMS), *((name, 50) for name in CLOSER)]
)
def test_the_program_is_left_alone(tmp_path: Path, name: str, granularity: int) -> None:
    (tmp_path / "program.py").write_text(CYCLES + PROGRAMS[name])
    plain = run_plain(tmp_path, "program.py", python=BARE)
    done = run_recorded(tmp_path, "program.py", granularity=granularity, python=BARE)
    assert plain.exit_code == 0, plain.err
    assert done.ran == plain
    assert checked(done.path).recorded > 3


ENVIRONMENTS = {
    "development mode": {"PYTHONDEVMODE": "1"},
    "optimised": {"PYTHONOPTIMIZE": "2"},
    "warnings are errors": {"PYTHONWARNINGS": "error"},
    "fault handler": {"PYTHONFAULTHANDLER": "1"},
    "no bytecode, safe path": {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1"},
    "other encodings": {"PYTHONUTF8": "1", "LC_ALL": "C", "PYTHONIOENCODING": "latin-1"},
    "bare and unbuffered": {"PYTHONNODEBUGRANGES": "1", "PYTHONUNBUFFERED": "1"},
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_settings_of_the_interpreter_hold_as_ever(tmp_path: Path, name: str) -> None:
    code = "import sys; print(sys.flags, sys.warnoptions, sys.path[1:], __debug__)"
    (tmp_path / "program.py").write_text(CYCLES + code)
    plain = run_plain(tmp_path, "program.py", python=BARE, environment=ENVIRONMENTS[name])
    done = run_recorded(tmp_path, "program.py", python=BARE, environment=ENVIRONMENTS[name])
    assert plain.exit_code == 0, plain.err
    assert done.ran == plain
    assert done.summary.complete, done.summary.message
    assert checked(done.path).recorded > 3
