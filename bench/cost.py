"""How much slower is a recorded program? Ratios to the plain one, with memray beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tables import bar, section, show, table
from workloads import EMPTY, Cost, Workloads, chosen, options

ROUNDS = 3
DEFAULT_LIMITS = (1.6, 3.0)
BOTH_LIMITS = (2.2, 3.2)
WALL_LIMITS = (1.6, 2.5)
CLOSER_LAG = 0.2
START_SECONDS = 0.35
HEADS = ["program", "CPU, recorded", "CPU, memray", "CPU, both", "both, with the start"]
HEADS += ["wall, recorded", "wall, memray"]
NOTE = (
    "CPU: user and system time of the program's process alone; of both: of the recorder too. Wall: "
    "the whole command, until the recording is complete. What `-c pass` takes beyond a plain "
    "`-c pass` is subtracted (wall from both, CPU from all but the program's); the second column "
    "of both has it in. The least of {rounds} interleaved runs each; memray with Python's "
    "allocators traced, without compressing. Times are noisy, the more so when the machine does "
    "other work."
)


@dataclass(frozen=True, slots=True)
class Costs:
    """The least cost of a program in each way to run it."""

    plain: Cost
    recorded: Cost
    memray: Cost

    def less(self, start: Costs) -> Costs:
        """Less what an empty program takes more than a plain empty one: tools start only once."""
        more, memray = start.recorded, start.memray
        return Costs(
            self.plain,
            Cost(
                self.recorded.cpu,
                self.recorded.both - more.both + start.plain.both,
                self.recorded.wall - more.wall + start.plain.wall,
            ),
            Cost(
                self.memray.cpu - memray.cpu + start.plain.cpu,
                self.memray.both - memray.both + start.plain.both,
                self.memray.wall - memray.wall + start.plain.wall,
            ),
        )

    @property
    def recorded_cpu(self) -> float:
        return self.recorded.cpu / self.plain.cpu

    @property
    def memray_cpu(self) -> float:
        return self.memray.cpu / self.plain.cpu

    @property
    def both_cpu(self) -> float:
        return self.recorded.both / self.plain.both

    @property
    def recorded_wall(self) -> float:
        return self.recorded.wall / self.plain.wall

    @property
    def memray_wall(self) -> float:
        return self.memray.wall / self.plain.wall


def costs(workloads: Workloads, program: Sequence[str], rounds: int = ROUNDS) -> Costs:
    ways: list[Callable[[Sequence[str]], Cost]]
    ways = [workloads.cost_plain, workloads.cost_recorded, workloads.cost_memray]
    ways[0](program)  # warms the caches
    runs = [[way(program) for way in ways] for _ in range(rounds)]
    return Costs(
        *(
            Cost(*(min(getattr(one, what) for one in way) for what in ("cpu", "both", "wall")))
            for way in zip(*runs, strict=True)
        )
    )


def sections(
    workloads: Workloads,
    names: list[str],
    rounds: int = ROUNDS,
    limits: tuple[float, float] = DEFAULT_LIMITS,
) -> Iterator[str]:
    """`limits`: what the median of the CPU ratios, and each of them, may be."""
    start = costs(workloads, EMPTY, rounds)
    whole = {name: costs(workloads, [f"{name}.py"], rounds) for name in names}
    measured = {name: one.less(start) for name, one in whole.items()}
    cpu = [one.recorded_cpu for one in measured.values()]
    above = [name for name, one in measured.items() if one.recorded_cpu >= one.memray_cpu]
    ratios = {
        name: [
            one.recorded_cpu,
            one.memray_cpu,
            one.both_cpu,
            whole[name].both_cpu,
            one.recorded_wall,
            one.memray_wall,
        ]
        for name, one in measured.items()
    }
    medians = [median(column) for column in zip(*ratios.values(), strict=True)]
    closer = limits != DEFAULT_LIMITS
    yield section(
        f"Cost: recorded {workloads.how}, over plain",
        NOTE.format(rounds=rounds),
        table(
            HEADS,
            [[name, *map(_ratio, row)] for name, row in {**ratios, "median": medians}.items()],
        ),
        "\n".join(
            [
                *_at_most("CPU", cpu, limits),
                bar("CPU below memray's in each", not above, ", ".join(above)),
                *(_keeps_pace(measured) if closer else _beside(measured)),
                _started(start),
            ]
        ),
    )


def _at_most(what: str, ratios: Sequence[float], limits: tuple[float, float]) -> Iterator[str]:
    middle, most = limits
    yield bar(f"{what} at most {middle} (median)", median(ratios) <= middle, _ratio(median(ratios)))
    yield bar(f"{what} never above {most}", max(ratios) <= most, _ratio(max(ratios)))


def _beside(measured: Mapping[str, Costs]) -> Iterator[str]:
    """A recorder that has a core to itself, and one that shares the program's."""
    yield from _at_most("wall", [one.recorded_wall for one in measured.values()], WALL_LIMITS)
    yield from _at_most("CPU of both", [one.both_cpu for one in measured.values()], BOTH_LIMITS)


def _started(start: Costs) -> str:
    """The one figure in seconds: what anyone waits for who records the smallest program."""
    took = start.recorded
    return bar(
        f"`record -c pass` takes at most {START_SECONDS} s",
        took.wall <= START_SECONDS,
        f"{took.wall:.2f} s, {took.both:.2f} s of CPU; a plain `-c pass` {start.plain.wall:.2f} s",
    )


def _keeps_pace(measured: Mapping[str, Costs]) -> Iterator[str]:
    behind = [
        name for name, one in measured.items() if one.recorded_wall > one.recorded_cpu + CLOSER_LAG
    ]
    yield bar(f"wall at most the CPU's ratio and {CLOSER_LAG}", not behind, ", ".join(behind))


def _ratio(value: float) -> str:
    return f"{value:.2f}"


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    show(sections(*chosen(given), given.rounds), given.output)
