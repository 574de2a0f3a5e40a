"""All benches: accuracy and cost on real programs, and the speed of the engine.

`make bench` writes `bench/results/VERSION.md`, section by section; a part that fails is noted and
the others go on. Each runs alone as well, on some programs: `python bench/whatif.py w03
--settings 5000,10,10`, with `--reuse` on the recordings of the last time. All of it takes about
half an hour; how long each part took is said on standard error.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import budget
import cost
import instructions
import memory
import names as names_of
import observer
import pauses
import scale
import sites
import size
import unseen
import verify
import whatif
from tables import section, show
from workloads import BENCH, Workloads, chosen, options

Part = Callable[[], Iterator[str]]


def parts(workloads: Workloads, names: list[str]) -> dict[str, Part]:
    """By name, in the order of the tables."""
    closer = workloads.closer()
    return {
        "cost": lambda: cost.sections(workloads, names),
        "cost, closer": lambda: cost.sections(closer, names, limits=(3, 5)),
        "instructions": lambda: instructions.sections(workloads, names),
        "budget": lambda: budget.sections(workloads, budget.some_of(names)),
        "scale": lambda: scale.sections(workloads),
        "verify": lambda: verify.sections(workloads, names),
        "verify, 100,10,10": lambda: verify.sections(workloads, names, whatif.CLOSE),
        "observer": lambda: observer.sections(workloads, names),
        "observer, closer": lambda: observer.sections(closer, names),
        "sites": lambda: sites.sections(workloads, names),
        "size": lambda: size.sections(workloads, names),
        "names": lambda: names_of.sections(workloads, names),
        "engine": lambda: script("Engine", "engine.py"),
        "sweep": lambda: script("Sweep", "sweep.py"),
        "modes": lambda: script("Modes of the replay side", "modes.py"),
        "what-if": lambda: whatif.sections(workloads, names),
        "what-if, closer": lambda: whatif.sections(closer, names),
        "what-if, back": lambda: whatif.back_sections(workloads, names),
        "cuts": lambda: script("Cutting references", "cuts.py"),
        "pauses": lambda: pauses.sections(workloads, names),
        "unseen": lambda: unseen.sections([]),
        "memory": memory.sections,
    }


def script(title: str, name: str) -> Iterator[str]:
    """A bench in a process of its own, and what it prints."""
    command = [sys.executable, str(BENCH / name)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    yield section(title, f"```\n{done.stdout.strip()}\n```")


def outlived(name: str, part: Part, failed: list[str]) -> Iterator[str]:
    """The sections of a part, or where it failed a section that says so."""
    began = time.monotonic()
    try:
        yield from part()
    except (Exception, SystemExit) as error:
        failed.append(name)
        told = getattr(error, "stderr", None) or str(error)
        yield section(f"Failed: {name}", f"```\n{type(error).__name__}: {told[-2000:]}\n```")
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def sections(workloads: Workloads, names: list[str], failed: list[str]) -> Iterator[str]:
    yield (
        f"# Figures under CPython {workloads.version}\n\nMade by one run of `make bench`. Counts "
        "do not depend on the machine or its load; of times only ratios are shown."
    )
    for name, part in parts(workloads, names).items():
        yield from outlived(name, part, failed)


if __name__ == "__main__":
    given = options(__doc__).parse_args()
    workloads, names = chosen(given)
    failed: list[str] = []
    whole = BENCH / "results" / f"{workloads.version}.md"
    output = given.output or (None if given.programs else whole)
    show(sections(workloads, names, failed), output)
    if failed:
        raise SystemExit(f"failed: {'; '.join(failed)}")
