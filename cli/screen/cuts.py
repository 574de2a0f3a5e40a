"""What a cut does, in words."""

from __future__ import annotations

from gcreplay.replay.cuts import CutLog
from gcreplay.screen.outcome import Outcome, milliseconds
from gcreplay.screen.output import size_words, words


def effect(before: Outcome, after: Outcome, cut: CutLog) -> str:
    """What it gains under one policy, in a sentence."""
    first, second = before.run, after.run
    told = [f"{_change(first.collected, second.collected)} objects to collect"]
    if before.pauses is not None and after.pauses is not None:
        for name, ns, cut_ns in (
            ("GC time", before.pauses.total, after.pauses.total),
            ("longest pause", before.pauses.longest, after.pauses.longest),
        ):
            told.append(f"{name} {words(milliseconds(ns))} -> {words(milliseconds(cut_ns))} ms")
    was, now = size_words(first.peak_bytes), size_words(second.peak_bytes)
    told.append(f"peak memory {was} -> {now}" if was != now else f"peak memory {was} as before")
    return f"Without {named(cut)}: {', '.join(told)}."


def named(cut: CutLog) -> str:
    """The references that are cut."""
    return " and ".join(map(str, cut.cuts))


def counted(cut: CutLog) -> str:
    """How many references are cut, in a sentence."""
    chosen = cut.chosen
    told = f"{named(cut)}: {chosen.labelled:,} references bear this name"
    if len(cut.cuts) > 1:
        told = f"{named(cut)}: {chosen.labelled:,} references bear these names"
    if chosen.alike:
        told += (
            f", {chosen.alike:,} more have no name and are taken for such, as all with a name "
            f"between objects of the same types are"
        )
    if chosen.older:
        told += f"; {chosen.older:,} were there before the recording began, and stay"
    return f"{told}."


def _change(first: int, second: int) -> str:
    return f"{first:,} -> {second:,}"
