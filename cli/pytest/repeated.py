"""The fixture `gc_leaks`: what a function leaves alive in each of two windows of calls.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable

from gcreplay.blocks import mark

LEAKS, MIDDLE, LEAKS_END = "leaks of ", "second window of ", "end of leaks of "


def leaks_of(
    function: Callable[[], object], *, times: int = 30, warm_up: int = 10, allowed: int = 0
) -> None:
    """Call the function `warm_up` times, then two windows of `times` times each.

    The test fails under `--gcreplay` when more than `allowed` objects of kinds (type and line) of
    which both windows leave some are left by one of them; a cache that is full does not grow.
    """
    name = f"{getattr(function, '__qualname__', type(function).__qualname__)}"
    for _ in range(warm_up):
        function()
    mark(f"{LEAKS}{name} (allowed={allowed:d})")
    for _ in range(times):
        function()
    mark(f"{MIDDLE}{name}")
    for _ in range(times):
        function()
    mark(f"{LEAKS_END}{name}")
