"""Which link of the log each name of a reading is of.

A reading says which targets its object held, and under which names. Where it holds one of them
under several names, the links that stand then take these in the order in which they were taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gcreplay.store.events import U32, U64
from gcreplay.store.readings import POSITION, Readings

if TYPE_CHECKING:
    from .links import Links


def name_links(links: Links, readings: Readings) -> None:
    """Write the labels that readings give into those of `links` that have none: the last of each,
    where it was read more than once."""
    counts = np.diff(readings.first)
    holder = np.repeat(readings.object, counts)
    at = np.repeat(readings.sequence, counts)
    named = (readings.label != 0) & (readings.label < POSITION)
    wanted = _pairs(holder[named], readings.target[named])
    at, label = at[named], readings.label[named]
    pair = _pairs(links.source, links.target)
    order = np.argsort(pair, kind="stable")
    ordered = pair[order]
    low, high = (np.searchsorted(ordered, wanted, side) for side in ("left", "right"))
    alone = (high - low) == 1
    only = order[low[alone]]
    taken = (links.label[only] == 0) & ~links.opaque[only]
    taken &= links.sequence[only] < at[alone]
    links.label[only[taken]] = label[alone][taken]
    _name_parallel(links, order, low[~alone], high[~alone], at[~alone], label[~alone])


def _pairs(source: U32, target: U32) -> U64:
    return (source.astype(np.uint64) << np.uint64(32)) | target.astype(np.uint64)


def _name_parallel(
    links: Links,
    order: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    at: np.ndarray,
    label: np.ndarray,
) -> None:
    """Of sources that take the same target more than once."""
    said = links.label != 0
    turn: dict[tuple[int, int], int] = {}
    rows = zip(low.tolist(), high.tolist(), at.tolist(), label.tolist(), strict=True)
    for begin, end, moment, name in rows:
        standing = [
            link
            for link in order[begin:end].tolist()
            if links.sequence[link] < moment <= links.undone[link] and not links.opaque[link]
        ]
        used = turn.get((begin, moment), 0)
        turn[begin, moment] = used + 1
        if used < len(standing) and not said[standing[used]]:
            links.label[standing[used]] = name
