"""What of the references in garbage has a name, and what names take of a recording.

What names cost the recorded program tells `budget.py`, between the commit before they were and this
one; here stands what `--labels` costs beside the defaults.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from tables import bar, section, show, table
from workloads import BUILD, VALGRIND, Workloads, chosen, options

from gcreplay.replay.references import births_of
from gcreplay.store import EventLog
from gcreplay.store.encoding import readings as rows
from gcreplay.store.readings import POSITION, Readings, Reason

COUNTED = ("w03", "w06")
SHOWN = 8
NOTE = (
    "Links in cycles: of garbage, from an object on a cycle, or between two cycles, to another "
    "such. A name is an attribute, a key, a variable, a field or an index; a position "
    "among all children is none. Read: of what the collector found to be garbage. MB: readings as "
    "the recording holds them, with the texts of the names."
)


@dataclass(frozen=True, slots=True)
class Named:
    """Of one recording: objects of garbage that were found and read, links between them in
    cycles, how many of these have no name, by the types at both ends; bytes of all readings."""

    found: int
    read: int
    links: int
    unnamed: Counter[str]
    size: float
    whole: int

    @property
    def share(self) -> float:
        return 1 - self.unnamed.total() / self.links if self.links else 1.0


def in_cycles(source: np.ndarray, target: np.ndarray, most: int) -> np.ndarray:
    """Of links, those between objects that have a link from and to another such: what is left when
    all others have been taken off."""
    kept = np.ones(len(source), bool)
    while True:
        holds, held = np.zeros(most, bool), np.zeros(most, bool)
        holds[source[kept]] = held[target[kept]] = True
        inner = kept & held[source] & holds[target]
        if inner.sum() == kept.sum():
            return kept
        kept = inner


def garbage_links(readings: Readings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Holder, target and label of the links that garbage was read to have."""
    of = np.repeat(np.arange(len(readings)), np.diff(readings.first))
    mine = readings.reason[of] == Reason.GARBAGE
    return readings.object[of[mine]], readings.target[mine], readings.label[mine]


def named(workloads: Workloads, name: str) -> Named:
    path, _ = workloads.recording(name)
    with EventLog.open(path) as log:
        readings = log.readings()
        source, target, label = garbage_links(readings)
        cyclic = in_cycles(source, target, log.object_count)
        source, target, label = source[cyclic], target[cyclic], label[cyclic]
        missing = (label >= POSITION) | (label == 0)
        shape, types, shapes = births_of(log).shape, log.types, log.shapes
        unnamed = Counter(
            " -> ".join(types[shapes[shape[end]].type].qualified for end in ends)
            for ends in zip(source[missing].tolist(), target[missing].tolist(), strict=True)
        )
        found = sum(collection.collected for collection in log.observed)
        read = int((readings.reason == Reason.GARBAGE).sum())
        payloads = sum(len(row["payload"]) for row in rows._rows(log.readings(frames=True), 0))
        size = payloads + sum(len(text.encode(errors="replace")) + 2 for text in log.labels)
        return Named(found, read, len(source), unnamed, size, path.stat().st_size)


def labels_cost(workloads: Workloads, names: list[str]) -> Iterator[str]:
    some = [name for name in names if name.startswith(COUNTED)]
    if shutil.which(VALGRIND[0]) is None or not some:
        return
    closer, path = workloads.with_options("--labels"), BUILD / "names.gcreplay"
    cost = {}
    for name in some:
        plain = workloads.instructions_recorded(path, [f"{name}.py"])
        cost[name] = closer.instructions_recorded(path, [f"{name}.py"]) / plain - 1
    worst = max(cost.values())
    yield section(
        "Names: what `--labels` costs the program, in instructions",
        table(["program", "more than by default"], [[n, f"{c:+.1%}"] for n, c in cost.items()]),
        bar("at most 15 %", worst <= 0.15, f"{worst:.1%}"),
    )


def sections(workloads: Workloads, names: list[str]) -> Iterator[str]:
    all_of = {name: named(workloads, name) for name in names}
    worst = min(one.share for one in all_of.values())
    without = sum((one.unnamed for one in all_of.values()), Counter[str]())
    without_name = [[ends, f"{n:,}"] for ends, n in without.most_common(SHOWN)]
    yield section(
        "Names of references in garbage",
        NOTE,
        table(
            ["program", "garbage", "read", "links in cycles", "named", "MB", "of the recording"],
            [
                [
                    name,
                    f"{one.found:,}",
                    f"{one.read / max(one.found, 1):.1%}",
                    f"{one.links:,}",
                    f"{one.share:.2%}",
                    f"{one.size / 1e6:.2f}",
                    f"{one.size / one.whole:.1%}",
                ]
                for name, one in all_of.items()
            ],
        ),
        *([table(["without a name", "links"], without_name)] if without_name else []),
        bar("at least 95 % of the links in cycles named", worst >= 0.95, f"{worst:.2%}"),
    )
    yield from labels_cost(workloads, names)


if __name__ == "__main__":
    given = options(__doc__).parse_args()
    show(sections(*chosen(given)), given.output)
