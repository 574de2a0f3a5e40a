"""Programs of more than one process: the recorded one is whole, the others are left alone."""

from pathlib import Path

import pytest
from recording import BARE, checked, run_measured, run_plain, run_recorded

from gcreplay.store import EventLog

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
    "import sys, os; print(sorted(n for n in os.environ if 'GCREPLAY' in n or n == 'LD_PRELOAD'),"
    " 'gcreplay_capture' in sys.modules, 'inject' in open('/proc/self/maps').read())"],
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


FORKS = """
import ctypes, gc, os, platform, subprocess, sys
class Node: pass
def make(n):
    for i in range(n):
        node = Node(); node.me = node
def look(who, code):
    [gc.collect(generation) for generation in range(3)]
    gc.freeze(); frozen = gc.get_freeze_count(); gc.unfreeze()
    print(who, frozen, gc.get_count(), gc.get_stats(), [len(gc.get_objects(g)) for g in range(3)])
    print([line.split()[-1] for line in open("/proc/self/maps") if "gcreplay.spool" in line])
    make(100_000)  # more than what the parent's spool has room for
    sys.stdout.flush(); os._exit(code)
libc = ctypes.PyDLL(None)
def cloned():
    return libc.syscall({"x86_64": 56, "aarch64": 220}[platform.machine()], 17, 0, 0, 0, 0)
def ended(child): print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
def forked(who, code):
    child = fork()
    if child == 0: look(who, code)
    ended(child)
def told(phase, info):
    gc.callbacks.clear()
    forked(phase, 5)
    gc.callbacks[:] = [told] * (phase == "start")
class Told:
    def __del__(self): forked("finalizer", 6)
fork = {fork}
make(3000)
forked("running", 3)
gc.callbacks.append(told); gc.collect(); make(500)
last = [Told()]; del last  # while a list is torn down
last = Told(); last.me = last; del last; gc.collect(); make(3000)
ended(os.posix_spawn("/bin/true", ["true"], os.environ)); print(subprocess.run(["true"]).returncode)
"""
WAYS = ["os.fork", "cloned", "libc.fork"]


@pytest.mark.parametrize("fork", WAYS)
def test_a_forked_child_looks_as_it_would(tmp_path: Path, fork: str) -> None:
    """And never writes what its parent's recording is made of, however it came to be."""
    (tmp_path / "program.py").write_text(FORKS.replace("{fork}", fork))
    plain = run_plain(tmp_path, "program.py", python=BARE)
    done = run_recorded(tmp_path, "program.py", python=BARE)
    assert (plain.exit_code, plain.err) == (0, "")
    assert plain.out.count("[]") == 5
    assert done.ran == plain
    assert done.summary.complete, done.summary.message
    assert checked(done.path).recorded > 5


@pytest.mark.parametrize("fork", WAYS)
def test_a_child_of_a_measured_program_looks_as_it_would(tmp_path: Path, fork: str) -> None:
    (tmp_path / "program.py").write_text(FORKS.replace("{fork}", fork))
    plain = run_plain(tmp_path, "program.py", python=BARE)
    ran, run = run_measured(tmp_path, "program.py", python=BARE)
    assert ran == plain
    assert (run.complete, run.missed) == (True, 0)


CHILDREN = {
    "os.fork": (
        3,
        """
import os
for i in range(3):
    if os.fork() == 0:
        os.fork()  # a grandchild is its parent's
        os._exit(0)
    os.wait()
""",
    ),
    "subprocess, which forks by vfork()": (
        4,
        """
import os, subprocess, sys
subprocess.run(["true"])
subprocess.run([sys.executable, "-c", "import subprocess; subprocess.run(['true'])"])
subprocess.run("true; true", shell=True)
os.popen("true").close()
""",
    ),
    "subprocess, which forks by fork()": (
        1,
        "import subprocess; subprocess.run(['true'], preexec_fn=int)",
    ),
    "subprocess, imported anew": (
        2,
        """
import subprocess, sys
subprocess.run(["true"])
for name in "subprocess", "_posixsubprocess": del sys.modules[name]
import subprocess
subprocess.run(["true"])
""",
    ),
    "posix_spawn and system": (
        3,
        """
import os
os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
os.waitpid(os.posix_spawnp("true", ["true"], {}), 0)
os.system("true")
try: os.posix_spawn("/nosuch", ["nosuch"], {})
except FileNotFoundError: pass
try: os.system()
except TypeError: pass
""",
    ),
    "a child's own are its own": (
        1,
        """
import os, subprocess
if os.fork() == 0:
    subprocess.run(["true"]); os.system("true")
    os._exit(0)
os.wait()
""",
    ),
    "multiprocessing by spawn, with its tracker": (
        3,
        """
import multiprocessing
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool: print(pool.map(abs, [-1]))
""",
    ),
    "threads": (
        20,
        """
import os, subprocess, threading
def work():
    for i in range(5): os.system("true") if i % 2 else subprocess.run(["true"])
threads = [threading.Thread(target=work) for _ in range(4)]
for one in threads: one.start()
for one in threads: one.join()
""",
    ),
    "none": (0, "import subprocess, os"),
}


@pytest.mark.parametrize("ways", CHILDREN)
def test_the_processes_that_a_program_starts_are_counted(tmp_path: Path, ways: str) -> None:
    expected, program = CHILDREN[ways]
    (tmp_path / "program.py").write_text(program)
    done = run_recorded(tmp_path, "program.py")
    assert (done.ran.exit_code, done.ran.err) == (0, "")
    assert done.summary.children == expected
    with EventLog.open(done.path) as log:
        assert log.meta["children"] == expected


@pytest.mark.parametrize("start_up", ["import subprocess", "pass"])
def test_subprocess_may_be_there_before_the_program(tmp_path: Path, start_up: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(start_up)
    program = "import subprocess; subprocess.run(['true'])"
    environment = {"PYTHONPATH": str(tmp_path)}
    assert run_recorded(tmp_path, "-c", program, environment=environment).summary.children == 1
