"""Arguments and options that several commands share."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gcreplay.output import say
from gcreplay.store.errors import UsageError
from gcreplay.store.marks import QUOTED, mark_from
from gcreplay.store.values import I32_MOST, I64_MOST, whole, whole_from


class Whole(click.ParamType[int]):
    """A whole number within bounds, by the one rule for numbers."""

    name = "integer"

    def __init__(self, low: int = 0, high: int = I64_MOST) -> None:
        self.low, self.high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        name = param.opts[0] if param is not None else "the number"
        try:
            if isinstance(value, str):
                return whole_from(name, value, self.low, self.high)
            return whole(name, value, self.low, self.high)
        except ValueError as error:
            raise UsageError(str(error)) from None


_QUOTED = re.compile(QUOTED, re.DOTALL)
_WINDOW = re.compile(rf"(?P<first>{QUOTED}|.+?)\.\.(?P<last>.+)", re.DOTALL)

Command = TypeVar("Command", bound=Callable[..., Any])

trace_argument = click.argument("trace", type=click.Path(path_type=Path))


def policy_option(help_text: str) -> Callable[[Command], Command]:
    """The option `-p POLICY`, repeatable, passed as `policies`."""
    return click.option(
        "-p", "--policy", "policies", multiple=True, metavar="POLICY", help=help_text
    )


def closeness_options(command: Command) -> Command:
    """How closely to record: `granularity`, `full_probe`, `probe_budget`; None: as `looks` says."""
    options = (
        click.option(
            "--granularity",
            type=Whole(0, I32_MOST),
            metavar="G",
            help="Look at the young objects every G net allocations (0: only at collections).",
        ),
        click.option(
            "--full-probe",
            type=Whole(0, I32_MOST),
            metavar="F",
            help="Look at the whole heap every F allocations (0: never); better what-ifs, slower.",
        ),
        click.option(
            "--probe-budget",
            type=Whole(0, 10_000),
            metavar="P",
            help="Look at the whole heap as often as P per cent of the program's own work pays "
            "for.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def apply_from_option(help_text: str) -> Callable[[Command], Command]:
    """The option `--apply-from MARK`; the mark may stand in quotes, as in policies and windows."""
    return click.option(
        "--apply-from",
        metavar="MARK",
        help=help_text,
        callback=lambda ctx, param, value: None if value is None else mark_from(value),
    )


def chosen_python(python: str | None) -> str | None:
    """The interpreter that was named, else that of the virtual environment that is active, which
    is told where it is not ours; None for ours."""
    active = os.environ.get("VIRTUAL_ENV")
    if python is not None or not active:
        return python
    executable = Path(active, "bin", "python")
    if Path(active).resolve() == Path(sys.prefix).resolve() or not executable.exists():
        return None
    say(
        f"gcreplay: run with {executable}, as its virtual environment is active; --python names "
        f"another"
    )
    return str(executable)


def window_bounds(window: str | None) -> tuple[str, str] | None:
    """`A..B` as the two mark labels; raises UsageError for anything else."""
    if window is None:
        return None
    bounds = _WINDOW.fullmatch(window)
    if bounds is None:
        raise UsageError(f"--window '{window}' is no window: write two marks as FIRST..LAST")
    first, last = bounds["first"], bounds["last"]
    if not _QUOTED.fullmatch(last) and (last.startswith(".") or ".." in last):
        raise UsageError(
            f"--window '{window}' can be read as more than one window: write a mark that has dots "
            'there in quotes, "FIRST".."LAST"'
        )
    return mark_from(first), mark_from(last)
