"""What limits a test has: by its markers, else by the ini file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from .plugin import LIMITS

Filter = Callable[[Any], bool]


class FailingFilter(Exception):
    """What a function of the user raised."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most`, of what the filter keeps."""

    most: int
    filter_fn: Filter | None = None

    def kept(self, groups: Sequence[Any]) -> list[Any]:
        """The groups that count; raises FailingFilter."""
        if self.filter_fn is None:
            return list(groups)
        try:
            return [one for one in groups if self.filter_fn(one)]
        except Exception as error:
            raise FailingFilter(f"its filter_fn failed, {type(error).__name__}: {error}") from error


def limits_of(item: pytest.Item) -> dict[str, Limit]:
    """By marker; raises UsageError for a limit that is none."""
    limits = {}
    for name in LIMITS:
        marker = item.get_closest_marker(name)
        if marker is not None:
            limits[name] = _of_marker(marker, item.nodeid)
        elif default := item.config.getini(f"gcreplay_{name}"):
            limits[name] = Limit(_whole(default, f"gcreplay_{name} of the ini file"))
    return limits


def _of_marker(marker: pytest.Mark, nodeid: str) -> Limit:
    where = f"{nodeid}: {marker.name}"
    given = {**dict(zip(("n", "filter_fn"), marker.args, strict=False)), **marker.kwargs}
    if len(marker.args) > 1 or given.keys() - {"n", "filter_fn"} or "n" not in given:
        raise pytest.UsageError(f"{where} takes a number, and filter_fn by its name")
    filter_fn = given.get("filter_fn")
    if filter_fn is not None and not callable(filter_fn):
        raise pytest.UsageError(f"{where}: filter_fn is no function but {filter_fn!r}")
    if filter_fn is not None and marker.name == "limit_gc_objects":
        raise pytest.UsageError(f"{where} has no filter_fn: it is work for all that there is")
    return Limit(_whole(given["n"], where), filter_fn)


def _whole(value: object, where: str) -> int:
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise pytest.UsageError(f"{where} takes a whole number from 0, not {value!r}")
    return number
