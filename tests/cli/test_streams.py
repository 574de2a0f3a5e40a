"""Standard streams that are closed or gone, names that are no text, Ctrl-C in the first moments."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import gcreplay

COMMAND = f"{sys.executable} -m gcreplay"
CLOSED = (">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full")
COMMANDS = {
    "record --force -o a.gcreplay program.py": 7,
    "info a.gcreplay": 0,
    "replay a.gcreplay -p manual": 0,
    "verify a.gcreplay": 0,
    "events a.gcreplay": 0,
    "export --force -o a.jsonl a.gcreplay": 0,
    "import --force -o b.gcreplay a.jsonl": 0,
    "policies": 0,
    "--help": 0,
    "nothing": 2,
    "recover missing.spool": 2,
}


def shell(folder: Path | str | bytes, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line, shell=True, cwd=folder, capture_output=True, text=True, errors="replace", check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("streams")
    (made / "program.py").write_text("import sys; sys.exit(7)")
    shell(made, f"{COMMAND} record -o a.gcreplay program.py")
    shell(made, f"{COMMAND} export -o a.jsonl a.gcreplay")
    return made


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_stream_changes_no_exit_code(folder: Path, command: str) -> None:
    for how in CLOSED:
        done = shell(folder, f"{COMMAND} {command} {how}")
        assert (how, done.returncode) == (how, COMMANDS[command]), done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["info a.gcreplay", "events a.gcreplay", "policies", "--help"])
def test_figures_that_reach_nobody_are_a_failure_in_one_sentence(
    folder: Path, command: str
) -> None:
    done = shell(folder, f"{COMMAND} {command} >/dev/full")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["Error: Output: No space left on device."]


def test_folders_and_files_need_not_be_text(tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(odd)  # noqa: PTH102
    done = shell(odd, f"{COMMAND} record -o \udcfe.gcreplay -c 'raise SystemExit(9)'")
    assert done.returncode == 9, done.stderr
    for command in ("info", "verify", "events", "replay -p manual"):
        done = shell(odd, f"{COMMAND} {command} \udcfe.gcreplay")
        assert done.returncode == 0, done.stderr


def test_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    line = f"rmdir ../gone; {COMMAND} record -o {tmp_path}/a.gcreplay -c 'print(1)'"
    done = shell(tmp_path / "gone", line)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    (tmp_path / "gone").mkdir()
    done = shell(tmp_path / "gone", f"rmdir ../gone; {COMMAND} record -c 'print(1)'")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1


INTERRUPTED = f"import os, signal; os.kill(os.getpid(), {int(signal.SIGINT)})\n"
HERE = "from gcreplay.__main__ import main; main()"  # modules of the folder come first
RUNS = "import time; open('running', 'w').close(); [time.sleep(0.05) for _ in range(2000)]"


def interrupted_at(folder: Path, stub: str, module: str) -> subprocess.CompletedProcess[str]:
    """A program that ends only by a signal, recorded; the stub comes in place of a library."""
    (folder / f"{module}.py").write_text(stub)
    return subprocess.run(
        [sys.executable, "-c", HERE, "record", "-c", RUNS],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_ctrl_c_before_the_program_has_started(tmp_path: Path) -> None:
    done = interrupted_at(tmp_path, f"{INTERRUPTED}while True: pass\n", "click")
    assert (done.returncode, done.stderr) == (128 + signal.SIGINT, "Interrupted.\n")


@pytest.mark.parametrize("module", ["sqlalchemy", "numpy"])
def test_ctrl_c_while_a_library_is_imported_is_the_program_s(tmp_path: Path, module: str) -> None:
    """It runs by then, and its recording is made all the same."""
    wait = "import os, time\nwhile not os.path.exists('running'): time.sleep(0.01)\n"
    real = "import sys; sys.path.remove(''); del sys.modules[__name__]\n"
    done = interrupted_at(tmp_path, f"{wait}{INTERRUPTED}{real}import {module}\n", module)
    assert done.returncode == 128 + signal.SIGINT, done.stderr
    assert str(Path(gcreplay.__file__).parent) not in done.stderr
    assert (tmp_path / "command.gcreplay").exists()
