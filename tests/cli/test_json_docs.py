"""docs/reference/json.md: every key that a command's JSON has stands there.

`check` and `prove` are held against it where their JSON is made anyway: test_check.py,
test_prove.py.
"""

import json
from pathlib import Path

import pytest
from command_line import Gcreplay
from json_keys import unknown_keys


@pytest.mark.parametrize(
    "command",
    [
        "replay TRACE -p manual",
        "sweep TRACE --t0 2,5 --t1 10",
        "diff TRACE -p cpython-3.11 -p manual",
        "tune TRACE",
        "costs TRACE",
        "cycles TRACE",
        "leaks TRACE",
        "verify TRACE",
        "info TRACE",
        "report TRACE --no-search -o -",
    ],
)
def test_each_key_stands_in_the_section_of_its_command(
    gcreplay: Gcreplay, cycles: Path, command: str
) -> None:
    told = gcreplay(*command.replace("TRACE", str(cycles)).split(), "--format", "json")
    assert unknown_keys(command.split()[0], json.loads(told.stdout)) == set()
