"""How much slower is a recorded program? Ratios to the plain one, with memray beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tables import bar, section, show, table
from workloads import EMPTY, Cost, Workloads, chosen, options

ROUNDS = 3
DEFAULT_LIMITS = (1.6, 3.0)
NOTE = (
    "CPU: user and system time of the program's process alone. Wall: the whole command, until the "
    "recording is complete. What `-c pass` takes beyond a plain `-c pass` is subtracted: wall "
    "from both, CPU only from memray. The least of {rounds} interleaved runs each; "
    "memray with Python's allocators traced, without compressing. Times are noisy, the more so "
    "when the machine does other work."
)


@dataclass(frozen=True, slots=True)
class Costs:
    """The least cost of a program in each way to run it."""

    plain: Cost
    recorded: Cost
    memray: Cost

    def less(self, start: Costs) -> Costs:
        """Less what an empty program takes more than a plain empty one: tools start only once."""
        return Costs(
            self.plain,
            Cost(self.recorded.cpu, self.recorded.wall - start.recorded.wall + start.plain.wall),
            Cost(
                self.memray.cpu - start.memray.cpu + start.plain.cpu,
                self.memray.wall - start.memray.wall + start.plain.wall,
            ),
        )

    @property
    def recorded_cpu(self) -> float:
        return self.recorded.cpu / self.plain.cpu

    @property
    def memray_cpu(self) -> float:
        return self.memray.cpu / self.plain.cpu

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
            Cost(min(one.cpu for one in way), min(one.wall for one in way))
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
    measured = {name: costs(workloads, [f"{name}.py"], rounds).less(start) for name in names}
    cpu = [one.recorded_cpu for one in measured.values()]
    wall = [one.recorded_wall for one in measured.values()]
    above = [name for name, one in measured.items() if one.recorded_cpu >= one.memray_cpu]
    ratios = {
        name: [one.recorded_cpu, one.memray_cpu, one.recorded_wall, one.memray_wall]
        for name, one in measured.items()
    }
    medians = [median(column) for column in zip(*ratios.values(), strict=True)]
    walls = [
        bar("wall at most 3 (median)", median(wall) <= 3, _ratio(median(wall))),
        bar("wall never above 4", max(wall) <= 4, _ratio(max(wall))),
    ]
    if limits != DEFAULT_LIMITS:
        walls = []  # there is no bar for closer recordings
    yield section(
        f"Cost: recorded {workloads.how}, over plain",
        NOTE.format(rounds=rounds),
        table(
            ["program", "CPU, recorded", "CPU, memray", "wall, recorded", "wall, memray"],
            [[name, *map(_ratio, row)] for name, row in {**ratios, "median": medians}.items()],
        ),
        "\n".join(
            [
                bar(
                    f"CPU at most {limits[0]} (median)",
                    median(cpu) <= limits[0],
                    _ratio(median(cpu)),
                ),
                bar(f"CPU never above {limits[1]}", max(cpu) <= limits[1], _ratio(max(cpu))),
                bar("CPU below memray's in each", not above, ", ".join(above)),
                *walls,
            ]
        ),
    )


def _ratio(value: float) -> str:
    return f"{value:.2f}"


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    show(sections(*chosen(given), given.rounds), given.output)
