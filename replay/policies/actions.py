"""What a combination adds to a collector: what it means, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gcreplay.store.errors import UsageError
from gcreplay.store.events import GcCall
from gcreplay.store.marks import QUOTED, mark_from
from gcreplay.store.values import I32_MOST, decimal_from, shown, text, whole_from

from .policy import thresholds_from


@dataclass(frozen=True, slots=True)
class Freeze:
    """`gc.freeze()`, once, right after the first such mark."""

    mark: str


@dataclass(frozen=True, slots=True)
class FreezeBefore:
    """`gc.freeze()`, once, right before a line of a file first makes an object."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Every:
    """`gc.collect()` right after each such mark, or each n-th."""

    mark: str
    n: int = 1


@dataclass(frozen=True, slots=True)
class At:
    """`gc.set_threshold()` right after each such mark; from then on the program's own calls of it
    do nothing."""

    mark: str
    thresholds: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class DisabledUntil:
    """No automatic collection up to the first such mark, whatever the program enables."""

    mark: str


@dataclass(frozen=True, slots=True)
class MinInterval:
    """No automatic full collection before so many ns of program time after the last full one."""

    ns: int


@dataclass(frozen=True, slots=True)
class Without:
    """The program's own calls of this function of the gc module do nothing."""

    call: GcCall


Action = Freeze | FreezeBefore | Every | At | DisabledUntil | MinInterval | Without

_LEFT_OUT = {
    "collect": GcCall.COLLECT,
    "disable": GcCall.DISABLE,
    "freeze": GcCall.FREEZE,
}


def _freeze_at(written: str) -> FreezeBefore:
    file, _, line = mark_from(written).rpartition(":")
    if not file:
        raise ValueError("it names no line of a file")
    return FreezeBefore(text("FILE", file), whole_from("LINE", line, 1, I32_MOST))


def _every(written: str) -> Every:
    parts = re.fullmatch(rf"({QUOTED}|.*?)(?:,([0-9]+))?", written, re.DOTALL)
    assert parts is not None
    mark, n = parts[1], parts.groups()[-1]
    return Every(_mark(mark), whole_from("N", n or "1", 1, I32_MOST))


def _at(written: str) -> At:
    mark, equals, thresholds = written.rpartition("=")
    if not equals:
        raise ValueError("it sets no thresholds")
    return At(_mark(mark), thresholds_from(thresholds, 0))


def _min_interval(written: str) -> MinInterval:
    return MinInterval(int(decimal_from("SECONDS", written) * 1_000_000_000))


def _without(written: str) -> Without:
    if written not in _LEFT_OUT:
        raise ValueError(f"CALL is one of {', '.join(_LEFT_OUT)}")
    return Without(_LEFT_OUT[written])


def _mark(written: str) -> str:
    if not written:
        raise ValueError('it names no mark; the empty one is written ""')
    return text("MARK", mark_from(written))


# Prefix: what is read behind it, and how the whole is written.
_ACTIONS: dict[str, tuple[Callable[[str], Action], str]] = {
    "freeze@": (lambda written: Freeze(_mark(written)), "freeze@MARK"),
    "freeze-at:": (_freeze_at, "freeze-at:FILE:LINE"),
    "every:": (_every, "every:MARK, or every:MARK,N for each N-th such mark"),
    "at:": (_at, "at:MARK=T0,T1,T2"),
    "disabled-until:": (lambda written: DisabledUntil(_mark(written)), "disabled-until:MARK"),
    "min-interval:": (_min_interval, "min-interval:SECONDS"),
    "without:": (_without, "without:CALL"),
}
WRITTEN = {
    "freeze@MARK, every:MARK[,N]": "gc.freeze() at the first, gc.collect() at each (N-th) mark",
    "freeze-at:FILE:LINE": "gc.freeze() before that line first makes an object",
    "at:MARK=T0,T1,T2": "gc.set_threshold(T0, T1, T2) at such marks",
    "disabled-until:MARK": "no automatic collection up to the first such mark",
    "min-interval:SECONDS": "no automatic full collection sooner after the last full one",
    "without:CALL": "the program's own gc.collect(), gc.disable() or gc.freeze() do nothing",
}
"""How actions are written, and what they do; combined by + with each other and a collector."""

_KINDS = {"min-interval:SECONDS": "interval", "without:CALL": "call to leave out"}
_PART = re.compile(rf"(?:(?:{'|'.join(_ACTIONS)}){QUOTED})?[^+]*", re.DOTALL)


def parts_of(combination: str) -> list[str]:
    """What stands between the `+` that are not part of a mark in quotes."""
    parts: list[str] = []
    at = 0
    while at <= len(combination):
        part = _PART.match(combination, at)
        assert part is not None  # it matches nothing, too
        parts.append(part[0])
        at = part.end() + 1
    return parts


def is_action(part: str) -> bool:
    """Whether this part of a combination is an action, and no collector."""
    return part.startswith(tuple(_ACTIONS))


def operand_of(part: str) -> str:
    """What stands behind the name of an action."""
    return next((part.removeprefix(name) for name in _ACTIONS if part.startswith(name)), part)


def action_from(part: str) -> Action:
    """The action that this part of a combination is; raises UsageError."""
    operand = operand_of(part)
    read, form = _ACTIONS[part.removesuffix(operand)] if operand else _ACTIONS[part]
    try:
        return read(operand)
    except (ValueError, UsageError) as error:
        kind = _KINDS.get(form, "action at a mark")
        raise UsageError(f"{shown(part)} is no {kind} ({error}): write {form}") from None
