"""Arguments and options that several commands share."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import click

from gcreplay.screen.output import say
from gcreplay.store.errors import UsageError
from gcreplay.store.marks import QUOTED, mark_from
from gcreplay.store.values import I32_MOST, I64_MOST, decimal_from, shown, whole, whole_from


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


traces_argument = click.argument(
    "traces", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="TRACE|FOLDER..."
)


def several_options(command: Command) -> Command:
    """Of several recordings: `each`, and who works on them: `jobs`, `dask`."""
    options = (
        click.option("--each", is_flag=True, help="Show each of them too."),
        click.option(
            "--jobs",
            type=Whole(1, 1024),
            metavar="N",
            help="Processes that replay them.  [default: one a core]",
        ),
        click.option(
            "--dask",
            metavar="ADDRESS",
            help="Replay them on the Dask cluster with this scheduler.",
        ),
    )
    return _with(options, command)


def alone(*, each: bool, jobs: int | None, dask: str | None) -> None:
    """Raises UsageError where one recording is given what is for several."""
    if each or jobs is not None or dask is not None:
        raise UsageError(
            "--each, --jobs and --dask are for several recordings, or a folder of them"
        )


def probe_options(command: Command) -> Command:
    """How finely to probe: `granularity`, `full_probe`, `probe_budget`; None: as `probes` says."""
    options = (
        click.option(
            "--granularity",
            type=Whole(0, I32_MOST),
            metavar="G",
            help="The young objects, every G allocations (0: at collections).",
        ),
        click.option(
            "--full-probe",
            type=Whole(0, I32_MOST),
            metavar="F",
            help="The whole heap, every F allocations (0: never).",
        ),
        click.option(
            "--probe-budget",
            type=Whole(0, 10_000),
            metavar="P",
            help="The whole heap, for P per cent of the program's own work.",
        ),
    )
    return _with(options, command)


def program_options(command: Command) -> Command:
    """The program, as `python` takes it, and its interpreter: `python`, `force`, `module`, `code`,
    `args`."""
    options = (
        click.option(
            "--python",
            metavar="EXE",
            help="The interpreter.  [default: that of VIRTUAL_ENV, else ours]",
        ),
        click.option("--force", is_flag=True, help="Overwrite an existing recording."),
        click.option("-m", "module", metavar="MODULE", help="Run a module, as `python -m` does."),
        click.option("-c", "code", metavar="CODE", help="Run code, as `python -c` does."),
        click.argument("args", nargs=-1, type=click.UNPROCESSED),
    )
    return _with(options, command)


def real_run_options(command: Command) -> Command:
    """Those of a program that is recorded and then really run: also `output`, `given` (its input)
    and `exit_code`."""
    options = (
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            help="Keep the new recording there.",
        ),
        click.option(
            "--input",
            "given",
            type=click.Path(path_type=Path),
            help="Standard input of every run.  [default: empty]",
        ),
        click.option(
            "--exit-code",
            type=Whole(0, 255),
            default=0,
            metavar="N",
            help="What every run is to end with.  [default: 0]",
        ),
    )
    return _with(options, program_options(command))


def _with(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    """The command with these options, which its help lists in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def cut_option(help_text: str) -> Callable[[Command], Command]:
    """The option `--cut REFERENCE`, repeatable, passed as `cuts`, texts: commands parse them when
    they know that there are any."""
    return click.option("--cut", "cuts", multiple=True, metavar="REFERENCE", help=help_text)


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


def in_unit(option: str, text: str, example: str) -> Fraction:
    """The number before the unit that the example has, with a + before it only if that has one."""
    unit = example.lstrip("+0123456789")
    try:
        if not text.endswith(unit):
            raise ValueError(f"it lacks the {unit}")
        number = text.removesuffix(unit)
        return decimal_from("it", number.removeprefix("+") if example[0] == "+" else number)
    except ValueError as error:
        kind = "percentage" if unit == "%" else "time"
        raise UsageError(
            f"{option} {shown(text)} is no {kind} such as {example}: {error}"
        ) from None


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
