"""Is an object shown on the line that made it? Against tracemalloc, in the same run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tables import bar, section, show, table
from workloads import BUILD, Workloads, chosen, options

from gcreplay.replay.run import Replay
from gcreplay.store import EventLog
from gcreplay.store.events import Op

NOTE = (
    "Of the objects alive at the end of the window and known to tracemalloc, in one run with both: "
    "the multisets of (type, file, line). *Near*: born from a free list, and the recording says "
    "that it knows the neighbourhood only; they are left out of the share. *Only recorded*: "
    "what no walk from the tracked objects finds, such as the tuples of code objects, and what "
    "tracemalloc cannot know. Left out are cells, generators and coroutines: they are made before "
    "their function's first line, which the recording names, and tracemalloc its caller."
)
SAME = 0.99
EARLY = ("cell", "generator", "coroutine", "async_generator")

HEADS = ["alive", "right", "share", "near", "of these right", "", "only recorded"]

Born = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Objects alive that tracemalloc knows; of these on the recording's exact lines, and near; of
    the near ones right; and what only the recording has."""

    known: int
    right: int
    near: int
    near_right: int
    only_recorded: int
    wrong: list[tuple[Born, int]]

    @property
    def share(self) -> float:
        exact = self.known - self.near
        return self.right / exact if exact else 1.0


def agreement(workloads: Workloads, name: str) -> Agreement:
    path, told = BUILD / "sites.gcreplay", BUILD / "sites.json"
    workloads.recorded_with(
        name,
        path,
        {"GCW_PHASE_HOOK": "gcreplay_bench_sites:phase", "GCREPLAY_BENCH_SITES": str(told)},
    )
    real = Counter({tuple(born): n for *born, n in json.loads(told.read_text()) if born[1]})
    return _compared(real, *_alive(path))


def _alive(path: Path) -> tuple[Counter[Born], Counter[Born]]:
    """What the recording has between the two marks and alive at the second: exact, and near."""
    with EventLog.open(path) as log:
        run = Replay(log, "cpython-3.11")
        run.note_deaths()
        run.run()
        assert run.deaths is not None
        places = {label: sequence for sequence, label in log.marks()}
        begin, end = places["traced"], places["compared"]
        types, shapes, sites = log.types, log.shapes, log.sites
        found: Counter[tuple[int, int]] = Counter()
        number = 0
        for segment in log.named():
            at = np.flatnonzero(segment.op == Op.ALLOC)
            sequence = at + segment.first_sequence
            deaths = run.deaths[number : number + len(at)]
            number += len(at)
            alive = at[(sequence > begin) & (sequence < end) & (deaths > end)]
            found.update(zip(segment.b[alive].tolist(), segment.c[alive].tolist(), strict=True))
    exact: Counter[Born] = Counter()
    near: Counter[Born] = Counter()
    for (shape, site), n in found.items():
        place = sites[site]
        kind = near if place.near else exact
        kind[types[shapes[shape].type].qualified, place.file, place.line] += n
    return exact, near


def _compared(real: Counter[Born], exact: Counter[Born], near: Counter[Born]) -> Agreement:
    real, exact, near = (
        Counter({born: n for born, n in some.items() if born[0] not in EARLY})
        for some in (real, exact, near)
    )
    same = real & exact
    rest = real - same
    close = rest & near
    return Agreement(
        real.total(),
        same.total(),
        min(near.total(), rest.total()),
        close.total(),
        exact.total() + near.total() - real.total(),
        (rest - close).most_common(12),
    )


def sections(workloads: Workloads, names: list[str]) -> Iterator[str]:
    found = {name: agreement(workloads, name) for name in names}
    low = [f"{name} {one.share:.2%}" for name, one in found.items() if one.share < SAME]
    yield section(
        f"Sites: the lines of a recording against tracemalloc's, recorded {workloads.how}",
        NOTE,
        table(
            ["program", *HEADS],
            [
                [
                    name,
                    *(f"{n:,}" for n in (one.known, one.right)),
                    f"{one.share:.2%}",
                    *(f"{n:,}" for n in (one.near, one.near_right)),
                    f"{one.near / one.known:.1%}",
                    f"{one.only_recorded:,}",
                ]
                for name, one in found.items()
            ],
        ),
        bar(f"at least {SAME:.0%} of the exact ones agree", not low, ", ".join(low)),
    )


if __name__ == "__main__":
    given = options(__doc__).parse_args()
    show(sections(*chosen(given)), given.output)
