"""Does a replay under the recorded settings do what the interpreter did in that very run?"""

from __future__ import annotations

from collections.abc import Iterator

from tables import bar, section, show, table
from workloads import Workloads, chosen, options

from gcreplay.replay import VerifyResult, verify
from gcreplay.store import EventLog

EQUAL = ["position equal", "generation equal", "collected equal"]


def verified(workloads: Workloads, name: str, setting: str) -> VerifyResult:
    path, _ = workloads.recording(name, setting)
    with EventLog.open(path) as log:
        return verify(log)


def sections(workloads: Workloads, names: list[str], setting: str = "default") -> Iterator[str]:
    results = {name: verified(workloads, name, setting) for name in names}
    yield section(
        f"Verify: each collection of the recorded run against the replayed one (run at {setting})",
        "The whole run, start and end of the interpreter too. In order, never resynchronised.",
        table(
            ["program", "recorded", "replayed", *EQUAL, "", "repairs"],
            [[name, *_row(result)] for name, result in results.items()],
        ),
        _bars(results),
    )


def _row(result: VerifyResult) -> list[object]:
    repairs = ", ".join(f"{kind} {n}" for kind, n in result.repairs.items() if n)
    return [
        result.recorded,
        result.replayed,
        result.position_equal,
        result.generation_equal,
        result.collected_equal,
        f"{share(result):.2%}",
        repairs or "none",
    ]


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
