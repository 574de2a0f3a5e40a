"""`gcreplay report`: one page that answers what the collector costs, and what to do."""

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from gcreplay.files import check_free, text_output
from gcreplay.options import in_unit, policy_option, trace_argument
from gcreplay.report.data import data
from gcreplay.report.fitted import fitted
from gcreplay.report.view import Level, View
from gcreplay.reporting.comparing import check_other, compared_with, names_recording
from gcreplay.reporting.confidential import RECORDING, SAID, check_policies
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
@click.option(
    "--compare",
    metavar="OTHER",
    help="Another recording, or a policy: what is new and what is gone stands first.",
)
@click.option(
    "--confidential",
    is_flag=True,
    help="Leave out source, paths, and names of functions, variables and marks.",
)
@click.option("--no-search", is_flag=True, help="Do not look for a better setting: it is faster.")
@click.option(
    "--fail-if",
    "level",
    type=click.Choice(LEVELS),
    help="Exit with 1 where something of this level or above is found.",
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
    compare: str | None,
    confidential: bool,
    no_search: bool,
    level: Level | None,
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
    """
    kind, target = destination(trace, output, output_format)
    asked = Asked(
        trace, policies, float(in_unit("--deadline", deadline, "10ms")), search=not no_search
    )
    if target is not None:
        check_free(target, force=force)
    if compare is not None:
        check_other(compare)
    if confidential:
        other = [] if compare is None or names_recording(compare) else [compare]
        check_policies([*policies, *other])
        asked = replace(asked, trace=RECORDING)
    with opened(trace) as opened_log:
        hidden = Confidential(opened_log) if confidential else None
        log = opened_log if hidden is None else hidden
        compared = compared_with(log, asked.trace, compare, policies, hidden) if compare else None
        view = report(log, asked, made_by(hidden is not None), compared)
        if confidential:
            view = replace(view, notes=(*view.notes, SAID))
    write(view, kind, target, force=force)
    if found := failing(view.findings, level):
        more = f", and {len(found) - 1:,} more" if len(found) > 1 else ""
        say(f"--fail-if {level}: {found[0].id} ({found[0].level}): {found[0].text}{more}")
        ctx.exit(1)


def of_recorded(trace: Path, target: Path, *, force: bool) -> None:
    """The report of a program that has just been recorded."""
    kind, _ = destination(trace, target, None)
    with opened(trace) as log:
        view = report(log, Asked(trace, (), DEADLINE_MS, search=True), made_by(False))
    write(view, kind, target, force=force)


def made_by(confidential: bool) -> str:
    """The command line that makes the report."""
    if confidential:
        return shlex.join(["gcreplay", "report", str(RECORDING), "--confidential"])
    return shlex.join(["gcreplay", *sys.argv[1:]])


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

    return html(fitted(view))


def write(view: View, kind: str, target: Path | None, *, force: bool) -> None:
    text = rendered(view, kind)
    if target is None:
        click.echo(text, nl=False)
        return
    with text_output(target, force=force) as file:
        file.write(text)
    say(f"The report is in {target}")
