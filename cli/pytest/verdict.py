"""Whether figures are over their limits, and the lines that say so."""

from __future__ import annotations

import linecache
from collections.abc import Mapping, Sequence

from gcreplay.replay import garbage
from gcreplay.report.words.numbers import counted, size_words
from gcreplay.report.words.places import made_at
from gcreplay.report.words.text import plain
from gcreplay.screen import garbage as screen
from gcreplay.screen.here import here
from gcreplay.screen.output import PIPE_WIDTH, wrapped

from .figures import Figures, Group
from .limits import FailingFilter, Limit

_SHOWN = 5
_CYCLES = 2
_ROWS = 10
_WIDTH = PIPE_WIDTH
_INDENT, _FURTHER = " " * 4, " " * 6


def verdict(
    figures: Figures,
    limits: Mapping[str, Limit],
    last: Sequence[int] | None,
    *,
    verbose: bool,
) -> list[str]:
    """What is over a limit, or more than in the last run, where that matters; the first line for
    the summary, and nothing where all is well."""
    try:
        lines = over(figures, limits, verbose=verbose)
    except FailingFilter as error:
        return [str(error)]
    return lines if last is None else lines + increased(figures, last, verbose=verbose)


def over(figures: Figures, limits: Mapping[str, Limit], *, verbose: bool) -> list[str]:
    """What is over which limit."""
    lines: list[str] = []
    part = f"{figures.stretch.part}: " if figures.stretch.part else ""
    for name, limit in limits.items():
        if name == "limit_gc_objects":
            if figures.visited > limit.most:
                what = f"{part}the collector visits {counted(figures.visited, 'object')}"
                lines.append(f"{what}, {limit.most:,} allowed")
            continue
        if name == "limit_leaked_objects":
            kept = limit.kept(figures.leaked)
            objects, told = _objects(kept), listed(kept, verbose=verbose)
        elif limit.filter_fn is None:
            objects, told = _objects(figures.garbage), of_garbage(figures, verbose=verbose)
        else:
            cycles = limit.kept(figures.cycles)
            objects = sum(one.objects + one.hanging_objects for one in cycles)
            told = drawn_cycles(cycles, verbose=verbose)
        if objects > limit.most:
            what = f"{part}{counted(objects, 'object')} {_WHAT[name]}, {limit.most:,} allowed"
            lines += [what, *told]
    return lines


def of_garbage(figures: Figures, *, verbose: bool) -> list[str]:
    """The cycles, where they are known, else kinds and places; both with `verbose`."""
    lines = drawn_cycles(figures.cycles, verbose=verbose)
    return lines + listed(figures.garbage, verbose=verbose) if verbose or not lines else lines


def drawn_cycles(cycles: Sequence[garbage.Group], *, verbose: bool) -> list[str]:
    """A few lines a group: how many, made where, one of them with its names, the source."""
    shown = cycles if verbose else cycles[:_CYCLES]
    lines = []
    for one in shown:
        lines_of = {(at.file, at.line): linecache.getline(at.file, at.line) for at in one.sites[:1]}
        code = screen.Code(here(), lines_of)
        lines += screen.headed(f"  {counted(one.count, 'cycle')}", one, code, _WIDTH, _INDENT)
        lines += wrapped(plain(screen.drawn(one)), _INDENT, _FURTHER)
        lines += screen.source(one, code, _WIDTH)
    if len(cycles) > len(shown):
        more = cycles[len(shown) :]
        objects = sum(one.objects + one.hanging_objects for one in more)
        lines.append(
            f"  and {counted(objects, 'object')} in {counted(len(more), 'other kind')} (-v)"
        )
    return lines


_WHAT = {
    "limit_cyclic_garbage": "of cyclic garbage",
    "limit_leaked_objects": "made and left alive",
}


def increased(figures: Figures, before: Sequence[int], *, verbose: bool) -> list[str]:
    """What is more than before, garbage and leaked objects."""
    lines: list[str] = []
    for groups, last, what in zip(
        (figures.garbage, figures.leaked), before, _WHAT.values(), strict=False
    ):
        if (objects := _objects(groups)) > last:
            lines.append(f"{counted(objects, 'object')} {what}, {last:,} in the last run")
            lines += (
                of_garbage(figures, verbose=verbose)
                if groups is figures.garbage
                else listed(groups, verbose=verbose)
            )
    return lines


def to_remember(figures: Figures) -> list[int]:
    """What `increased` takes of an earlier run."""
    return [_objects(figures.garbage), _objects(figures.leaked)]


def listed(groups: Sequence[Group], *, verbose: bool) -> list[str]:
    """A line a group, up to a few: how many of which type, made where."""
    shown = groups if verbose else groups[:_SHOWN]
    wide = max((len(f"{one.objects:,}") for one in shown), default=1)
    lines = []
    for one in shown:
        lines.append(f"  {one.objects:>{wide},} {next(iter(one.types))}, made {_where(one)}")
        if one.held:
            lines += wrapped(plain(f"held by {one.held}"), _INDENT, _FURTHER)
    if len(groups) > len(shown):
        rest = groups[len(shown) :]
        more = counted(_objects(rest), "object")
        lines.append(f"  and {more} of {counted(len(rest), 'other kind')} (-v)")
    return lines


def _where(group: Group) -> str:
    at = group.sites[0]
    where = plain(made_at(at.file, at.line, at.function, at.near, here()))
    return where if at.file and at.near else f"at {where}"


def table(every: Sequence[Figures]) -> list[str]:
    """The tests that make garbage or work or leave objects, those with most of both first."""
    told = [
        (
            _objects(one.garbage),
            size_words(sum(group.bytes for group in one.garbage)) if one.garbage else "",
            one.visited,
            _objects(one.leaked),
            one.stretch.test,
        )
        for one in every
        if not one.stretch.part
    ]
    some = [row for row in told if any(row[:4])]
    some.sort(key=lambda row: (-(row[0] + row[3]), -row[2], row[4]))
    lines = ["garbage            GC visits    leaked"] if some else []
    lines += [
        f"{garbage:>7,}{size:>11}{visited:>10,}{left:>10,}  {_end(test)}"
        for garbage, size, visited, left, test in some[:_ROWS]
    ]
    if len(some) > _ROWS:
        lines.append(f"and {counted(len(some) - _ROWS, 'other test')}")
    if none := len(told) - len(some):
        lines.append(f"{counted(none, 'test')} with none of that")
    return lines


def _end(test: str) -> str:
    """What tells a test apart, where the whole name is too long for the line."""
    room = _WIDTH - 40
    return test if len(test) <= room else f"...{test[3 - room :]}"


def _objects(groups: Sequence[Group]) -> int:
    return sum(one.objects for one in groups)
