"""What events of rare ops say, found in the segments that have any."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from .events import U64, Events, GcCall, Op, positions


def operands(segments: Iterable[Events], op: Op) -> Iterator[tuple[int, int]]:
    """(sequence number, operand a) of every event of the op."""
    for segment in segments:
        for i in positions(segment.op, op).tolist():
            yield segment.first_sequence + i, int(segment.a[i])


def gc_calls(
    segments: Iterable[Events], arguments: Sequence[str]
) -> list[tuple[int, GcCall, list[int]]]:
    """(sequence number, call, arguments) of every GC_CALL event."""
    return [
        (
            segment.first_sequence + i,
            GcCall(int(segment.a[i])),
            json.loads(arguments[segment.b[i]]),
        )
        for segment in segments
        for i in positions(segment.op, Op.GC_CALL).tolist()
    ]


def ticks(segments: Iterable[Events]) -> tuple[U64, U64]:
    """Sequence number and the program's time in nanoseconds of every tick."""
    sequences, times = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for segment in segments:
        at = positions(segment.op, Op.TICK)
        sequences.append(at.astype(np.uint64) + np.uint64(segment.first_sequence))
        times.append(segment.a[at] | segment.b[at].astype(np.uint64) << np.uint64(32))
    return np.concatenate(sequences), np.concatenate(times)


def times(ticks: Events) -> Iterator[int]:
    """The program's time in nanoseconds at each tick among these events."""
    at = positions(ticks.op, Op.TICK)
    yield from (ticks.a[at] | ticks.b[at].astype(np.uint64) << np.uint64(32)).tolist()
