"""`gcreplay verify`: does the replay do what the recorded interpreter really did?"""

from pathlib import Path

import click

from gcreplay.help import Sectioned
from gcreplay.options import trace_argument
from gcreplay.replay import VerifyResult, verify
from gcreplay.screen.output import Report, format_option, next_command, say, show
from gcreplay.screen.progress import reading
from gcreplay.screen.tables.table import Cell, Table
from gcreplay.store.rules.unrepaired import unrepaired
from gcreplay.trace import opened_with_recorder

FIGURES = (
    ("collections recorded", "recorded"),
    ("collections replayed", "replayed"),
    ("position equal", "position_equal"),
    ("generation equal", "generation_equal"),
    ("collected equal", "collected_equal"),
    ("candidates equal", "candidates_equal"),
    ("objects collected, recorded", "collected_recorded"),
    ("objects collected, replayed", "collected_replayed"),
)
TYPES = ("type", "freed by the replay", "of these used later", "kept, not named later")
COMPARED = ("sequence", "allocation", "cause", "generation", "candidates", "collected")


@click.command(cls=Sectioned)
@trace_argument
@click.option(
    "--without-repairs",
    is_flag=True,
    help="Also replay what remains without the events that the recording only concluded.",
)
@format_option("figures", "difference", "types", "difference-without", "types-without")
@click.pass_context
def command(ctx: click.Context, trace: Path, without_repairs: bool, output_format: str) -> None:
    """Replay under the recorded settings and compare with the interpreter's own collections.

    The replay runs freely: after a difference it is never set right again. Exit code 0 when every
    collection is equal in position, generation and number collected, 1 otherwise.

    \b
    Example:
      gcreplay verify demo.gcreplay
    """
    log, recorder = opened_with_recorder(trace)
    with log, reading(log, "verifying"):
        result, without = verify(log, under_way=recorder is not None), None
        if without_repairs:
            with unrepaired(log) as rest:
                without = verify(rest)
    told = result.to_json()
    if without is None:
        tables = (_figures(result), *_difference(result))
    else:
        told["without_repairs"] = without.to_json()
        tables = (
            _figures(result, without),
            *_difference(result),
            *_difference(without, "Without repairs, first difference", "-without"),
        )
    then = next_command("replay", trace) if result.equal else ""
    show(Report(tables, told, words=_words(result), then=then), output_format)
    if not result.equal:
        say(f"{trace}: the replay differs from the recorded collections")
        ctx.exit(1)


def _words(result: VerifyResult) -> tuple[str, ...]:
    """The verdict; where it is unequal, the likely causes too."""
    first = result.first_difference
    causes = first.causes if first else ()
    return (result.verdict, *(f"likely cause: {cause}" for cause in causes))


def _figures(*results: VerifyResult) -> Table:
    """A column of figures a result; the repairs are those of the first."""
    lines: list[tuple[Cell, ...]] = [
        (title, *(getattr(result, figure) for result in results)) for title, figure in FIGURES
    ]
    lines += [
        (f"repairs: {kind}", n, *(result.repairs.get(kind, 0) for result in results[1:]))
        for kind, n in results[0].repairs.items()
        if n
    ]
    if len(results) == 1:
        return Table(("figure", "value"), tuple(lines), bare=True)
    return Table(("figure", "with repairs", "without"), tuple(lines))


def _difference(
    result: VerifyResult, title: str = "First difference", kind: str = ""
) -> tuple[Table, ...]:
    first = result.first_difference
    if first is None:
        return ()
    recorded, replayed = first.recorded or {}, first.replayed or {}
    rows = tuple((name, recorded.get(name), replayed.get(name)) for name in COMPARED)
    title = f"{title}: collection {first.index}, in {', '.join(first.what)}"
    compared = Table(("", "recorded", "replayed"), rows, title=title, key=f"difference{kind}")
    if not first.types:
        return (compared,)
    types = tuple((of.type, of.freed, of.used_later, of.never_named) for of in first.types)
    title = "Objects there by type, as far as the log knows"
    return (compared, Table(TYPES, types, title=title, key=f"types{kind}"))
