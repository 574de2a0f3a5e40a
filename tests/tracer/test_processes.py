"""Programs of more than one process: the recorded one is whole, the others are left alone."""

from pathlib import Path

import pytest
from recording import checked, run_plain, run_recorded

MAKE = """
import os, sys
class Node: pass
def make(n):
    for i in range(n):
        a = Node(); a.me = a; a.more = [{"i": (i,)}]
make(2000)
"""
PROGRAMS = {
    "fork": """
for code in (0, 3):
    pid = os.fork()
    if pid == 0:
        make(3000); print("child", code, flush=True); sys.exit(code)
    make(500); print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
""",
    "fork, the child outlives": """
r, w = os.pipe()
if os.fork() == 0:
    os.close(w); os.read(r, 1); make(2000); os._exit(0)
""",
    "fork while a collection runs": """
import gc
def told(phase, info):
    if phase == "stop" and info["generation"] == 2:
        pid = os.fork()
        if pid == 0: gc.collect(); os._exit(4)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
gc.callbacks.append(told); gc.collect(); gc.callbacks.clear()
""",
    "subprocess": """
import subprocess
print(subprocess.run([sys.executable, "-c",
    "import sys, os; print(sorted(n for n in os.environ if 'GCREPLAY' in n or n == 'PYTHONPATH'),"
    " 'gcreplay_capture' in sys.modules, [p for p in sys.path if 'inject' in p])"],
    capture_output=True, text=True).stdout)
""",
    "multiprocessing by fork": """
import multiprocessing
with multiprocessing.get_context("fork").Pool(2) as pool: print(pool.map(abs, range(-50, 0)))
""",
    "multiprocessing by spawn": """
if __name__ == "__main__":
    import multiprocessing
    with multiprocessing.get_context("spawn").Pool(1) as pool: print(pool.map(abs, range(-50, 0)))
""",
    "concurrent.futures": """
import concurrent.futures as f
with f.ProcessPoolExecutor(2) as pool: print(sum(pool.map(abs, range(-50, 0))))
with f.ThreadPoolExecutor(4) as pool: list(pool.map(make, [500] * 8))
""",
    "daemon that closes every file": """
os.closerange(3, 4096)
with open("mine", "wb") as mine: mine.write(b"x" * 10)
kept = [open("mine", "rb+") for _ in range(250)]
make(500_000)  # more than the spool's first room
print(os.path.getsize("mine"), max(f.fileno() for f in kept) > 200)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_process_does_what_it_would(tmp_path: Path, name: str) -> None:
    (tmp_path / "program.py").write_text(MAKE + PROGRAMS[name])
    plain = run_plain(tmp_path, "program.py")
    done = run_recorded(tmp_path, "program.py")
    assert done.ran == plain
    assert done.summary.complete, done.summary.message
    assert checked(done.path).recorded > 5
    assert not list(tmp_path.glob("*.spool*"))
