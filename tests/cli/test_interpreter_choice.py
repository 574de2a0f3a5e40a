"""Which interpreter runs the program, with which options of its own, and what is no program."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from gcreplay.programs.not_a_script import no_such_script
from gcreplay.replay import verify
from gcreplay.store import EventLog
from gcreplay.tracer import CannotRecord, RealOptions, run_real
from gcreplay.tracer.program import alone, split_command
from gcreplay.tracer.record import check_program

PROGRAM = """
import sys
for i in range(3000):
    x = []; x.append(x)
print(sys.flags, sys.warnoptions, sys.argv[1:], sys.orig_argv[1:], __debug__)
"""


def gcreplay(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: text for key, text in os.environ.items() if key != "VIRTUAL_ENV"}
    return subprocess.run(
        [sys.executable, "-m", "gcreplay", *words],
        cwd=folder,
        env={**environment, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    "options",
    [
        ["-O"],
        ["-W", "error"],
        ["-X", "utf8"],
        ["-Xdev", "-OO"],
        ["-I"],
        ["-E", "-s"],
        ["-S"],
        ["-bIu"],
    ],
    ids=" ".join,
)
def test_options_of_the_interpreter_stand_behind_two_dashes(
    tmp_path: Path, options: list[str]
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [*options, "program.py", "-x", "--force"]
    plain = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    done = gcreplay(tmp_path, "record", "-o", "run.gcreplay", "--", *command)
    assert (done.returncode, done.stdout) == (0, plain.stdout), done.stderr
    with EventLog.open(tmp_path / "run.gcreplay") as log:
        assert log.meta["argv"] == command
        assert log.meta["complete"] is True
        seen = verify(log)
        assert seen.equal
        assert seen.recorded > 3
        recorded = [one.generation for one in log.observed]
    measured = run_real(RealOptions(command, directory=tmp_path, stdout=subprocess.DEVNULL))
    assert [one.generation for one in measured.collections] == recorded


@pytest.mark.parametrize(
    ("argv", "options", "program"),
    [
        (["app.py", "-O"], [], ["app.py", "-O"]),
        (["-O", "-X", "dev", "app.py"], ["-O", "-X", "dev"], ["app.py"]),
        (["-Xdev", "-Wd", "-", "x"], ["-Xdev", "-Wd"], ["-", "x"]),
        (["-Im", "json.tool", "x"], ["-I"], ["-m", "json.tool", "x"]),
        (["-mjson.tool", "-O"], [], ["-m", "json.tool", "-O"]),
        (["-bc", "print()"], ["-b"], ["-c", "print()"]),
        (["-W", "-m", "app.py"], ["-W", "-m"], ["app.py"]),
        (["--check-hash-based-pycs", "m", "a.py"], ["--check-hash-based-pycs", "m"], ["a.py"]),
        (["-O", "--", "-odd.py"], ["-O", "--"], ["-odd.py"]),
        (["-O"], ["-O"], []),
    ],
)  # fmt: skip
def test_a_command_is_read_as_the_interpreter_does(
    argv: list[str], options: list[str], program: list[str]
) -> None:
    assert split_command(argv) == (options, program)


def test_who_is_told_to_ignore_the_environment() -> None:
    assert [alone([word, "a.py"]) for word in ("-I", "-bE", "-S", "-SWd")] == [True] * 4
    assert [alone([word, "a.py"]) for word in ("-O", "-WE", "-XIS", "-s")] == [False] * 4
    assert not alone(["a.py", "-I"])
    assert not alone(["-W", "E", "a.py"])


def test_options_without_a_program() -> None:
    with pytest.raises(CannotRecord, match="no program to record behind -O"):
        check_program(["-O"])
    with pytest.raises(CannotRecord, match="-m needs a module"):
        check_program(["-I", "-m"])


def test_an_option_of_the_interpreter_at_the_wrong_place(tmp_path: Path) -> None:
    done = gcreplay(tmp_path, "record", "-O", "app.py")
    assert done.returncode == 2
    assert "those of the interpreter stand behind --, as in gcreplay record -- -O" in done.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    return folder


def test_the_active_virtual_environment_runs_the_program(tmp_path: Path, environment: Path) -> None:
    code = "import sys; print(sys.prefix)"
    active = {"VIRTUAL_ENV": str(environment)}
    done = gcreplay(tmp_path, "record", "-c", code, **active)
    assert done.stdout == f"{environment}\n"
    assert f"run with {environment}/bin/python, as its virtual environment is active" in done.stderr
    named = gcreplay(
        tmp_path, "record", "--force", "--python", sys.executable, "-c", code, **active
    )
    assert named.stdout == f"{sys.prefix}\n"
    assert "virtual environment" not in named.stderr
    ours = gcreplay(tmp_path, "record", "--force", "-c", code, VIRTUAL_ENV=sys.prefix)
    assert ours.stdout == f"{sys.prefix}\n"
    assert "virtual environment" not in ours.stderr


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH, with a command of this interpreter, one of another, and a shell's."""
    for name, first in (
        ("served", f"#!{sys.executable}"),
        ("other", "#!/elsewhere/bin/python3"),
        ("shelled", "#!/bin/sh"),
    ):
        (tmp_path / name).write_text(f"{first}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_a_script_that_does_not_exist_may_be_something_else(commands: Path) -> None:
    gone = "The script {} does not exist"
    for program, options, told in (
        (["timeit", "-n", "1"], [], "; it is a module: gcreplay record -m timeit -n 1"),
        (["timeit"], ["-O"], "; it is a module: gcreplay record -- -O -m timeit"),
        (["served", "a b"], [], f"; it is a command: gcreplay record {commands}/served 'a b'"),
        (["served"], ["-O"], f"; it is a command: gcreplay record -- -O {commands}/served"),
        (["other"], [], "; it is a command: gcreplay record --python /elsewhere/bin/python3 "
         f"{commands}/other"),
        (["shelled"], [], f"; it is a command, {commands}/shelled, but no Python program"),
        (["python3.11", "-O", "a.py"], [], "; it is an interpreter: gcreplay record --python "
         "python3.11 -- -O a.py"),
        (["json.tool", "--help"], [], "; it is a module: gcreplay record -m json.tool --help"),
        (["json.decoder.tool"], [], ": check the path"),
        (["json"], [], ": check the path"),  # a package that cannot be run
        (["folder/timeit"], [], ": check the path"),
        (["no_such_thing"], [], ": check the path"),
    ):  # fmt: skip
        assert no_such_script(program, options) == gone.format(program[0]) + told


def test_the_command_says_the_right_call(tmp_path: Path) -> None:
    done = gcreplay(tmp_path, "record", "timeit")
    assert done.returncode == 2
    assert done.stderr == (
        "Error: The script timeit does not exist; it is a module: gcreplay record -m timeit\n"
    )
