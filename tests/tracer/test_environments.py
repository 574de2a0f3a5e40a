"""In every environment a recorded, and a measured, program finds the free lists and the counters
that it would find, and so collects where it would collect."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from recording import BARE, FIXED, checked, run_plain, run_recorded

from gcreplay.tracer import RealOptions, run_real

PROGRAM = """
import sys; sys._debugmallocstats()
import gc, json, socket
log = []
class N:
    def __del__(self):
        log.append(self.i)
for i in range(3000):
    a = N()
    a.me = a
    a.i = i
    if log and not hasattr(N, "first"):
        N.first = i
print(N.first, gc.get_count(), gc.get_stats())
"""
WAYS = {"script": ["program.py"], "-m": ["-m", "package"], "-c": ["-c", PROGRAM]}

# What editable installs and tools that start with the interpreter put there.
PLAIN_PTH = "../../../elsewhere\n"
CODE_PTH = """import json, decimal, collections; collections.namedtuple("Point", "x y")
import sys; exec("class Node: pass\\nfor i in range(2000):\\n a = Node(); a.me = a, [a], {1: a}")
import helper; helper.start()
"""
HELPER = """
import asyncio, re, threading
def start():
    async def main(): await asyncio.sleep(0)
    asyncio.run(main())
    re.compile("(a|b)+c?").match("abab")
    thread = threading.Thread(target=[].append, args=(1,)); thread.start(); thread.join()
"""
FINDER = """
import sys
from importlib.machinery import PathFinder
class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return PathFinder.find_spec(name, ["/nowhere"]) if name == "project" else None
def install(): sys.meta_path.append(Finder)
"""
CUSTOMIZED = "import string, fractions\nkept = [[i] for i in range(50)]\nprint(__name__)\n"


@dataclass(frozen=True)
class Environment:
    python: str
    variables: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Environment]:
    folder = tmp_path_factory.mktemp("environments")
    home = folder / "home"
    user = home / ".local" / "lib" / "python3.11" / "site-packages"
    user.mkdir(parents=True)
    (user / "usercustomize.py").write_text(CUSTOMIZED)
    (folder / "mine").mkdir()
    (folder / "mine" / "sitecustomize.py").write_text(CUSTOMIZED)
    editable = {"__editable___project_finder.py": FINDER}
    editable["__editable__.project.pth"] = (
        "import __editable___project_finder; __editable___project_finder.install()"
    )
    return {
        "bare": Environment(BARE),
        "venv": Environment(_venv(folder / "bare", {})),
        "editable": Environment(_venv(folder / "editable", editable)),
        "pth with a path": Environment(_venv(folder / "path", {"elsewhere.pth": PLAIN_PTH})),
        "pth with code": Environment(
            _venv(folder / "code", {"code.pth": CODE_PTH, "helper.py": HELPER})
        ),
        "sitecustomize in a venv": Environment(
            _venv(folder / "custom", {"sitecustomize.py": CUSTOMIZED, "code.pth": "import json"})
        ),
        "sitecustomize and usercustomize": Environment(
            BARE, {"HOME": str(home), "PYTHONPATH": str(folder / "mine")}
        ),
        "PYTHONPATH empty": Environment(BARE, {"PYTHONPATH": ""}),
        "PYTHONPATH": Environment(BARE, {"PYTHONPATH": f"{folder}:/nowhere"}),
    }


NAMES = [
    "bare",
    "venv",
    "editable",
    "pth with a path",
    "pth with code",
    "sitecustomize in a venv",
    "sitecustomize and usercustomize",
    "PYTHONPATH empty",
    "PYTHONPATH",
]


def _venv(folder: Path, packages: dict[str, str]) -> str:
    subprocess.run([BARE, "-m", "venv", "--without-pip", folder], check=True)
    site = folder / "lib" / "python3.11" / "site-packages"
    for name, text in packages.items():
        (site / name).write_text(text)
    return str(folder / "bin" / "python")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "__main__.py").write_text(PROGRAM)
    return tmp_path


def free_lists(told: str) -> list[str]:
    """The lists that sys._debugmallocstats() names, with how many objects each holds."""
    lists = [line.strip() for line in told.splitlines() if " free " in line and "Py" in line]
    assert len(lists) == 23, told  # of dict, float, list and tuples of 1 to 20 items
    return lists


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_it_collects_where_it_would(
    programs: Path, environments: dict[str, Environment], name: str, way: str
) -> None:
    python, variables = environments[name].python, environments[name].variables
    for _ in range(2):  # the second time everything has its .pyc file
        plain = run_plain(programs, *WAYS[way], python=python, environment=variables)
    assert plain.exit_code == 0, plain.err
    recorded = run_recorded(programs, *WAYS[way], python=python, environment=variables)
    assert recorded.ran.out == plain.out
    assert free_lists(recorded.ran.err) == free_lists(plain.err)
    checked(recorded.path)
    out, err = programs / "out", programs / "err"
    with out.open("w") as to, err.open("w") as told:
        run = run_real(
            RealOptions(
                WAYS[way],
                python=python,
                environment={**FIXED, **variables},
                directory=programs,
                stdout=to.fileno(),
                stderr=told.fileno(),
            )
        )
    assert run.complete, run.message
    assert out.read_text() == plain.out
    assert free_lists(err.read_text()) == free_lists(plain.err)


def test_what_runs_at_start_up_leaves_traces(
    programs: Path, environments: dict[str, Environment]
) -> None:
    """Other lists and other counters in every environment, so that there is something to keep."""
    assert sorted(environments) == sorted(NAMES)
    seen = {
        name: run_plain(programs, "program.py", python=one.python, environment=one.variables)
        for name, one in environments.items()
    }
    assert seen["sitecustomize and usercustomize"].out.startswith("sitecustomize\nusercustomize\n")
    other_lists = [name for name in NAMES if "PYTHONPATH" not in name and name != "pth with a path"]
    assert len({tuple(free_lists(seen[name].err)) for name in other_lists}) == len(other_lists)
    others = [name for name in NAMES if "PYTHONPATH" not in name]
    assert len({seen[name].out for name in others}) == len(others)


SECOND_INTERPRETERS = """
import _xxsubinterpreters as subinterpreters
for _ in range(3):
    one = subinterpreters.create()
    subinterpreters.run_string(one, "import sys; print(len(sys.path), 'gcreplay_capture' in sys.modules)")
print("end")
"""


@pytest.mark.parametrize("name", ["bare", "sitecustomize and usercustomize"])
def test_each_further_interpreter_starts_as_it_would(
    tmp_path: Path, environments: dict[str, Environment], name: str
) -> None:
    """The user's own start-up files run in each of them, and nothing of the capture."""
    python, variables = environments[name].python, environments[name].variables
    (tmp_path / "program.py").write_text(SECOND_INTERPRETERS)
    plain = run_plain(tmp_path, "program.py", python=python, environment=variables)
    done = run_recorded(tmp_path, "program.py", python=python, environment=variables)
    assert done.ran == plain
    assert plain.err == ""
    assert plain.out.count("sitecustomize\n") == (4 if variables else 0)
    assert "second interpreter" in done.summary.message
    assert not done.summary.complete


STARTS_OTHERS = """
import os, subprocess, sys, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
print(subprocess.run([sys.executable, "-c", "import os; print(sorted(n for n in os.environ if "
    "'GCREPLAY' in n or 'PRELOAD' in n))"], env={**os.environ, "PYTHONPATH": ""},
    capture_output=True, text=True).stdout)
if (child := os.fork()) == 0:
    print("child", [[i] for i in range(3000)][-1], flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


def test_start_up_files_may_start_threads_and_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run before the capture attaches; it attaches in the program alone."""
    monkeypatch.delenv("GCREPLAY_WERROR", raising=False)  # the build's, in CI
    (tmp_path / "sitecustomize.py").write_text(STARTS_OTHERS)
    environment = {"PYTHONPATH": str(tmp_path)}
    code = "x = [[i, {i: (i,)}] for i in range(3000)]\ndel x\nprint('done')"
    plain = run_plain(tmp_path, "-c", code, environment=environment)
    done = run_recorded(tmp_path, "-c", code, environment=environment)
    assert done.ran == plain
    assert plain.out == "[]\n\nchild [2999]\ndone\n"
    assert done.summary.complete
    checked(done.path)


def test_a_child_forked_at_start_up_is_not_the_program(tmp_path: Path) -> None:
    """It runs the program too, to its end, and must not write into its parent's recording."""
    (tmp_path / "sitecustomize.py").write_text("import os\npid = os.fork()\n")
    code = (
        "import os, sitecustomize as s\n"
        "if s.pid: os.waitpid(s.pid, 0)\n"
        "x = [[i] for i in range(3000)]; print('child' if s.pid == 0 else 'parent', flush=True)"
    )
    environment = {"PYTHONPATH": str(tmp_path)}
    plain = run_plain(tmp_path, "-c", code, environment=environment)
    done = run_recorded(tmp_path, "-c", code, environment=environment)
    assert done.ran == plain
    assert plain.out == "child\nparent\n"
    assert done.summary.complete
    checked(done.path)
