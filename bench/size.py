"""How large is a recording?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from tables import bar, section, show, table
from workloads import Workloads, chosen, options

from gcreplay.store import EventLog


@dataclass(frozen=True, slots=True)
class Size:
    size: int
    events: int
    objects: int

    @property
    def an_event(self) -> float:
        return self.size / self.events

    @property
    def an_object(self) -> float:
        return self.size / self.objects


def size(workloads: Workloads, name: str) -> Size:
    path, _ = workloads.recording(name)
    with EventLog.open(path) as log:
        return Size(path.stat().st_size, log.event_count, log.object_count)


def sections(workloads: Workloads, names: list[str]) -> Iterator[str]:
    sizes = {name: size(workloads, name) for name in names}
    event = median(one.an_event for one in sizes.values())
    each = median(one.an_object for one in sizes.values())
    yield section(
        "Size of a recording",
        table(
            ["program", "MB", "events", "objects", "bytes an event", "bytes an object"],
            [
                [
                    name,
                    f"{one.size / 1e6:.1f}",
                    f"{one.events:,}",
                    f"{one.objects:,}",
                    f"{one.an_event:.2f}",
                    f"{one.an_object:.2f}",
                ]
                for name, one in sizes.items()
            ],
        ),
        bar("at most 3 bytes an event (median)", event <= 3, f"{event:.2f}")
        + "\n"
        + bar("at most 10 bytes an allocated object (median)", each <= 10, f"{each:.2f}"),
    )


if __name__ == "__main__":
    given = options(__doc__).parse_args()
    show(sections(*chosen(given)), given.output)
