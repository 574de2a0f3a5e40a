"""`report --confidential`: nothing of the program's code stands in any format."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from command_line import Gcreplay

from gcreplay.main import cli

WORD = "hushhush"
PROGRAM = f'''
import gcreplay_capture

class Order:
    def {WORD}_method(self):
        self.{WORD}_attribute = self
        self.__dict__["not a {WORD} name"] = [self]

def {WORD}_function(n):
    {WORD}_local = Order()
    {WORD}_local.{WORD}_method()
    table = {{"{WORD} key": {WORD}_local}}
    {WORD}_local.table = table
    def {WORD}_closure():
        return {WORD}_closure, {WORD}_local
    return n

kept = {{}}
for i in range(3000):
    if i % 100 == 0:
        gcreplay_capture.mark(f"{WORD}:{{i}}")
    {WORD}_function(i)
    kept[f"{WORD}{{i}}"] = [i, Order()]
'''


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a program in which the word is in everything that a name is given to, but a class."""
    folder = tmp_path_factory.mktemp(WORD)
    script, trace = folder / f"{WORD}.py", folder / f"{WORD}.gcreplay"
    script.write_text(PROGRAM)
    words = ["record", "-o", str(trace), str(script), f"--{WORD}"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    return trace


@pytest.mark.parametrize("form", ["html", "markdown", "json"])
def test_the_word_stands_nowhere(recording: Path, gcreplay: Gcreplay, form: str) -> None:
    options = ["--no-search", "--confidential", "--format", form, "-o", "-"]
    told = gcreplay("report", recording, *options).stdout
    assert "Order" in told
    assert WORD not in told
    assert "Classes keep their names." in told
    assert sys.prefix not in told
    assert str(Path.cwd()) not in told
    assert "recording.gcreplay" in told


def test_without_the_option_it_stands_there(recording: Path, gcreplay: Gcreplay) -> None:
    told = gcreplay("report", recording, "--no-search", "--format", "json", "-o", "-").stdout
    for name in ("_attribute", "_function", "_method", ".gcreplay"):
        assert f"{WORD}{name}" in told


def test_another_recording_is_as_confidential(recording: Path, gcreplay: Gcreplay) -> None:
    options = ["--no-search", "--confidential", "--format", "json", "-o", "-"]
    told = gcreplay("report", recording, *options, "--compare", recording).stdout
    assert WORD not in told
    assert "No change" in told


def test_a_policy_that_names_a_mark_is_refused(recording: Path, gcreplay: Gcreplay) -> None:
    for option in ("-p", "--compare"):
        policy = f"freeze@{WORD}:0"
        done = gcreplay("report", recording, "--confidential", option, policy, "-o", "-")
        assert done.exit_code == 2
        assert "names a mark, a line or a file" in done.stderr
