"""`gcreplay report`: one page that answers what the collector costs, and what to do."""

import json
import shlex
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from gcreplay.files import check_free, spare, text_output
from gcreplay.options import in_unit, policy_option, trace_argument
from gcreplay.report.data import data
from gcreplay.report.fitted import page
from gcreplay.report.view import Level, View
from gcreplay.reporting.comparing import check_other, names_recording
from gcreplay.reporting.confidential import OTHER, RECORDING, SAID, check_policies
from gcreplay.reporting.core import Asked
from gcreplay.reporting.made import LEVELS, failing, report
from gcreplay.screen.output import say
from gcreplay.store.confidential import Confidential
from gcreplay.trace import opened

FORMATS: Final = ("html", "markdown", "json")
DEADLINE_MS: Final = 10.0
SUFFIXES: Final = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json"}


@click.command()
@trace_argument
@policy_option("Another collector to show beside the recorded setting; repeatable.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write; - is standard output.  [default: the recording's name + .html; "
    "markdown and json go to standard output]",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(FORMATS),
    help="The form of the report.  [default: as the file's name ends, else html]",
)
@click.option(
    "--deadline",
    default="10ms",
    show_default=True,
    metavar="TIME",
    help="The line that pauses are held against.",
)
@click.option("--no-search", is_flag=True, help="Do not look for a better setting: it is faster.")
@click.option(
    "--fail-if",
    "level",
    type=click.Choice(LEVELS),
    help="Exit with 1 where something of this level or above is found.",
)
@click.option(
    "--compare",
    "other",
    metavar="OTHER",
    help="Hold it against another recording, as one from before, or the -p against another policy.",
)
@click.option("--suggest", is_flag=True, help="Find the references that are best cut: slower.")
@click.option(
    "--confidential",
    is_flag=True,
    help="Leave out source, paths and names: for others to read.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.pass_context
def command(
    ctx: click.Context,
    trace: Path,
    policies: tuple[str, ...],
    output: Path | None,
    output_format: str | None,
    deadline: str,
    no_search: bool,
    level: Level | None,
    other: str | None,
    suggest: bool,
    confidential: bool,
    force: bool,
) -> None:
    """Write a report that a person reads: what the collector cost, what would be better, and why.

    One HTML file that needs no network, Markdown for a pull request, or JSON. It replays the
    recorded setting, each -p and both bounds, and looks for a better setting as `tune` does.

    \b
    Example:
      gcreplay report demo.gcreplay
      gcreplay report demo.gcreplay -p generational:5000,10,10 -o demo.html
      gcreplay report demo.gcreplay --format markdown --fail-if warning
      gcreplay report head.gcreplay --compare base.gcreplay
      gcreplay report demo.gcreplay --compare generational:5000,10,10
    """
    kind, target = destination(trace, output, output_format)
    checked(other, policies, confidential)
    shown = RECORDING if confidential else trace
    limit = float(in_unit("--deadline", deadline, "10ms"))
    own = own_command(ctx, shown)
    asked = Asked(shown, policies, limit, search=not no_search, suggest=suggest, own=own)
    spare(target, trace, *([Path(other)] if other else []))
    if target is not None:
        check_free(target, force=force)
    with opened(trace) as log:
        view = report(
            Confidential(log) if confidential else log,
            asked,
            other,
            (SAID,) if confidential else (),
        )
    write(view, kind, target, force=force)
    if found := failing(view.findings, level):
        more = f", and {len(found) - 1:,} more" if len(found) > 1 else ""
        say(f"--fail-if {level}: {found[0].id} ({found[0].level}): {found[0].text}{more}")
        ctx.exit(1)


def checked(other: str | None, policies: tuple[str, ...], confidential: bool) -> None:
    """Raises UsageError for what cannot be compared, or may not be shown."""
    if other is not None:
        check_other(other)
    if confidential:
        held = [] if other is None or names_recording(other) else [other]
        check_policies([*policies, *held])


def of_recorded(trace: Path, target: Path, *, force: bool) -> None:
    """The report of a program that has just been recorded."""
    kind, _ = destination(trace, target, None)
    own = shlex.join(["gcreplay", "report", str(trace), "-o", str(target)])
    with opened(trace) as log:
        view = report(log, Asked(trace, (), DEADLINE_MS, search=True, own=own))
    write(view, kind, target, force=force)


def own_command(ctx: click.Context, trace: Path) -> str:
    """The command line that makes the report again, with all options that were given. Where that is
    confidential it names no file."""
    hidden = {"force", "output"} if ctx.params["confidential"] else {"force"}
    words = ["gcreplay", "report", str(trace)]
    for option in ctx.command.params:
        name = option.name or ""
        given = ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
        if not isinstance(option, click.Option) or name in hidden or not given:
            continue
        if option.is_flag:
            words.append(option.opts[0])
            continue
        value = ctx.params[name]
        for one in value if option.multiple else [value]:
            words += [option.opts[0], _shown(name, one, confidential=ctx.params["confidential"])]
    return shlex.join(words)


def _shown(option: str, value: object, *, confidential: bool) -> str:
    if confidential and option == "other" and names_recording(str(value)):
        return str(OTHER)
    return str(value)


def destination(
    trace: Path, output: Path | None, output_format: str | None
) -> tuple[str, Path | None]:
    """The format and the file; None is standard output."""
    known = None if output is None else SUFFIXES.get(output.suffix.lower())
    kind = output_format or known or "html"
    if output is None:
        return kind, Path(f"{trace.stem}.html") if kind == "html" else None
    return kind, None if str(output) == "-" else output


def rendered(view: View, kind: str) -> str:
    """The report in that format; each is imported only where it is asked for."""
    if kind == "json":
        return json.dumps(data(view), indent=2) + "\n"
    if kind == "markdown":
        from gcreplay.report.renderers.markdown import markdown

        return markdown(view)
    from gcreplay.report.renderers.html import html

    return page(view, html)


def write(view: View, kind: str, target: Path | None, *, force: bool) -> None:
    text = rendered(view, kind)
    if target is None:
        click.echo(text, nl=False)
        return
    with text_output(target, force=force) as file:
        file.write(text)
    say(f"The report is in {target}")
