"""docs/reference/commands.md: every command stands there, every example in it runs as it says."""

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import Gcreplay

from gcreplay.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "commands.md").read_text()
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """A command line of the page, and the exit code that an `echo $?` after it shows."""

    line: str
    exit_code: int

    @property
    def words(self) -> list[str]:
        """The arguments after `gcreplay`; a pipe or a redirection ends them."""
        return shlex.split(re.split(r" [|>] ", self.line)[0])[1:]


def examples(page: str) -> list[Example]:
    """The `$ gcreplay ...` lines of the page's console blocks, in order."""
    found = []
    for block in BLOCK.findall(page):
        lines = [line for line in block.replace("\\\n", " ").splitlines() if line]
        typed = [i for i, line in enumerate(lines) if line.startswith("$ ")]
        for i, following in zip(typed, [*typed[1:], None], strict=True):
            if lines[i].startswith("$ gcreplay "):
                asked = following is not None and lines[following] == "$ echo $?"
                code = int(lines[following + 1]) if asked and following is not None else 0
                found.append(Example(lines[i].removeprefix("$ "), code))
    return found


EXAMPLES = examples(PAGE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example programs, in which the page's commands run one after another."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


def test_every_command_has_a_section_and_an_example() -> None:
    sections = dict(re.findall(r"^## `(\S+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    assert set(COMMANDS) <= set(sections)
    for name in COMMANDS:
        assert any(example.words[0] == name for example in examples(sections[name])), name


def test_every_option_stands_in_its_section() -> None:
    for name in COMMANDS:
        section = re.split(rf"^## `{name}`\n", PAGE, flags=re.MULTILINE)[1].split("\n## ")[0]
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        for param in command.params:
            if param.param_type_name == "option":
                assert any(f"`{option}" in section for option in param.opts), (name, param.opts)


def test_every_help_has_an_example() -> None:
    for name in COMMANDS:
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert f"Example:\n      gcreplay {name}" in (command.help or "") or (
            f"Example:\n  gcreplay {name}" in (command.help or "")
        )


def test_the_examples_of_the_page_run(
    folder: Path, gcreplay: Gcreplay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, as a reader would type them: later ones use what earlier ones have made."""
    assert EXAMPLES
    monkeypatch.chdir(folder)
    for example in EXAMPLES:
        done = gcreplay(*example.words)
        assert done.exit_code == example.exit_code, (example.line, done.stderr, done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), example.line
        assert "Traceback" not in done.stderr, example.line
