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
    "what no walk from the tracked objects finds, and what tracemalloc cannot know. *Wrong*: exact "
    "ones on another line than tracemalloc's. Multisets leave room there: an object of "
    "tracemalloc's without a partner may be a near one on a wrong line, and one of the recording's "
    "may be only recorded. Per type, at least what near ones cannot explain; at most what has no "
    "partner on both sides; the share is of the latter, the worse one. *Early*: cells, generators "
    "and coroutines, not in the other columns: they are made before their function's first line, "
    "which the recording names, and tracemalloc its caller."
)
SAME = 0.99
EARLY = ("cell", "generator", "coroutine", "async_generator")

HEADS = ["alive", "right", "wrong, at least", "at most", "share", "near", "of these right", ""]
HEADS += ["only recorded", "early", "of these as tracemalloc"]

Born = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Objects alive that tracemalloc knows; of these on the recording's exact lines, on others (at
    least and at most), and near; of the near ones right; what only the recording has; and those
    that tracemalloc sees elsewhere, and of these on the same line."""

    known: int
    right: int
    wrong: tuple[int, int]
    near: int
    near_right: int
    only_recorded: int
    early: int
    early_same: int

    @property
    def share(self) -> float:
        return self.right / (self.right + self.wrong[1]) if self.right else 1.0


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
    early = [
        Counter({born: n for born, n in some.items() if born[0] in EARLY})
        for some in (real, exact + near)
    ]
    real, exact, near = (
        Counter({born: n for born, n in some.items() if born[0] not in EARLY})
        for some in (real, exact, near)
    )
    same = real & exact
    rest = real - same
    close = rest & near
    alone, without = _by_type(rest - close), _by_type(exact - same)
    unexplained = alone - _by_type(near - close)
    return Agreement(
        real.total(),
        same.total(),
        (unexplained.total(), (alone & without).total()),
        min(near.total(), rest.total()),
        close.total(),
        exact.total() + near.total() - real.total(),
        early[0].total(),
        (early[0] & early[1]).total(),
    )


def _by_type(births: Counter[Born]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (name, _, _), n in births.items():
        found[name] += n
    return found


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
                    *(f"{n:,}" for n in (one.known, one.right, *one.wrong)),
                    f"{one.share:.2%}",
                    *(f"{n:,}" for n in (one.near, one.near_right)),
                    f"{one.near / one.known:.1%}",
                    *(f"{n:,}" for n in (one.only_recorded, one.early, one.early_same)),
                ]
                for name, one in found.items()
            ],
        ),
        bar(
            f"at least {SAME:.0%} of the exact ones agree, counted at the worse",
            not low,
            ", ".join(low),
        ),
    )


if __name__ == "__main__":
    given = options(__doc__).parse_args()
    show(sections(*chosen(given)), given.output)
