"""Pauses: when they come and how long they take, held against a deadline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gcreplay.replay.estimates.pauses import Pauses
from gcreplay.replay.policies.policy import OLDEST
from gcreplay.replay.results.clock import Axis
from gcreplay.replay.results.result import RunResult
from gcreplay.report.parts.heap import binned
from gcreplay.report.view import Block, Distribution, Finding, Moment, Section, Series, Words
from gcreplay.report.words.numbers import counted, in_ms, rounded

MOST: Final = 4_000
"""Pauses that are drawn, each; where there are more, the longest of each stretch of time."""

A_DOUBLING: Final = 2
"""Columns of the distribution for each doubling of the length."""

KINDS: Final = ("young", "full")


def pauses(
    axis: Axis, run: RunResult, estimated: Pauses | None, deadline_ms: float, command: str
) -> tuple[Section, list[Finding]]:
    """Of the run under the recorded settings."""
    meaning = (
        "While the collector works the program stands still. Each dot is one collection; the line "
        f"is the deadline of {rounded(deadline_ms)} ms that was asked for (--deadline)."
    )
    title = "Pauses"
    if estimated is None or not estimated.each:
        why = "No collection ran." if not run.collections else "The times of pauses are not known."
        return Section("pauses", title, meaning, command, (Words(why),)), []
    ns = np.array(estimated.each, np.int64)
    full = np.array([one.generation >= OLDEST for one in run.collections])
    over = int(np.count_nonzero(ns > deadline_ms * 1e6))
    said = (
        f"{counted(over, 'pause')} of {len(ns):,} exceed{'s' * (over == 1)} {rounded(deadline_ms)} "
        f"ms; the longest takes {in_ms(int(ns.max()))} ms."
        if over
        else f"No pause of {len(ns):,} exceeds {rounded(deadline_ms)} ms; the longest takes "
        f"{in_ms(int(ns.max()))} ms."
    )
    blocks: tuple[Block, ...] = (
        Words(said, "notice" if over else "info"),
        _timeline(axis, run, ns, deadline_ms),
        _distribution(ns, full, deadline_ms),
    )
    findings = [Finding("deadline", "notice", said, float(over), command)] if over else []
    return Section("pauses", title, meaning, command, blocks), findings


def _timeline(axis: Axis, run: RunResult, ns: npt.NDArray[np.int64], deadline_ms: float) -> Series:
    made = run.collections
    at = axis.places([one.sequence for one in made])
    shown, thinning = _longest(axis, at, ns)
    moments = tuple(
        Moment(
            float(at[i]),
            KINDS[made[i].generation >= OLDEST],
            f"generation {made[i].generation}: {in_ms(int(ns[i]))} ms, "
            f"{made[i].candidates:,} objects examined, {made[i].freed:,} freed",
            float(ns[i]) / 1e6,
        )
        for i in shown
    )
    edges, _ = binned(axis)
    whole = np.array([edges[0], edges[-1]])
    return Series(
        "pause-timeline", "Each pause", axis.unit, "ms", whole, (), moments, thinning, deadline_ms
    )


def _longest(
    axis: Axis, at: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]
) -> tuple[Sequence[int], str]:
    """Which pauses are drawn, in their order, and what is said where some are not."""
    if len(at) <= MOST:
        return range(len(at)), ""
    bins = np.minimum(at / (axis.end or 1.0) * MOST, MOST - 1).astype(np.int64)
    order = np.lexsort((np.arange(len(ns)), -ns, bins))
    first = np.r_[True, bins[order][1:] != bins[order][:-1]]
    width = axis.end / MOST
    of = f"{rounded(width)} s" if axis.unit == "s" else counted(round(width), "event")
    return sorted(order[first].tolist()), f"each point is the longest pause of {of}"


def _distribution(
    ns: npt.NDArray[np.int64], full: npt.NDArray[np.bool_], deadline_ms: float
) -> Distribution:
    """By powers of the square root of two of a microsecond."""
    us = np.maximum(ns / 1e3, 1e-3)
    low = int(np.floor(A_DOUBLING * np.log2(us.min())))
    high = int(np.floor(A_DOUBLING * np.log2(us.max()))) + 1
    edges = 2.0 ** (np.arange(low, high + 1) / A_DOUBLING)
    of = np.clip(np.searchsorted(edges, us, side="right") - 1, 0, len(edges) - 2)
    rows = tuple(
        (name, np.bincount(of[which], minlength=len(edges) - 1).astype(np.int64))
        for name, which in (("young", ~full), ("full", full))
    )
    return Distribution(
        "pause-lengths", "How long pauses are", "ms", edges / 1e3, rows, deadline=deadline_ms
    )
