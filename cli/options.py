"""Arguments and options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gcreplay.store.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])

trace_argument = click.argument("trace", type=click.Path(path_type=Path))


def policy_option(help_text: str) -> Callable[[Command], Command]:
    """The option `-p POLICY`, repeatable, passed as `policies`."""
    return click.option(
        "-p", "--policy", "policies", multiple=True, metavar="POLICY", help=help_text
    )


def window_bounds(window: str | None) -> tuple[str, str] | None:
    """`A..B` as the two mark labels; raises UsageError for anything else."""
    if window is None:
        return None
    first, dots, last = window.partition("..")
    if not (first and dots and last):
        raise UsageError(f"--window {window!r} is no window: write two marks as FIRST..LAST")
    return first, last
