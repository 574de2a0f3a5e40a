"""All benches: accuracy and cost on real programs, and the speed of the engine.

Each runs alone as well, on some programs: `python bench/whatif.py w03 --settings 5000,10,10`,
with `--reuse` on the recordings of the last time. `--output bench/results/VERSION.md` keeps the
tables. All of it takes about half an hour.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import cost
import observer
import pauses
import size
import verify
import whatif
from tables import section, show
from workloads import BENCH, Workloads, chosen, options


def sections(workloads: Workloads, names: list[str]) -> Iterator[str]:
    yield (
        f"# Figures under CPython {workloads.version}\n\nMade by `make bench`. Counts do not "
        "depend on the machine or its load; of times only ratios are shown."
    )
    closer = workloads.closer()
    yield from cost.sections(workloads, names)
    yield from cost.sections(closer, names, limits=(3, 5))
    yield from verify.sections(workloads, names)
    yield from verify.sections(workloads, names, whatif.CLOSE)
    yield from observer.sections(workloads, names)
    yield from observer.sections(closer, names)
    yield from size.sections(workloads, names)
    yield engine()
    yield from whatif.sections(workloads, names)
    yield from whatif.sections(closer, names)
    yield from whatif.back_sections(workloads, names)
    yield from pauses.sections(workloads, names)


def engine() -> str:
    script = str(BENCH / "engine.py")
    done = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True)
    return section("Engine", f"```\n{done.stdout.strip()}\n```")


if __name__ == "__main__":
    given = options(__doc__).parse_args()
    show(sections(*chosen(given)), given.output)
