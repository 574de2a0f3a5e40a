"""The figures of a replay, by name: what tables show and `--fail-if` limits.

They are read from the documented JSON of a run, so a run just made and a stored one are alike.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

RunJson: TypeAlias = Mapping[str, Any]

FIGURES: Final[Mapping[str, Callable[[RunJson], int]]] = {
    "collections": lambda run: sum(run["collections_by_generation"]),
    "collected": lambda run: int(run["collected"]),
    "freed_by_refcount": lambda run: int(run["freed_by_refcount"]),
    "uncollectable": lambda run: int(run["uncollectable"]),
    "revived": lambda run: int(run["revived"]),
    "displaced": lambda run: int(run["displaced"]),
    "peak_objects": lambda run: int(run["peak_objects"]),
    "peak_bytes": lambda run: int(run["peak_bytes"]),
    "peak_floating_objects": lambda run: int(run["peak_floating_objects"]),
    "peak_floating_bytes": lambda run: int(run["peak_floating_bytes"]),
    "visited": lambda run: int(run["work"]["visited"]),
    "links": lambda run: int(run["work"]["links"]),
}


def figures(run: RunJson) -> dict[str, int]:
    """All figures of a run, in the order in which tables show them."""
    return {name: read(run) for name, read in FIGURES.items()}


def by_generation(counts: list[int]) -> str:
    """Counts per generation as one cell: [90, 8, 1] -> 90/8/1."""
    return "/".join(f"{count:,}" for count in counts)
