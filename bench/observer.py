"""Does recording change what the collector does in the program?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tables import bar, section, show, signed, slashed, table
from workloads import OTHERS, Figures, Workloads, chosen, options

NOTE = (
    "Inside the program's window, told by the program itself. Differences: recorded minus plain "
    "(the same machine, interpreter and environment), and recorded minus truth (another "
    "environment). Noise of plain runs: importing anything more before the window moves up to "
    "0.9 % of a generation's collected objects to another one; w06 depends on addresses and now "
    "and then moves about 11 objects; counts do not depend on load."
)


@dataclass(frozen=True, slots=True)
class Observed:
    """A program's own figures in a plain and in a recorded run, and the truth, if known."""

    plain: Figures
    recorded: Figures
    truth: Figures | None


def observed(workloads: Workloads, name: str) -> Observed:
    plain = workloads.plain(name)
    _, recorded = workloads.recording(name)
    return Observed(plain, recorded, workloads.truth(name))


def sections(workloads: Workloads, names: list[str]) -> Iterator[str]:
    effects = {name: observed(workloads, name) for name in names}
    unequal = [n for n, e in effects.items() if e.recorded.collections != e.plain.collections]
    untrue = [
        n for n, e in effects.items() if e.truth and e.recorded.collections != e.truth.collections
    ]
    yield section(
        f"Observer effect: the run recorded {workloads.how} against an unrecorded one",
        NOTE,
        table(
            ["program", *_heads("collections"), *_heads("collected")],
            [[name, *_row(effect)] for name, effect in effects.items()],
        ),
        bar("collections per generation as in a plain run", not unequal, ", ".join(unequal))
        + "\n"
        + bar("and as in the truth", not untrue, ", ".join(untrue)),
    )

    yield from _elsewhere(workloads, names)


def _elsewhere(workloads: Workloads, names: list[str]) -> Iterator[str]:
    """The same where more runs at start-up: against a plain run in the same environment."""
    places = {place: workloads.inside(place) for place in OTHERS}
    effects = {name: [observed(place, name) for place in places.values()] for name in names}
    moved = [name for name, seen in effects.items() if any(e.recorded != e.plain for e in seen)]
    keys = ("collections", "collected")
    yield section(
        "Observer effect in other environments",
        "In the program's window, recorded minus plain in the same environment, by generation. "
        "w06 as above.",
        table(
            ["program", *(f"{key}, {place}" for place in places for key in keys)],
            [
                [
                    name,
                    *(
                        _change(getattr(effect.recorded, key), getattr(effect.plain, key))
                        for effect in seen
                        for key in keys
                    ),
                ]
                for name, seen in effects.items()
            ],
        ),
        bar("the same collections and collected objects", not moved, ", ".join(moved)),
    )


def _heads(what: str) -> list[str]:
    return [f"{what}, plain", "recorded", "- plain", "- truth"]


def _row(effect: Observed) -> list[str]:
    row = []
    for key in ("collections", "collected"):
        plain, recorded = getattr(effect.plain, key), getattr(effect.recorded, key)
        truth = getattr(effect.truth, key, None)
        row += [slashed(plain), slashed(recorded)]
        row += [_change(recorded, plain), _change(recorded, truth)]
    return row


def _change(values: tuple[int, ...], base: tuple[int, ...] | None) -> str:
    if base is None:
        return "unknown"
    return "same" if values == base else signed(a - b for a, b in zip(values, base, strict=True))


if __name__ == "__main__":
    given = options(__doc__).parse_args()
    show(sections(*chosen(given)), given.output)
