"""Lines of source where objects were made are kept as they were when the program ran."""

import os
import time
from pathlib import Path

import pytest
from recording import run_recorded

from gcreplay.store.events import Site
from gcreplay.store.log import EventLog
from gcreplay.tracer.source import DIRECTORY, STARTED, before_start, source_lines

PROGRAM = """# -*- coding: latin-1 -*-
import changed

def made():
    return [[] for name in ("\u00e9",)]\t
kept = made(), changed.other()
exec("more = [[]]")
long = [[], '%s']
open(changed.__file__, "a").write("# more")
""" % ("x" * 600)
OTHER = "def other():\n    return [[]]\n"


@pytest.fixture
def source(tmp_path):
    """A file that is older than now, and what is known of now."""
    path = tmp_path / "a.py"
    path.write_text("first = []\n\n  second = {}  \n")
    time.sleep(0.02)  # the clock of the file system is coarser than ours
    return path, before_start()


def lines(path: Path, told: dict[str, object], *numbers: int) -> dict[int, str]:
    sites = [Site(i, str(path), number, "f", 0) for i, number in enumerate(numbers)]
    return {line: text for (_, line), text in source_lines(sites, told).items()}


def test_lines_are_those_of_the_file(source):
    assert lines(*source, 0, 1, 3, 3, 2, 4) == {1: "first = []", 2: "", 3: "  second = {}"}


def test_a_name_is_read_from_where_the_program_started(source, monkeypatch):
    path, told = source
    monkeypatch.chdir("/")
    assert lines(Path("a.py"), {**told, DIRECTORY: str(path.parent)}, 1) == {1: "first = []"}


def test_a_file_that_has_changed_since_tells_none(source):
    path, told = source
    path.write_text("first = 1\n")
    assert lines(path, told, 1) == {}
    os.utime(path, (1, 1))  # whatever it says of itself
    assert lines(path, told, 1) == {}


@pytest.mark.parametrize("name", ["<string>", "a\0b", "", "none.py", "/dev/null", "/"])
def test_what_is_no_file_tells_none(source, name):
    _, told = source
    assert lines(Path(name), told, 1) == {}


def test_what_is_no_text_tells_none_and_what_is_nearly_one_is_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "odd.py").write_bytes(b"# coding: none\nx = []\n")
    (tmp_path / "bad.py").write_bytes(b"\n\nx = []  # \xff\n")
    time.sleep(0.02)
    told = before_start()
    assert lines(tmp_path / "pipe", told, 1) == {}
    assert lines(tmp_path / "odd.py", told, 2) == {}
    assert lines(tmp_path / "bad.py", told, 3) == {3: "x = []  # \ufffd"}


def test_who_does_not_know_when_the_program_started_tells_none(source):
    path, told = source
    assert lines(path, {}, 1) == {}
    assert lines(path, {**told, STARTED: "now"}, 1) == {}


def test_a_recording_has_the_lines_of_its_sites(tmp_path):
    script = tmp_path / "script.py"
    script.write_bytes(PROGRAM.encode("latin-1"))
    (tmp_path / "changed.py").write_text(OTHER)
    time.sleep(0.02)
    with EventLog.open(run_recorded(tmp_path, str(script)).path) as log:
        told = {line: text for (file, line), text in log.lines.items() if file == str(script)}
        assert told[5] == '    return [[] for name in ("\u00e9",)]'
        assert told[8] == "long = [[], '" + "x" * (500 - 13)
        assert not any(file.endswith("changed.py") for file, _ in log.lines)
        assert any(site.file.endswith("changed.py") for site in log.sites)
        assert "directory" not in log.meta
