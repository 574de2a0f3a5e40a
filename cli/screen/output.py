"""What commands print: tables of figures as text, JSON, Markdown or CSV, and remarks beside them.

Standard output carries the figures alone, so that it can be piped; remarks go to standard error.
"""

import json
import os
import re
import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import click

from gcreplay.report.words.text import markdown, plain
from gcreplay.screen.tables.formats import as_csv, as_markdown
from gcreplay.screen.tables.layout import Laid, laid_out, parts
from gcreplay.screen.tables.meanings import meanings
from gcreplay.screen.tables.table import Table
from gcreplay.store.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])

PIPE_WIDTH: Final = 80
SENTENCES: Final = 100
"""Sentences in longer lines are hard to read."""
WHOLE: Final = 1 << 20
FORMATS: Final = ("table", "json", "markdown", "csv")
_WITH_UNIT: Final = re.compile(r"(?<!\S)([-+(]*\d[\d,.]*) (?=(?:%|ms|s|B|[KMGT]iB)\b|%)")
"""A number stays in the line of its unit."""
_CHOSEN: Final = "gcreplay.table"


@dataclass(frozen=True, slots=True)
class Report:
    """What a command has found out: ``tables`` for people, ``payload`` for JSON.

    The first table is the main one, and the one that CSV prints where `--table` names no other: a
    CSV file is one table. ``words`` stand before the tables and ``notes`` behind them, where people
    read them; ``code``, lines to paste, stands behind the words, ``then``, the next command to
    type, at the end of all. ``comment`` is the whole of it in Markdown, where that is more than the
    same tables. ``warnings`` are words that go to standard error where figures alone are printed.
    """

    tables: tuple[Table, ...]
    payload: Mapping[str, Any]
    remarks: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    then: str = ""
    comment: str = ""


def format_option(*tables: str) -> Callable[[Command], Command]:
    """Add ``--format``, and ``--table`` to choose one of `tables`, to a command that prints
    figures."""

    def choose(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        ctx.meta[_CHOSEN] = value

    def with_options(command: Command) -> Command:
        one = click.option(
            "--table",
            type=click.Choice(tables),
            metavar="NAME",
            expose_value=False,
            callback=choose,
            help=f"In full, explained: {_any(tables)}.",
        )
        of = click.option(
            "--format",
            "output_format",
            type=click.Choice(FORMATS),
            default="table",
            metavar="FORM",
            help=f"{_any(FORMATS)} (of one table).",
        )
        return one(of(command))

    return with_options


def _any(names: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def chosen_table() -> str | None:
    """What `--table` names."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(_CHOSEN)


def show(report: Report, output_format: str) -> None:
    """Print the report to standard output and its remarks to standard error."""
    if (name := chosen_table()) is not None:
        _show_one(report, name, output_format)
        return
    if output_format in ("json", "csv"):
        report = replace(report, remarks=report.warnings + report.remarks)
    else:
        report = replace(report, words=report.words + report.warnings)
    if output_format == "json":
        click.echo(json.dumps(report.payload, indent=2))
    elif output_format == "csv":
        click.echo(as_csv(report.tables[0]), nl=False)
    elif output_format == "markdown" and report.comment:
        click.echo(report.comment)
    elif output_format == "markdown":
        tables = map(as_markdown, report.tables)
        lines = ["```python", *map(plain, report.code), "```"]
        code = ["\n".join(lines)] if report.code else []
        parts = [*map(markdown, report.words), *code, *tables, *map(markdown, report.notes)]
        click.echo("\n\n".join(parts))
    else:
        _show_to_people(report)
    for remark in report.remarks:
        say(remark)
    if report.then and output_format == "table":
        click.echo(f"\n{plain(report.then)}")


def say(sentence: str) -> None:
    """Print a sentence to standard error."""
    shown = plain(sentence)
    click.echo(filled(sentence) if sys.stderr.isatty() else shown, err=True)


def next_command(*words: object) -> str:
    """The last line of a screen: what to ask next."""
    return f"Next: {shlex.join(['gcreplay', *map(str, words)])}"


def screen_width() -> int:
    """The columns of the terminal, or what COLUMNS says; of a pipe 80."""
    return max(20, shutil.get_terminal_size((PIPE_WIDTH, 24)).columns)


def filled(sentence: str) -> str:
    """The sentence in lines that the screen has room for; what has no blanks is not broken."""
    return "\n".join(wrapped(plain(sentence)))


def wrapped(text: str, first: str = "", later: str = "", width: int | None = None) -> list[str]:
    """The text in lines of that width, `first` before the first of them and `later` before the
    others; what has no blanks is not broken."""
    lines = textwrap.wrap(
        _WITH_UNIT.sub("\\1\xa0", text),
        width or min(screen_width(), SENTENCES),
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\xa0", " ") for line in lines]


def as_text(table: Table, width: int = PIPE_WIDTH) -> str:
    """The table as plain aligned text: the columns that there is room for."""
    return "\n".join([*_title(table), *laid_out(table, width).lines])


def _title(table: Table) -> list[str]:
    return wrapped(plain(table.title)) if table.title else []


def _indented(code: Sequence[str]) -> str:
    lines: list[str] = []
    for line in map(plain, code):
        if line.startswith("# "):  # a comment goes on in the next line
            lines += wrapped(line, "    ", "    # ")
        else:
            lines.append(f"    {line}".rstrip())
    return "\n".join(lines)


def _bold() -> bool:
    """Whether headings may be bold: on a terminal that nobody has asked for less."""
    quiet = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not quiet


def _printed(lines: Sequence[str], heads: int) -> str:
    """The lines, the first of them as headings."""
    if not _bold():
        return "\n".join(lines)
    bold = [click.style(line, bold=True) for line in lines[:heads]]
    return "\n".join([*bold, *lines[heads:]])


def _show_to_people(report: Report) -> None:
    """Words, code, tables, notes: an empty line between each of these."""
    width = screen_width()
    laid = [(table, laid_out(table, width)) for table in report.tables]
    blocks = ["\n".join(map(filled, report.words)), _indented(report.code)]
    blocks += [_block(table, one) for table, one in laid]
    notes = [filled(note) for note in report.notes]
    notes += [filled(_less(table, one)) for table, one in laid if one.left_out]
    blocks.append("\n".join(notes))
    click.echo("\n\n".join(filter(None, blocks)), color=_bold() or None)


def _block(table: Table, laid: Laid) -> str:
    title = _title(table)
    return _printed([*title, *laid.lines], len(title) + laid.heads)


def _less(table: Table, laid: Laid) -> str:
    """What has no room, and how to see it."""
    return (
        f"No room here for {', '.join(laid.left_out)}: --table {table.key} shows all, "
        f"as do {laid.needed} columns."
    )


def _show_one(report: Report, name: str, output_format: str) -> None:
    """All of the table that `--table` names; for people also what its columns mean."""
    if output_format == "json":
        raise UsageError("--table chooses what table, markdown or csv print: json has all of it")
    found = [table for table in report.tables if table.key == name]
    if not found:
        say(f"There is nothing in the table {name} here.")
    for table in found:
        if output_format == "csv":
            click.echo(as_csv(table), nl=False)
        elif output_format == "markdown":
            click.echo(as_markdown(table))
        else:
            click.echo("\n\n".join(_in_full(table)), color=_bold() or None)
    for remark in report.warnings:
        say(remark)


def _in_full(table: Table) -> Iterator[str]:
    """On a terminal what has no room stands below, in a pipe lines are as long as they are."""
    width = screen_width() if sys.stdout.isatty() else WHOLE
    for part in parts(table, width):
        yield _block(part, laid_out(part, width))
    told = meanings(table.columns)
    name_width = max(map(len, told), default=0)
    lines = []
    for name, meaning in told.items():
        lines += wrapped(meaning, f"{name:{name_width}}  ", " " * (name_width + 2))
    if lines:
        yield "\n".join(lines)
