"""`gcreplay cycles`: what only a collector can free, by shape and by where it is made."""

from collections.abc import Sequence
from pathlib import Path

import click

from gcreplay import baseline as known
from gcreplay.options import policy_option, trace_argument
from gcreplay.replay.garbage import Group, cycles
from gcreplay.replay.places import is_in
from gcreplay.screen.garbage import (
    FIRST,
    UNNAMED,
    Code,
    answer,
    drawn,
    place_of,
    ran_words,
    screen,
    table,
)
from gcreplay.screen.output import Report, counted, filled, format_option, say, show
from gcreplay.screen.progress import working
from gcreplay.store.errors import UsageError
from gcreplay.store.marks import mark_from
from gcreplay.trace import opened


@click.command()
@trace_argument
@policy_option("Whose collections; once.  [default: the recorded setting]")
@click.option("--all", "show_all", is_flag=True, help="Show all kinds, those of libraries too.")
@click.option("--site", metavar="PLACE", help="Only what is made in a FILE, FILE:LINE or function.")
@click.option("--type", "kind", metavar="TYPE", help="Only cycles with an object of this type.")
@click.option("--since", metavar="MARK", help="Only what becomes garbage after this mark.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Accept the kinds in this file, and fail where there are others.",
)
@click.option(
    "--write-baseline",
    "written",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the kinds that are found to this file, for --baseline.",
)
@format_option
def command(
    trace: Path,
    policies: tuple[str, ...],
    show_all: bool,
    site: str | None,
    kind: str | None,
    since: str | None,
    baseline: Path | None,
    written: Path | None,
    output_format: str,
) -> None:
    """Show the cycles that only a collector frees: how many of a kind, what of the collector's work
    is for them, where they are made, and one of them with the names of its references.

    \b
    Example:
      gcreplay cycles demo.gcreplay
      gcreplay cycles demo.gcreplay --baseline known-cycles.txt
    """
    if len(policies) > 1:
        raise UsageError("cycles looks at one policy: give -p once")
    accepted = known.from_file(baseline) if baseline is not None else None
    if accepted is None and written is None:
        accepted = known.from_project()
    with opened(trace) as log, working("replaying"):
        mark = None if since is None else mark_from(since)
        found = cycles(log, policies[0] if policies else None, since=mark)
        code = Code.of(log)
    groups = [group for group in found.groups if chosen(group, site, kind)]
    own = [group for group in groups if group.own]
    shown = groups if show_all else own[:FIRST]
    rest = [] if show_all else hidden(groups, own)
    if not own and not show_all:
        shown, rest = groups[:FIRST], [("Others", groups[FIRST:])]
    said = (answer(found, groups, own),)
    notes = ran_words(found.ran, code)
    notes += [] if found.named or not groups else [UNNAMED]
    if output_format == "table":
        told = ["\n".join(map(filled, said)), *screen(found, shown, rest, code)]
        told += ["", *map(filled, notes)] if notes else []
        click.echo("\n".join(told))
    else:
        payload = {"trace": str(trace), **found.to_json(groups)}
        show(Report((table(found, shown, code),), payload, (), said, tuple(notes)), output_format)
    if written is not None:
        known.write(written, {group.signature for group in groups})
        say(f"{counted(len(groups), 'kind')} written to {written}")
    if accepted is not None:
        check(groups, accepted, code)


def chosen(group: Group, site: str | None, kind: str | None) -> bool:
    """Whether one asks for it."""
    if site is not None and not any(
        made_in(one.file, one.line, one.function, site) for one in group.sites
    ):
        return False
    names = {part for name in group.types for part in (name, name.rpartition(".")[2])}
    return kind is None or kind in names


def made_in(file: str, line: int, function: str, wanted: str) -> bool:
    """Whether a site is in the FILE, at the FILE:LINE or in the function that is wanted."""
    if is_in(file, wanted) or wanted in (function, function.rpartition(".")[2]):
        return True
    path, _, number = wanted.rpartition(":")
    return is_in(file, path) and number == str(line)


def hidden(groups: Sequence[Group], own: Sequence[Group]) -> list[tuple[str, Sequence[Group]]]:
    """What the first screen has no room for."""
    others = [group for group in groups if not group.own]
    return [
        ("More in your code", own[FIRST:]),
        ("In site-packages and the standard library", others),
    ]


def check(groups: Sequence[Group], accepted: frozenset[str], code: Code) -> None:
    """Say which kinds are new, and fail where there are any."""
    new = {group.signature: group for group in groups if group.signature not in accepted}
    if not new:
        say(f"No new cycles: all of {counted(len(groups), 'kind')} are accepted.")
        return
    say(f"{counted(len(new), 'new kind')} of cycles, not accepted:")
    for signature, group in new.items():
        say(f"  {signature}")
        say(f"    {counted(group.count, 'time')}, {place_of(group, code)}: {drawn(group)}")
    raise click.exceptions.Exit(1)
