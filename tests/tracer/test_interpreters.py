"""What can be recorded, and the one sentence for everything else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from recording import Ran, run_plain, run_recorded

from gcreplay.tracer import CannotRecord, interpreter


def refused(folder: Path, python: str, *argv: str) -> str:
    """The sentence; and nothing was run or left behind."""
    before = sorted(folder.iterdir())
    with pytest.raises(CannotRecord) as caught:
        run_recorded(folder, *(argv or ("-c", "open('ran', 'w')")), python=python)
    assert sorted(folder.iterdir()) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def answers(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def fake(folder: Path, *answer: str) -> str:
    """An executable that answers the question about itself so, and loads nothing for us."""
    path = folder / "python"
    lines = "\n".join(f"echo '{line}'" for line in answer)
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return str(path)


SUFFIX = ".cpython-311-x86_64-linux-gnu.so"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (("cpython", "3.10.13", SUFFIX, "0"), "CPython 3.10.13"),
        (("cpython", "3.12.1", SUFFIX, "0"), "CPython 3.12.1"),
        (("cpython", "3.14.2", SUFFIX, "0"), "CPython 3.14.2"),
        (("cpython", "3.1.1", SUFFIX, "0"), "CPython 3.1.1"),
        (("pypy", "3.11.9", SUFFIX, "0"), "PyPy 3.11.9"),
        (("cpython", "3.11.7", SUFFIX, "1"), "debug build"),
        (("cpython", "3.11.7", ".cpython-311-elsewhere.so", "0"), "not built for it"),
        (("cpython", "3.11.7", SUFFIX, "0"), "LD_PRELOAD"),
        (("hello",), "not a Python interpreter"),
        ((), "not a Python interpreter"),
    ],
)
def test_another_interpreter_is_refused(tmp_path: Path, answer: tuple[str, ...], says: str) -> None:
    assert says in refused(tmp_path, fake(tmp_path, *answer))


def interpreters(version: str) -> list[str]:
    """On the PATH, or beside it under pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    beside = sorted(map(str, pyenv.glob(f"{version}.*/bin/python{version}")))
    places = [shutil.which(f"python{version}"), *beside]
    return [place for place in places if place and answers(place)]


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.12", "3.13"])
def test_real_interpreters_of_other_versions_are_refused(tmp_path: Path, version: str) -> None:
    found = interpreters(version)
    if not found:
        pytest.skip(f"no Python {version} on this machine; a stand-in is tested above")
    assert f"CPython {version}" in refused(tmp_path, found[0])


@pytest.mark.parametrize(
    "python", ["no-such-python", "/", "/dev/null", "", "/bin/true", "/bin/cat"]
)
def test_what_is_no_interpreter_is_refused(tmp_path: Path, python: str) -> None:
    refused(tmp_path, python)


@pytest.mark.parametrize("flag", ["-I", "-E", "-S", "-sSE"])
def test_an_interpreter_that_ignores_the_environment(tmp_path: Path, flag: str) -> None:
    """The program runs as ever; the sentence says why there is no recording."""
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} {flag} "$@"\n')
    wrapper.chmod(0o755)
    code = "import os; print('ran', os.environ.get('PYTHONPATH')); exit(3)"
    done = run_recorded(tmp_path, "-c", code, python=str(wrapper))
    plain = run_plain(tmp_path, flag, "-c", code)
    assert done.ran == plain
    assert not done.summary.complete
    assert "never started" in done.summary.message
    assert [path.name for path in tmp_path.iterdir()] == ["python"]


def test_launchers_on_the_way_are_passed_by(tmp_path: Path) -> None:
    """A shell that runs other programs first, and an isolated Python that starts the program."""
    (tmp_path / "launch.py").write_text(
        "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"
    )
    wrapper = tmp_path / "python"
    isolated = f"{sys.executable} -IS {tmp_path / 'launch.py'} {sys.executable}"
    wrapper.write_text(f'#!/bin/sh\nname=$(basename "$0" | tr a-z A-Z)\nexec {isolated} "$@"\n')
    wrapper.chmod(0o755)
    code = "import os, sys; print(sorted(os.environ.items()), sys.orig_argv); exit(3)"
    plain = run_plain(tmp_path, "-c", code, python=str(wrapper))
    done = run_recorded(tmp_path, "-c", code, python=str(wrapper))
    assert done.ran == plain
    assert plain.exit_code == 3
    assert done.summary.complete


def test_what_is_asked_before_reads_nothing_of_the_program(tmp_path: Path) -> None:
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nread line; echo "$line" >&2\nexec {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    code = "import sys; print(sys.stdin.read())"
    given = {"stdin": "for the wrapper\nfor the program\n", "python": str(wrapper)}
    assert run_recorded(tmp_path, "-c", code, **given).ran == run_plain(
        tmp_path, "-c", code, **given
    )


@pytest.mark.parametrize("line", ["exec env -i {0}", "LD_PRELOAD= exec {0}"])
def test_a_wrapper_that_keeps_the_capture_out(tmp_path: Path, line: str) -> None:
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\n{line.format(sys.executable)} "$@"\n')
    wrapper.chmod(0o755)
    assert "LD_PRELOAD" in refused(tmp_path, str(wrapper))


@pytest.mark.parametrize("theirs", [None, "", "libm.so.6", "libm.so.6:libdl.so.2"])
def test_a_wrapper_that_preloads_more(tmp_path: Path, theirs: str | None) -> None:
    """What it makes of LD_PRELOAD reaches the program, and the programs that it starts."""
    wrapper = tmp_path / "python"
    wrapper.write_text(
        f'#!/bin/sh\nLD_PRELOAD="$LD_PRELOAD:libc.so.6" exec {sys.executable} "$@"\n'
    )
    wrapper.chmod(0o755)
    code = "import os; print(os.environ['LD_PRELOAD'], os.popen('echo $LD_PRELOAD').read())"
    environment = {} if theirs is None else {"LD_PRELOAD": theirs}
    plain = run_plain(tmp_path, "-c", code, python=str(wrapper), environment=environment)
    done = run_recorded(tmp_path, "-c", code, python=str(wrapper), environment=environment)
    assert done.ran == plain
    assert plain.out.startswith(f"{theirs or ''}:libc.so.6 ")
    assert done.summary.complete


def test_a_capture_in_a_folder_with_a_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LD_PRELOAD cannot name such a file."""
    there = tmp_path / "my own: $place"
    there.mkdir()
    for built in interpreter.INJECT.glob("*.so"):
        shutil.copy(built, there)
    monkeypatch.setattr(interpreter, "INJECT", there)
    done = run_recorded(tmp_path, "-c", "import os; print('LD_PRELOAD' in os.environ)")
    assert done.ran == Ran(0, "False\n", "")
    assert done.summary.complete


def test_an_installation_without_the_capture_says_so_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one on another Python than 3.11 is."""
    monkeypatch.setattr(interpreter, "INJECT", tmp_path)
    said = (
        r"installed with Python 3\..*, where it replays recordings and makes none; install it with"
    )
    with pytest.raises(CannotRecord, match=said):
        interpreter.Interpreter.find(None, os.environ)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "no program"),
        (["missing.py"], "missing.py"),
        (["-m"], "module"),
        (["-c"], "program"),
        (["-I", "missing.py"], "missing.py"),
        (["-X", "dev"], "no program to record behind -X dev"),
    ],
)
def test_there_must_be_a_program(tmp_path: Path, argv: list[str], says: str) -> None:
    with pytest.raises(CannotRecord, match=says):
        run_recorded(tmp_path, *argv)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "argv", [["-m", "no_such_module"], ["-c", "syntax error"], ["folder"], ["binary"]]
)
def test_a_program_that_cannot_start_says_so_itself(tmp_path: Path, argv: list[str]) -> None:
    """And leaves no recording of nothing."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\0\xff\n")
    plain = run_plain(tmp_path, *argv)
    done = run_recorded(tmp_path, *argv)
    assert done.ran == plain
    assert plain.exit_code == 1
    assert (done.summary.complete, done.path.exists()) == (False, False)
