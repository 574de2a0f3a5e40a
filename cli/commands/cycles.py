"""`gcreplay cycles`: what only a collector can free, by shape and by where it is made."""

from collections.abc import Sequence
from pathlib import Path

import click

from gcreplay import baseline as known
from gcreplay.assigned import Sources, Taken
from gcreplay.help import Sectioned
from gcreplay.options import cut_option, policy_option, trace_argument
from gcreplay.replay.cuts import Cut
from gcreplay.replay.cuts.suggest import Suggestion
from gcreplay.replay.garbage import Cycles, Group, cycles
from gcreplay.replay.places import is_in
from gcreplay.report.words.numbers import counted
from gcreplay.screen.cuts import counted as counted_cut
from gcreplay.screen.cuts import cut_json, effect, found_cuts, suggested, without
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
from gcreplay.screen.outcome import Outcome
from gcreplay.screen.output import (
    Report,
    chosen_table,
    filled,
    format_option,
    next_command,
    say,
    show,
)
from gcreplay.screen.pauses import pause_model
from gcreplay.screen.progress import reading
from gcreplay.store.errors import UsageError
from gcreplay.store.marks import mark_from
from gcreplay.trace import opened


@click.command(cls=Sectioned)
@trace_argument
@policy_option("Whose collections; once.  [default: the recorded setting]")
@click.option("--all", "show_all", is_flag=True, help="Show all kinds, those of libraries too.")
@click.option("--site", metavar="PLACE", help="Only what is made in a FILE, FILE:LINE or function.")
@click.option("--type", "kind", metavar="TYPE", help="Only cycles with an object of this type.")
@click.option("--since", metavar="MARK", help="Only what becomes garbage after this mark.")
@cut_option("As if references like Line.order were weak; repeatable.")
@click.option("--suggest", "wanted", is_flag=True, help="Find the fewest references to cut.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Fail where there are kinds that this file has not.",
)
@click.option(
    "--write-baseline",
    "written",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the kinds found to this file, for --baseline.",
)
@format_option("cycles")
def command(
    trace: Path,
    policies: tuple[str, ...],
    show_all: bool,
    site: str | None,
    kind: str | None,
    since: str | None,
    cuts: tuple[str, ...],
    wanted: bool,
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
      gcreplay cycles demo.gcreplay --suggest
      gcreplay cycles demo.gcreplay --cut Line.order
    """
    if len(policies) > 1:
        raise UsageError("cycles shows one policy: give -p once")
    accepted = known.from_file(baseline) if baseline is not None else None
    if accepted is None and written is None:
        accepted = known.from_project()
    if cuts and wanted:
        raise UsageError("--suggest finds what --cut would name: give one of them")
    parsed = [Cut.parse(text) for text in cuts]
    policy = policies[0] if policies else None
    mark = None if since is None else mark_from(since)
    suggestions: list[Suggestion] = []
    taken: list[Taken] = []
    gain: tuple[str, ...] = ()
    cut_payload: dict[str, object] = {}
    with opened(trace) as log, without(log, parsed) as cut:
        with reading(log, "replaying"):
            found = cycles(log, policy, since=mark)
        model = pause_model(log) if cut is not None or wanted else None
        if wanted:
            suggestions = found_cuts(log, found)
            taken = where_taken(suggestions, Sources(log.lines))
            cut_payload = {
                "suggestions": [
                    {**one.to_json(), **where.to_json()}
                    for one, where in zip(suggestions, taken, strict=True)
                ]
            }
        if cut is not None:
            before = Outcome.of(found.run, model, None)
            with reading(cut.log, "replaying"):
                found = cycles(cut.log, policy, since=mark)
            gain = (effect(before, Outcome.of(found.run, model, None), cut), counted_cut(cut))
            gain += (f"Take care: {cut.lost.sentence()}.",) if cut.lost.objects else ()
            cut_payload = {"cut": cut_json(cut)}
        code = Code.of(log)
    groups = [group for group in found.groups if chosen(group, site, kind)]
    own = [group for group in groups if group.own]
    shown = groups if show_all else own[:FIRST]
    rest = [] if show_all else hidden(groups, own)
    if not own and not show_all:
        shown, rest = groups[:FIRST], [("Others", groups[FIRST:])]
    said = (*gain, answer(found, groups, own))
    notes = ran_words(found.ran, code)
    notes += [] if found.named or not groups else [UNNAMED]
    if output_format == "table" and chosen_table() is None:
        told = ["\n".join(map(filled, said))]
        told += (
            suggested(suggestions, taken, model, code)
            if wanted
            else screen(found, shown, rest, code)
        )
        told += ["", *map(filled, notes)] if notes else []
        if not wanted and not cuts:
            told += ["", filled(following(trace, found, groups))]
        click.echo("\n".join(told))
    else:
        payload = {"trace": str(trace), **found.to_json(groups), **cut_payload}
        show(Report((table(found, shown, code),), payload, (), said, tuple(notes)), output_format)
    if written is not None:
        known.write(written, {group.signature for group in groups})
        say(f"{counted(len(groups), 'kind')} written to {written}")
    if accepted is not None:
        check(groups, accepted, code)


def following(trace: Path, found: Cycles, groups: Sequence[Group]) -> str:
    """What to ask next: which reference to cut; where no kind is shown for all kinds, and where
    there are none for what grows."""
    if groups:
        return next_command("cycles", trace, "--suggest")
    return next_command("cycles" if found.groups else "leaks", trace)


def where_taken(suggestions: Sequence[Suggestion], sources: Sources) -> list[Taken]:
    """The lines that take each reference, as far as one's own source tells them."""
    return [
        sources.taken(one.cut, one.group.sites[0].function if one.group.sites else "")
        for one in suggestions
    ]


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
