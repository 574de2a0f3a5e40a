"""What a program sees of the world when it starts is the same with and without a recording."""

from pathlib import Path

import pytest
from recording import BARE, checked, run_plain, run_recorded

SHOW = """
import json, os, sys, gc
files = [n for n in range(3, 200) if os.path.exists(f"/proc/self/fd/{n}")]
print(json.dumps({
    "argv": sys.argv,
    "orig_argv": sys.orig_argv[1:],
    "path": sys.path,
    "importer_cache": sorted(sys.path_importer_cache),
    "environ": list(os.environ.items()),
    "environb": list(map(repr, os.environb)),
    "getenv": os.popen("env | grep -v ^_=").read().split(),
    "builtin": sys.builtin_module_names,
    "flags": str(sys.flags),
    "main": [__name__, globals().get("__file__"), str(__spec__ and __spec__.name), __package__],
    "stdin": sys.stdin.read() if "-" != sys.argv[0] else "",
    "files": files,
    "modules": sorted(set(sys.modules) - {"gcreplay_capture"}),
    "user": sys.modules.get("sitecustomize") and sys.modules["sitecustomize"].__file__,
    "hooks": [sys.getprofile(), sys.gettrace(), gc.callbacks, gc.isenabled(), gc.get_threshold()],
    "threads": len(os.listdir("/proc/self/task")),
}, indent=1))
"""
PROGRAMS = {
    "script": (["folder/app.py", "a b", "-x", ""], "given"),
    "module": (["-m", "folder.app", "--opt=1"], "given"),
    "package": (["-m", "folder", "1"], "given"),
    "directory": (["folder"], "given"),
    "code": (["-c", SHOW, "a", "-c"], "given"),
    "standard input": (["-", "x"], SHOW),
}


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "app.py").write_text(SHOW)
    (tmp_path / "folder" / "__main__.py").write_text(SHOW)
    return tmp_path


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_sees_the_same_world(programs: Path, name: str) -> None:
    argv, stdin = PROGRAMS[name]
    for _ in range(2):  # the second time everything has its .pyc file
        plain = run_plain(programs, *argv, stdin=stdin)
    recorded = run_recorded(programs, *argv, stdin=stdin)
    assert plain.exit_code == 0, plain.err
    assert recorded.ran == plain
    checked(recorded.path)


@pytest.mark.parametrize("own_path", [None, "mine", "mine:other", "", ":mine", "mine:"])
def test_the_users_own_start_up_files_run_once(tmp_path: Path, own_path: str | None) -> None:
    for folder in ("mine", "other"):
        (tmp_path / folder).mkdir()
        for name in ("sitecustomize", "usercustomize"):
            (tmp_path / folder / f"{name}.py").write_text(
                f"print({folder!r}, __name__, __file__, __spec__.origin)\nvalue = {folder!r}\n"
            )
    code = (
        "import sys, os\n"
        "print(sys.path, os.environ.get('PYTHONPATH'), os.popen('echo ${PYTHONPATH-unset}').read())\n"
        "print([(n, m.value, m.__spec__.origin, m.__spec__.loader.path) for n, m in sys.modules.items()"
        " if n.endswith('customize')])\n"
        "import sitecustomize\n"
    )
    environment = {} if own_path is None else {"PYTHONPATH": own_path}
    plain = run_plain(tmp_path, "-c", code, environment=environment)
    recorded = run_recorded(tmp_path, "-c", code, environment=environment)
    assert recorded.ran.out == plain.out
    assert recorded.ran.exit_code == plain.exit_code
    assert plain.out.count("sitecustomize") <= 2 or own_path  # the expectation is not empty
    if own_path:
        assert recorded.out.count("mine sitecustomize") == 1
        checked(recorded.path)


def test_a_users_start_up_file_that_fails_is_told_as_ever(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("1 / 0\n")
    environment = {"PYTHONPATH": str(tmp_path)}
    plain = run_plain(tmp_path, "-c", "print('runs')", environment=environment)
    recorded = run_recorded(tmp_path, "-c", "print('runs')", environment=environment)
    assert "ZeroDivisionError" in plain.err
    assert recorded.ran == plain


COLLECTOR = """
import gc
state = gc.get_count(), gc.get_stats(), [len(gc.get_objects(g)) for g in range(3)]
class Node: pass
for _ in range(20_000):
    a, b = Node(), [{}]
    a.b = b
    b.append(a)
end = gc.get_count(), gc.get_stats(), [len(gc.get_objects(g)) for g in range(3)]
print(state, end)
print([s["collections"] for s in end[1]])
"""


def test_the_collector_does_what_it_would_have_done(tmp_path: Path) -> None:
    """Counters, statistics and sizes of the lists, at the first line and after some work."""
    (tmp_path / "program.py").write_text(COLLECTOR)
    plain = run_plain(tmp_path, "program.py", python=BARE)
    assert run_plain(tmp_path, "program.py", python=BARE) == plain  # it is a fact, not noise
    recorded = run_recorded(tmp_path, "program.py", python=BARE)
    assert recorded.out == plain.out
    assert checked(recorded.path).recorded > 20


@pytest.mark.parametrize("allocator", ["malloc", "debug", "pymalloc_debug", "malloc_debug"])
def test_another_allocator_below(tmp_path: Path, allocator: str) -> None:
    code = "x = [[i, {i: (i,)}] for i in range(3000)]\ndel x\nprint('done')"
    done = run_recorded(tmp_path, "-c", code, environment={"PYTHONMALLOC": allocator})
    assert done.ran.exit_code == 0, done.ran.err
    assert done.out == "done\n"
    assert done.summary.complete
    checked(done.path)
