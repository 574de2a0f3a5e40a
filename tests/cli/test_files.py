"""What is no regular file is written into or refused, never replaced, and never waited for."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Gcreplay

GC_LOG = Path(__file__).parents[2] / "examples" / "gc.jsonl"
WRITERS = {
    "export --rows": lambda cycles, lines, spool: ("export", cycles, "--rows"),
    "import": lambda cycles, lines, spool: ("import", lines),
    "record": lambda cycles, lines, spool: ("record", "-c", "pass"),
    "recover": lambda cycles, lines, spool: ("recover", spool),
    "prove": lambda cycles, lines, spool: ("prove", "-c", "pass"),
}
READERS = {
    "info": (),
    "events": (),
    "verify": (),
    "replay": ("-p", "manual"),
    "diff": ("-p", "never", "-p", "manual"),
    "costs": (),
    "sweep": ("--t0", "700"),
    "tune": (),
    "check": ("--against", str(GC_LOG)),
    "export": (),
    "recover": (),
    "import": (),
}


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(before)


KINDS = {"pipe": a_pipe, "socket": a_socket, "directory": Path.mkdir}


@pytest.fixture
def terminal() -> Iterator[Path]:
    """A device that ends with the test, whatever is done to it."""
    ours, theirs = os.openpty()
    yield Path(os.ttyname(theirs))
    os.close(ours)
    os.close(theirs)


@pytest.fixture
def lines(gcreplay: Gcreplay, cycles: Path, tmp_path: Path) -> Path:
    path = tmp_path / "cycles.jsonl"
    assert gcreplay("export", cycles, "-o", path).exit_code == 0
    return path


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """The spool of a program that recorded nothing."""
    from gcreplay.tracer.spool import Spool

    path = tmp_path / "app.gcreplay.spool"
    Spool.create(path).close()
    return path


def output_before(words: tuple[object, ...], output: Path, *more: str) -> tuple[object, ...]:
    """The words of a command with `-o output` behind its name."""
    return (words[0], "-o", output, *more, *words[1:])


def identity(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_ino, status.st_mode, status.st_size


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["new", "force"])
@pytest.mark.parametrize("kind", [*KINDS, "device"])
@pytest.mark.parametrize("command", WRITERS)
def test_a_recording_replaces_nothing_but_a_file(
    gcreplay: Gcreplay,
    cycles: Path,
    lines: Path,
    spool: Path,
    terminal: Path,
    tmp_path: Path,
    command: str,
    kind: str,
    force: tuple[str, ...],
) -> None:
    target = terminal if kind == "device" else tmp_path / "target"
    if kind != "device":
        KINDS[kind](target)
    link = tmp_path / "link"
    link.symlink_to(target)
    before = [identity(target), identity(link), sorted(tmp_path.iterdir())]
    for name in (target, link):
        words = output_before(WRITERS[command](cycles, lines, spool), name, *force)
        told = gcreplay(*words)
        assert (told.exit_code, told.stdout) == (1, "")
        assert told.stderr == f"Error: {name} is a {kind}: name a regular file to write to\n"
    assert [identity(target), identity(link), sorted(tmp_path.iterdir())] == before


@pytest.mark.parametrize("there", [True, False], ids=["file", "dangling"])
@pytest.mark.parametrize("command", ["export", *WRITERS])
def test_what_a_link_leads_to_is_written_and_the_link_stays(
    gcreplay: Gcreplay,
    cycles: Path,
    lines: Path,
    spool: Path,
    tmp_path: Path,
    command: str,
    there: bool,
) -> None:
    (tmp_path / "folder").mkdir()
    file, link = tmp_path / "folder" / "file", tmp_path / "link"
    link.symlink_to(file)
    words = WRITERS[command](cycles, lines, spool) if command in WRITERS else (command, cycles)
    if there:
        file.write_text("mine")
        file.chmod(0o640)
        assert gcreplay(*output_before(words, link)).exit_code == 2
        assert file.read_text() == "mine"
    told = gcreplay(*output_before(words, link, *(["--force"] if there else [])))
    assert told.exit_code == 0, told.output
    assert link.readlink() == file
    head = file.read_bytes()[:16]
    assert head == (b'{"gcreplay": 1, ' if command == "export" else b"SQLite format 3\0")
    assert [entry.name for entry in file.parent.iterdir()] == ["file"]
    if there and ("export" in command or command == "import"):
        assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["new", "force"])
def test_lines_are_written_into_a_pipe(
    gcreplay: Gcreplay, cycles: Path, lines: Path, tmp_path: Path, force: tuple[str, ...]
) -> None:
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    told = gcreplay("export", cycles, "-o", pipe, *force)
    reader.join()
    assert told.exit_code == 0
    assert read == [lines.read_bytes()]
    assert pipe.is_fifo()


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash in which GC is the command."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={**os.environ, "GC": f"{sys.executable} -m gcreplay"},
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "line",
    [
        "$GC export cycles.gcreplay -o /dev/stdout | cat",
        "(echo first; $GC export cycles.gcreplay -o /dev/stdout) > out; tail -n +2 out",
        "$GC export cycles.gcreplay --force -o /dev/stdout >> out; cat out",
        "$GC export cycles.gcreplay -o /dev/fd/4 4> out; cat out",
        "ln -s /dev/stdout link; $GC export cycles.gcreplay -o link | cat",
        "$GC export cycles.gcreplay -o >(cat)",
    ],
)
def test_lines_are_written_into_what_the_shell_has_opened(
    cycles: Path, lines: Path, line: str
) -> None:
    done = shell(line, cycles.parent)
    assert done.stdout == lines.read_bytes(), done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "$GC import cycles.jsonl -o /dev/stdout --force > out",
        "$GC export cycles.gcreplay --rows -o /dev/stdout --force > out",
        "$GC record -o /dev/fd/4 --force -c pass 4> out",
    ],
)
def test_recordings_and_rows_are_not_written_into_what_the_shell_has_opened(
    cycles: Path, lines: Path, line: str
) -> None:
    (cycles.parent / "out").write_text("mine")
    before = (cycles.parent / "out").stat().st_ino
    done = shell(line, cycles.parent)
    assert done.returncode == 1
    assert b"is open already: name a regular file to write to" in done.stderr
    assert (cycles.parent / "out").stat().st_ino == before
    assert not (cycles.parent / "out").read_bytes()


@pytest.mark.parametrize(
    "line",
    [
        "cat cycles.jsonl | $GC import - -o new",
        "cat cycles.jsonl | $GC import /dev/stdin -o new",
        "$GC import /dev/stdin -o new < cycles.jsonl",
        "$GC import <(cat cycles.jsonl) -o new",
    ],
)
def test_lines_are_read_from_what_the_shell_has_opened(
    gcreplay: Gcreplay, cycles: Path, lines: Path, line: str
) -> None:
    done = shell(line, cycles.parent)
    assert done.returncode == 0, done.stderr
    assert gcreplay("export", cycles.parent / "new").stdout == lines.read_text()


FOLDERS = ("diff", "sweep", "tune")


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (command, kind)
        for command in READERS
        for kind in (*KINDS, "device")
        if (command, kind) != ("tune", "device")  # that is a program, as `python` takes it
        and (command not in FOLDERS or kind != "directory")
    ],
)
def test_what_may_never_end_is_not_read(
    gcreplay: Gcreplay, tmp_path: Path, command: str, kind: str
) -> None:
    path = tmp_path / "odd.gcreplay" if kind != "device" else Path("/dev/zero")
    if kind != "device":
        KINDS[kind](path)
    output = ("-o", tmp_path / "new") if command in ("recover", "import") else ()
    told = gcreplay(command, path, *output, *READERS[command])
    assert (told.exit_code, told.stdout) == (1, "")
    assert f"{path} is a {kind}" in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("command", FOLDERS)
def test_a_folder_without_recordings_is_wrong_usage(
    gcreplay: Gcreplay, tmp_path: Path, command: str
) -> None:
    folder = tmp_path / "odd.gcreplay"
    folder.mkdir()
    told = gcreplay(command, folder, *READERS[command])
    assert (told.exit_code, told.stdout) == (2, "")
    assert f"the folder {folder} has no recording" in told.stderr


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("$GC import - -o new < /dev/zero", "line 1: no header"),
        ("tr '\\0' '{' < /dev/zero | $GC import - -o new", "line 1: it is longer than"),
        (
            "(head -1 cycles.jsonl; tr '\\0' '{' < /dev/zero) | $GC import - -o new",
            "line 2: it is longer than 16,777,216 characters",
        ),
    ],
)
def test_a_line_without_end_is_said(lines: Path, line: str, says: str) -> None:
    done = shell(line, lines.parent)
    assert done.returncode == 1
    assert says in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
    assert not (lines.parent / "new").exists()


def test_two_commands_into_one_output_do_not_meet(
    gcreplay: Gcreplay, cycles: Path, lines: Path, tmp_path: Path
) -> None:
    """A file that only looks like one of ours, and what another process is writing, stay."""
    others = [tmp_path / "out.jsonl.part", tmp_path / f"out.jsonl.{os.getpid()}.part"]
    for other in others:
        other.write_text("mine")
    assert gcreplay("export", cycles, "-o", tmp_path / "out.jsonl").exit_code == 0
    assert [other.read_text() for other in others] == ["mine", "mine"]


@pytest.mark.parametrize("command", ["export", "export --rows", "import"])
@pytest.mark.parametrize("length", [250, 255])
def test_any_name_that_there_can_be_is_written(
    gcreplay: Gcreplay, cycles: Path, lines: Path, tmp_path: Path, command: str, length: int
) -> None:
    words = WRITERS[command](cycles, lines, None) if command in WRITERS else (command, cycles)
    target = tmp_path / ("n" * length)
    assert gcreplay(*output_before(words, target)).exit_code == 0
    assert target.exists()
    told = gcreplay(*output_before(words, tmp_path / ("n" * 256)))
    assert (told.exit_code, told.stderr) == (
        1,
        f"Error: {tmp_path / ('n' * 256)}: File name too long\n",
    )


def test_what_cannot_be_read_is_told_of_what_is_read(gcreplay: Gcreplay, tmp_path: Path) -> None:
    told = gcreplay("import", "/proc/self/mem", "-o", tmp_path / "new")
    assert (told.exit_code, told.stderr) == (1, "Error: /proc/self/mem: Input/output error\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [a_pipe, a_socket])
def test_input_that_cannot_be_read_again_is_refused(
    gcreplay: Gcreplay, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "odd")
    told = gcreplay("prove", "--input", tmp_path / "odd", "-c", "pass")
    assert (told.exit_code, len(told.stderr.splitlines())) == (2, 1)
    assert "give a file" in told.stderr
