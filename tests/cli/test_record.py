"""`record`: what the program gets, what it prints, and how the command ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gcreplay.commands.record import in_one_line
from gcreplay.tracer import RecordSummary

SHOW_ARGUMENTS = "import sys; print(sys.argv[1:])"


def record(folder: Path, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gcreplay", "record", *args],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "own_flags",
    [
        ["-o", "other.gcreplay", "--help", "--force"],  # ours by name, but after the program
        ["--", "-m", "-c"],
        ["--unknown=1", "-x", ""],
    ],
)
def test_what_follows_the_program_belongs_to_the_program(
    tmp_path: Path, own_flags: list[str]
) -> None:
    (tmp_path / "app.py").write_text(SHOW_ARGUMENTS)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(SHOW_ARGUMENTS)
    for program in (["app.py"], ["-m", "package"], ["-c", SHOW_ARGUMENTS]):
        done = record(tmp_path, "--force", "--output=run.gcreplay", *program, *own_flags)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{own_flags}\n"  # and nothing of gcreplay on standard output
        assert (tmp_path / "run.gcreplay").exists()
        assert not (tmp_path / "other.gcreplay").exists()


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (["folder/app.py"], "app.gcreplay"),
        (["-m", "folder.app"], "folder.app.gcreplay"),
        (["-c", "pass"], "command.gcreplay"),
        (["-"], "stdin.gcreplay"),
    ],
)
def test_the_recording_is_named_after_the_program(
    tmp_path: Path, program: list[str], name: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "app.py").write_text("pass")
    assert record(tmp_path, *program).returncode == 0
    assert [path.name for path in tmp_path.glob("*.gcreplay*")] == [name]


def test_a_program_without_a_name_gives_no_hidden_file(tmp_path: Path) -> None:
    for program in (["/"], ["-m", ""]):
        record(tmp_path, *program)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("raise SystemExit(3)", 3),
        ("1 / 0", 1),
        ("import os; os._exit(7)", 7),
        ("import os; os.kill(os.getpid(), 15)", 128 + 15),
        ("import os; os.kill(os.getpid(), 9)", 128 + 9),
    ],
)
def test_the_exit_code_is_the_programs(tmp_path: Path, code: str, exit_code: int) -> None:
    assert record(tmp_path, "-c", code).returncode == exit_code
    assert (tmp_path / "command.gcreplay").exists()


def test_input_output_and_errors_are_the_programs(tmp_path: Path) -> None:
    code = "import sys; print(input()[::-1]); print('told', file=sys.stderr)"
    done = record(tmp_path, "-c", code, stdin="abc\n")
    assert done.stdout == "cba\n"
    assert done.stderr.startswith("told\n")


def test_an_existing_recording_is_kept(tmp_path: Path) -> None:
    (tmp_path / "command.gcreplay").write_text("mine")
    done = record(tmp_path, "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--force" in done.stderr
    assert (tmp_path / "command.gcreplay").read_text() == "mine"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "script"),
        (["missing.py"], "missing.py"),
        (["-o"], "-o"),
        (["-m"], "'-m' requires an argument"),
        (["-c"], "'-c' requires an argument"),
        (["--force", "-m"], "'-m' requires an argument"),
        (["--granularity", "-1", "-c", "pass"], "-1"),
        (["--granularity", "often", "-c", "pass"], "often"),
        (["--python", "no-such-python", "-c", "pass"], "no-such-python"),
    ],
)
def test_wrong_usage_is_said_before_anything_runs(
    tmp_path: Path, args: list[str], says: str
) -> None:
    done = record(tmp_path, *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (["-m", "nosuch"], "No module named nosuch"),
        (["-m", "nosuch.inner"], "Error while finding module specification for 'nosuch.inner'"),
        (["-m", "package"], "No module named package.__main__"),
        (["-m", "package.nosuch"], "No module named package.nosuch"),
        (["package"], "can't find '__main__' module in"),
    ],
)
def test_what_the_interpreter_finds_nothing_to_run_in_leaves_no_recording(
    tmp_path: Path, program: list[str], says: str
) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    done = record(tmp_path, *program)
    own, ours = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert says in own
    assert ours == (
        "gcreplay: nothing was recorded: the interpreter found nothing to run, as it says above"
    )
    assert list(tmp_path.glob("*.gcreplay*")) == []


@pytest.mark.parametrize("text", ["x = (", "if 1:\nx", "nonlocal x", "if 1:\n\tx\n        y"])
@pytest.mark.parametrize("how", ["script", "command"])
def test_what_the_interpreter_cannot_read_leaves_no_recording(
    tmp_path: Path, text: str, how: str
) -> None:
    (tmp_path / "wrong.py").write_text(text)
    done = record(tmp_path, *(["wrong.py"] if how == "script" else ["-c", text]))
    *own, ours = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert own[-1].split(":")[0] in ("SyntaxError", "IndentationError", "TabError")
    assert ours == (
        "gcreplay: nothing was recorded: the interpreter cannot read the program, as it says above"
    )
    assert list(tmp_path.glob("*.gcreplay*")) == []


@pytest.mark.parametrize(
    "text", ["import wrong", "compile('x = (', '', 'exec')", "exec('x = (')", "raise SyntaxError"]
)
@pytest.mark.parametrize("how", ["script", "command", "module"])
def test_a_program_that_runs_into_what_cannot_be_read_is_recorded(
    tmp_path: Path, text: str, how: str
) -> None:
    (tmp_path / "wrong.py").write_text("x = (")
    (tmp_path / "program.py").write_text(text)
    given = {"script": ["program.py"], "command": ["-c", text], "module": ["-m", "program"]}
    assert record(tmp_path, *given[how]).returncode == 1
    assert len(list(tmp_path.glob("*.gcreplay"))) == 1


@pytest.mark.parametrize("text", ["import nosuch", "raise ImportError", "raise SystemExit(1)"])
def test_what_fails_while_it_is_imported_is_recorded(tmp_path: Path, text: str) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text(text)
    (tmp_path / "package" / "inner.py").touch()
    assert record(tmp_path, "-m", "package.inner").returncode == 1
    assert [path.name for path in tmp_path.glob("*.gcreplay*")] == ["package.inner.gcreplay"]


def test_the_size_told_has_what_a_reader_keeps_beside_the_file(tmp_path: Path) -> None:
    """As long as it reads, the newest pages stand there."""
    path = tmp_path / "run.gcreplay"
    path.write_bytes(bytes(1024))
    Path(f"{path}-wal").write_bytes(bytes(2048))
    told = in_one_line(RecordSummary(path, 0, None, 1, 2, 3, True, "", 1))
    assert told == (
        f"gcreplay: 1 event, 2 objects and 3 collections in {path} (3.0 KiB); 1 process that it "
        f"started is not in it"
    )


def test_a_program_may_stand_on_standard_input(tmp_path: Path) -> None:
    done = record(tmp_path, "-", "--mine", stdin="import sys; print(sys.argv)\n")
    assert (done.returncode, done.stdout) == (0, "['-', '--mine']\n")


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONPATH": "theirs"},
        {"PYTHONINSPECT": "1"},
        {"PYTHONVERBOSE": "1"},
        {"PYTHONWARNINGS": "error"},
        {"PYTHONDEVMODE": "1"},
    ],
)
def test_the_environment_speaks_to_the_program_alone(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    """It may have other libraries of our names, and wait at its end for what is typed."""
    (tmp_path / "theirs").mkdir()
    for library in ("click", "sqlalchemy", "numpy", "zstandard"):
        (tmp_path / "theirs" / f"{library}.py").write_text("mine = True\n")
    code = f"import os; print({{name: os.environ.get(name) for name in {sorted(variables)}}})\n"
    code += "import click; print(click.mine)\n" if "PYTHONPATH" in variables else ""
    (tmp_path / "app.py").write_text(code)
    environment = {**os.environ, **variables}
    plain, recorded = (
        subprocess.run(
            [sys.executable, *command, "app.py"],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        for command in ([], ["-m", "gcreplay", "record"])
    )
    assert recorded.returncode == plain.returncode == 0, recorded.stderr
    assert recorded.stdout == plain.stdout
    assert "Traceback" not in recorded.stderr
    assert recorded.stderr.splitlines()[-1].startswith("gcreplay: ")
