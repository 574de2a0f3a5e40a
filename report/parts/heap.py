"""The heap over time: what is alive, and how much of that is garbage nobody has freed yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from gcreplay.replay.estimates.pauses import Pauses
from gcreplay.replay.policies.policy import OLDEST
from gcreplay.replay.results.clock import Axis
from gcreplay.replay.results.result import RunResult
from gcreplay.replay.results.series import HeapSteps, Steps
from gcreplay.report.view import F64, Finding, Line, Moment, Section, Series, Words
from gcreplay.report.words.numbers import counted, in_ms, rounded, size_words

BINS: Final = 8_000
"""Points of a series: it zooms ten times before they show on a wide screen."""

YOUNG_SHOWN: Final = 2_000
MARKS_SHOWN: Final = 2_000
"""Moments above which not each is drawn: then those that found most, and the first marks."""

PEAK_FLOATING: Final = 0.25
"""Of the peak: garbage that waits and is worth a finding."""


def heap(
    steps: HeapSteps,
    axis: Axis,
    run: RunResult,
    pauses: Pauses | None,
    marks: Sequence[tuple[int, str]],
    command: str,
) -> tuple[Section, list[Finding]]:
    """Of the run under the recorded settings; marks: event and label."""
    edges, thinning = binned(axis)
    collections, left_out = _collections(axis, run, pauses)
    moments = (*collections, *_marks(axis, marks))
    named = (("live", "floating garbage"), (steps.live_bytes, steps.floating_bytes))
    memory = _series("heap-bytes", "Memory", "bytes", edges, axis, named, moments, thinning)
    named = (("live", "floating garbage"), (steps.live_objects, steps.floating_objects))
    objects = _series("heap-objects", "Objects", "objects", edges, axis, named, (), thinning)
    meaning = (
        "How many bytes recorded objects take over the time of the recording. Floating garbage is "
        "what nothing can reach any more and the collector has not freed yet."
    )
    blocks = [memory, objects]
    said = [Words(one) for one in (left_out, _clock(axis)) if one]
    findings = []
    share = run.peak_floating_bytes / run.peak_bytes if run.peak_bytes else 0.0
    if share > PEAK_FLOATING:
        text = (
            f"Up to {size_words(run.peak_floating_bytes)} of garbage waited to be freed at once; "
            f"the heap's peak is {size_words(run.peak_bytes)}."
        )
        findings.append(Finding("floating", "notice", text, run.peak_floating_bytes, command))
    return Section("heap", "The heap over time", meaning, command, (*blocks, *said)), findings


def binned(axis: Axis) -> tuple[F64, str]:
    """The edges of the bins of a series, and what is said of them."""
    edges = axis.edges(BINS)
    width = axis.end / BINS
    if axis.unit == "events":
        if axis.end <= BINS:
            return np.arange(max(int(axis.end), 1) + 1, dtype=np.float64), ""
        return edges, f"each point is {counted(round(width), 'event')}"
    return edges, f"each point is {_seconds(width)}"


def _seconds(s: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if s * factor >= 1:
            return f"{rounded(s * factor)} {unit}"
    return f"{rounded(s * 1e9)} ns"


def _clock(axis: Axis) -> str:
    if axis.unit == "events":
        if not axis.ticks:
            return "The recording has no clock, so time is counted in events."
        return (
            f"Time is counted in events: the recording's clock was read only "
            f"{counted(axis.ticks, 'time')}, too rarely to say when things happened between."
        )
    return "Time is that of the recorded run, which recording slows down."


def _series(
    id: str,
    title: str,
    unit: str,
    edges: F64,
    axis: Axis,
    named: tuple[tuple[str, str], tuple[Steps, Steps]],
    moments: tuple[Moment, ...],
    thinning: str,
) -> Series:
    lines = []
    for name, steps in zip(*named, strict=True):
        thin = steps.thinned(axis.places(steps.at), edges)
        lines.append(Line(name, thin.low, thin.high, thin.mean))
    return Series(id, title, axis.unit, unit, edges, tuple(lines), moments, thinning)


def _collections(axis: Axis, run: RunResult, pauses: Pauses | None) -> tuple[list[Moment], str]:
    """All full collections; of the young ones those that freed most, where there are too many."""
    made = run.collections
    young = [i for i, one in enumerate(made) if one.generation < OLDEST]
    shown = set(sorted(young, key=lambda i: (-made[i].freed, i))[:YOUNG_SHOWN])
    shown |= {i for i, one in enumerate(made) if one.generation >= OLDEST}
    at = axis.places([one.sequence for one in made])
    moments = []
    for i in sorted(shown):
        one = made[i]
        took = "" if pauses is None else f", {in_ms(pauses.each[i])} ms"
        text = (
            f"collection of generation {one.generation}: {one.freed:,} of {one.candidates:,} "
            f"objects freed ({size_words(one.bytes)}){took}"
        )
        kind = "full" if one.generation >= OLDEST else "young"
        moments.append(Moment(float(at[i]), kind, text))
    if len(young) <= YOUNG_SHOWN:
        return moments, ""
    return moments, (
        f"Of {len(young):,} young collections those {YOUNG_SHOWN:,} are drawn that freed most."
    )


def _marks(axis: Axis, marks: Sequence[tuple[int, str]]) -> Iterable[Moment]:
    shown = marks[:MARKS_SHOWN]
    places = axis.places([at for at, _ in shown])
    return [Moment(float(x), "mark", label) for x, (_, label) in zip(places, shown, strict=True)]
