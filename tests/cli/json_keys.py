"""The keys of a command's JSON, and those that its section of docs/reference/json.md has."""

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "json.md").read_text()
FREE = {"events_by_kind", "repairs", "types", "without_repairs", "marks"}
"""The keys in these are names, or those of the object around."""


def unknown_keys(command: str, told: Any) -> set[str]:
    """The keys in it that do not stand on the page."""
    return keys(told) - known(command)


def keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(keys(inner) for key, inner in value.items() if key not in FREE))


def known(command: str) -> set[str]:
    """What stands in the section of that command, and what it shares with others."""
    own = section(command) + (section("replay") if command in ("diff", "tune", "prove") else "")
    shared = {"total_ns", "longest_ns", "p99_ns", "visited", "links"}
    return shared | set(re.findall(r"`(\w+)`", PAGE.split("## replay")[0] + own))


def section(command: str) -> str:
    pattern = rf"^## {command}\n(.*?)(?=^## |\Z)"
    (text,) = re.findall(pattern, PAGE, re.MULTILINE | re.DOTALL)
    return str(text)
