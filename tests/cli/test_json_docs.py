"""docs/reference/json.md: every key that a command's JSON has stands there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "json.md").read_text()
FREE = {"events_by_kind", "repairs", "types", "without_repairs", "marks"}
"""The keys in these are names, or those of the object around."""


def keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(keys(inner) for key, inner in value.items() if key not in FREE))


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
    ],
)
def test_each_key_stands_in_the_section_of_its_command(
    gcreplay: Gcreplay, cycles: Path, command: str
) -> None:
    told = gcreplay(*command.replace("TRACE", str(cycles)).split(), "--format", "json")
    name = command.split()[0]
    (section,) = re.findall(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    (runs,) = re.findall(r"^## replay\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    known = set(re.findall(r"`(\w+)`", section + (runs if name in ("diff", "tune") else "")))
    shared = {"total_ns", "longest_ns", "p99_ns", "visited", "links"} | set(
        re.findall(r"`(\w+)`", PAGE.split("## replay")[0])
    )
    assert keys(json.loads(told.stdout)) - known - shared == set()
