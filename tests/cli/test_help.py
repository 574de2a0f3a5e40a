"""The help of each command is a screen: short lines, few of them, options under headings."""

import pytest
from click.testing import CliRunner

from gcreplay.main import COMMANDS, SECTIONS, cli

MOST_LINES = 40
"""What a terminal shows that is not made small; 24 would leave no room for an example."""


def shown(*words: str) -> list[str]:
    told = CliRunner().invoke(cli, [*words, "--help"], terminal_width=80)
    assert told.exit_code == 0, told.output
    return told.output.splitlines()


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_it_fits_a_screen_of_80_columns(command: str | None) -> None:
    lines = shown(*filter(None, [command]))
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("command", ["record", "replay", "tune", "prove", "sweep"])
def test_of_a_command_with_many_options_each_has_a_line(command: str) -> None:
    lines = shown(command)
    options = lines[lines.index("Options:") :]
    assert [line for line in options if line.startswith(" " * 10)] == []
    assert any(line.endswith(":") for line in options[1:])


def test_all_commands_stand_under_what_a_person_wants() -> None:
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(COMMANDS)
    lines = shown()
    assert lines[lines.index("Choose a setting:") + 1].split()[0] == "tune"
