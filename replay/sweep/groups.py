"""The garbage of a log in groups: what reaches each other in cycles, and what hangs from that.

Groups are found once a log, from the heap that is left at its end. They stand in the order in which
they become unreachable, of those that do so together the holders first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import U32, U64
from gcreplay.store.log import EventLog

from ..engine.annotation import Garbage, garbage_with_heap
from . import _sweep


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """By group: `due`, the event after which it is unreachable; `cyclic`; its objects are
    `member[begin[i]:begin[i + 1]]`, the groups that hold it `before[before_begin[i]:...]`.
    is_member: by object id."""

    due: U64
    cyclic: npt.NDArray[np.uint8]
    member: U32
    begin: U32
    before: U32
    before_begin: U32
    is_member: npt.NDArray[np.uint8]


def groups_of(log: EventLog) -> tuple[Garbage, Groups]:
    """The log's garbage and its groups. Raises InvalidLog."""
    garbage, engine = garbage_with_heap(log)
    found = _sweep.components(engine.address, len(garbage.due))
    return garbage, _ordered(log.object_count, garbage.due, *found)


def _ordered(
    objects: int,
    due: npt.NDArray[Any],
    ids: U32,
    group: U32,
    cyclic: npt.NDArray[np.uint8],
    edge_from: U32,
    edge_to: U32,
) -> Groups:
    """The groups, numbered holders first, in the order in which they are due."""
    count = len(cyclic)
    when = np.zeros(objects, np.uint64)
    when[due["id"]] = due["sequence"]
    due_of = np.zeros(count, np.uint64)
    due_of[group] = when[ids]
    order = np.argsort(due_of, kind="stable")
    number = np.empty(count, np.uint32)
    number[order] = np.arange(count, dtype=np.uint32)
    by_group = np.lexsort((ids, number[group]))
    edges = np.unique(
        number[edge_to].astype(np.uint64) << np.uint64(32) | number[edge_from].astype(np.uint64)
    )
    to = (edges >> np.uint64(32)).astype(np.int64)
    is_member = np.zeros(objects, np.uint8)
    is_member[ids] = 1
    return Groups(
        due=np.ascontiguousarray(due_of[order]),
        cyclic=np.ascontiguousarray(cyclic[order]),
        member=np.ascontiguousarray(ids[by_group]),
        begin=_begins(number[group], count),
        before=(edges & np.uint64(2**32 - 1)).astype(np.uint32),
        before_begin=_begins(to, count),
        is_member=is_member,
    )


def _begins(numbers: npt.NDArray[Any], count: int) -> U32:
    """Where each of so many numbers begins when they are sorted, and the end."""
    sizes = np.bincount(numbers.astype(np.int64), minlength=count)
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint32)
