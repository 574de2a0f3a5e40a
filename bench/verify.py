"""Does a replay under the recorded settings do what the interpreter did in that very run? And
how much of that is owed to repairs?"""

from __future__ import annotations

from collections.abc import Iterator

from tables import bar, section, show, table
from workloads import Workloads, chosen, options

from gcreplay.replay import VerifyResult, verify
from gcreplay.store import EventLog
from gcreplay.store.events import REPAIR_LABELS
from gcreplay.store.rules.unrepaired import unrepaired

EQUAL = ["position equal", "generation equal", "collected equal"]
WITHOUT = ["program", "left out", "events less"]
ALL = ["all objects collected, recorded", "replayed"]


def sections(workloads: Workloads, names: list[str], setting: str = "default") -> Iterator[str]:
    results: dict[str, VerifyResult] = {}
    without: list[list[object]] = []
    for name in names:
        path, _ = workloads.recording(name, setting)
        with EventLog.open(path) as log:
            results[name] = verify(log)
            without.append([name, "nothing", 0, *_without(results[name])])
            without += ([name, *row] for row in _without_repairs(log))
    yield section(
        f"Verify: each collection of the recorded run against the replayed one (run at {setting})",
        "The whole run, start and end of the interpreter too. In order, never resynchronised.",
        table(
            ["program", "recorded", "replayed", *EQUAL, "", "repairs"],
            [[name, *_row(result)] for name, result in results.items()],
        ),
        _bars(results),
    )
    yield section(
        f"What repairs hide: the same without them (run at {setting}, recorded {workloads.how})",
        "Left out is what the recording did not see but concluded from deaths, of all kinds and of "
        "each alone, with all that can no longer happen then. Never resynchronised: one death "
        "less, and the next collection comes earlier.",
        table([*WITHOUT, "recorded", "replayed", *EQUAL, *ALL], without),
    )


def _without_repairs(log: EventLog) -> Iterator[list[object]]:
    kinds = tuple(REPAIR_LABELS)
    for left_out, some in (("all repairs", kinds), *((kind, [kind]) for kind in kinds)):
        with unrepaired(log, some) as rest:
            less = log.event_count - rest.event_count
            yield [left_out, less, *_without(verify(rest))]


def _figures(result: VerifyResult) -> list[object]:
    return [
        result.recorded,
        result.replayed,
        result.position_equal,
        result.generation_equal,
        result.collected_equal,
    ]


def _without(result: VerifyResult) -> list[object]:
    return [*_figures(result), result.collected_recorded, result.collected_replayed]


def _row(result: VerifyResult) -> list[object]:
    repairs = ", ".join(f"{kind} {n}" for kind, n in result.repairs.items() if n)
    return [*_figures(result), f"{share(result):.2%}", repairs or "none"]


def share(result: VerifyResult) -> float:
    return result.collected_equal / max(result.recorded, result.replayed, 1)


def _bars(results: dict[str, VerifyResult]) -> str:
    off = [
        name
        for name, r in results.items()
        if not r.recorded == r.replayed == r.position_equal == r.generation_equal
    ]
    equal = sum(r.collected_equal for r in results.values())
    overall = equal / max(1, sum(max(r.recorded, r.replayed) for r in results.values()))
    lowest = min(results, key=lambda name: share(results[name]))
    return "\n".join(
        [
            bar("position and generation of all collections equal", not off, ", ".join(off)),
            bar("collected equal for at least 99 % of all", overall >= 0.99, f"{overall:.2%}"),
            bar(
                "and for at least 96 % in each program",
                share(results[lowest]) >= 0.96,
                f"{lowest} {share(results[lowest]):.2%}",
            ),
        ]
    )


if __name__ == "__main__":
    given = options(__doc__).parse_args()
    show(sections(*chosen(given)), given.output)
