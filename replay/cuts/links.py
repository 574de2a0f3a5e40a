"""Every link of a log, the event that undoes it, and its label; every object's type and title."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import OPAQUE_LABEL, U8, U32, U64, Op, positions
from gcreplay.store.log import EventLog

from ..references import titles
from .naming import name_links

FOREVER = 2**64 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """All links of a log, in the order in which they were taken.

    sequence: uint64, the LINK event. source, target: uint32, objects. label: uint32, as in
    `Readings`, 0 unknown. undone: uint64, the UNLINK event, FOREVER where there is none. opaque:
    bool, those that no traversal shows. type: uint32, by object. title: uint32, by object, id of a
    label, 0 none.
    """

    sequence: U64
    source: U32
    target: U32
    label: U32
    undone: U64
    opaque: npt.NDArray[np.bool_]
    type: U32
    title: U32


def links_of(log: EventLog) -> Links:
    """Raises InvalidLog where an event names what the log does not have, and as
    `EventLog.segments`."""
    at, op, a, b, c, shapes = _gathered(log)
    taken = op == np.uint8(Op.LINK)
    source, target, said, sequence = a[taken], b[taken], c[taken], at[taken]
    undone = np.full(len(source), FOREVER, np.uint64)
    number = np.cumsum(taken) - 1  # of LINK events
    _match(undone, at, taken, number, (a.astype(np.uint64) << np.uint64(32)) | b, c)
    type_of = np.array([shape.type for shape in log.shapes], np.uint32)
    opaque = said == OPAQUE_LABEL
    readings = log.readings()
    links = Links(
        sequence,
        source,
        target,
        np.where(opaque, 0, said).astype(np.uint32),
        undone,
        opaque,
        type_of[shapes] if len(shapes) else np.zeros(0, np.uint32),
        titles(readings, len(shapes)),
    )
    name_links(links, readings)
    return links


def _gathered(log: EventLog) -> tuple[U64, U8, U32, U32, U32, U32]:
    """Sequence numbers and columns of all LINK and UNLINK events; the shape of every object."""
    none = np.zeros(0, np.uint32)
    parts = [(np.zeros(0, np.uint64), np.zeros(0, np.uint8), none, none, none)]
    shapes = [none]
    for events in log.named():
        at = positions(events.op, Op.LINK, Op.UNLINK)
        sequence = at.astype(np.uint64) + np.uint64(events.first_sequence)
        parts.append((sequence, events.op[at], events.a[at], events.b[at], events.c[at]))
        shapes.append(events.b[positions(events.op, Op.ALLOC)])
    sequence, op, a, b, c = (np.concatenate(column) for column in zip(*parts, strict=True))
    return sequence, op, a, b, c, np.concatenate(shapes)


def _match(
    undone: U64,
    at: U64,
    taken: npt.NDArray[np.bool_],
    links: npt.NDArray[np.intp],
    pair: U64,
    label: U32,
) -> None:
    """Write for each link the event that undoes it, by the rule of UNLINK: of one source and target
    the youngest of the same label, else the youngest without a label, else the youngest."""
    if taken.all():
        return
    order = np.argsort(pair, kind="stable")
    pair, taken, label = pair[order], taken[order], label[order]
    at, links = at[order], links[order]
    starts = np.flatnonzero(np.diff(pair, prepend=~pair[0]) != 0)
    group = np.zeros(len(pair), np.intp)
    group[starts[1:]] = 1
    group = np.cumsum(group)
    depth = np.cumsum(np.where(taken, 1, -1))
    depth -= np.concatenate([[0], depth[starts[1:] - 1]])[group]
    level = np.where(taken, depth, depth + 1)
    # Links of one pair and label are a stack: on each level taking and undoing take turns.
    turns = np.lexsort((np.arange(len(pair)), level, group))
    first, second = turns[:-1], turns[1:]
    match = taken[first] & ~taken[second]
    match &= (group[first] == group[second]) & (level[first] == level[second])
    undone[links[first[match]]] = at[second[match]]
    for begin, end in _mixed(starts, taken, label):
        one = slice(begin, end)
        _match_mixed(undone, at[one], taken[one], links[one], label[one])


def _mixed(
    starts: npt.NDArray[np.intp], taken: npt.NDArray[np.bool_], label: U32
) -> list[tuple[int, int]]:
    """The pairs that have something undone and links of more than one label."""
    if not len(starts):
        return []
    least = np.minimum.reduceat(np.where(taken, label, np.uint32(2**32 - 1)), starts)
    most = np.maximum.reduceat(np.where(taken, label, np.uint32(0)), starts)
    undoes = np.logical_or.reduceat(~taken, starts)
    ends = np.append(starts[1:], len(taken))
    chosen = undoes & (least < most)
    return list(zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True))


def _match_mixed(
    undone: U64,
    at: U64,
    taken: npt.NDArray[np.bool_],
    links: npt.NDArray[np.intp],
    label: U32,
) -> None:
    undone[links[taken]] = FOREVER
    standing: list[tuple[int, int]] = []  # label and number of each, oldest first
    rows = zip(at.tolist(), taken.tolist(), links.tolist(), label.tolist(), strict=True)
    for sequence, takes, link, said in rows:
        if takes:
            standing.append((said, link))
            continue
        for wanted in (said, 0, None):
            found = [i for i, one in enumerate(standing) if wanted in (one[0], None)]
            if found:
                undone[standing.pop(found[-1])[1]] = sequence
                break
