"""The entry point of the pytest plug-in: its option, markers, ini names and fixtures.

It imports nothing more unless `--gcreplay` is given. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gcreplay.blocks import block

INSIDE = "GCREPLAY_PYTEST"
"""Is set in the process that is recorded: where it writes its reports, nothing where another
plug-in passes them on."""

LIMITS = {
    "limit_cyclic_garbage": "objects of cyclic garbage that it makes",
    "limit_gc_objects": "objects that the garbage collector visits because of it",
    "limit_leaked_objects": "objects that it makes and that are alive after it",
}
"""Markers, and what each limits of a test."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gcreplay", "cyclic garbage and leaks of each test")
    group.addoption(
        "--gcreplay",
        action="store_true",
        help="Record the tests, and count the cyclic garbage, GC work and leaks of each.",
    )
    group.addoption(
        "--gcreplay-fail-on-increase",
        action="store_true",
        help="Fail a test that makes more cyclic garbage or leaks more than in the last run.",
    )
    group.addoption(
        "--gcreplay-keep",
        metavar="FOLDER",
        help="Keep the recordings there, for `gcreplay cycles` and the others.",
    )
    for name, what in LIMITS.items():
        parser.addini(f"gcreplay_{name}", f"for a test without a marker of its own: {what}")


def pytest_configure(config: pytest.Config) -> None:
    for name, what in LIMITS.items():
        config.addinivalue_line(
            "markers", f"{name}(n, *, filter_fn=None): with --gcreplay, at most n {what}."
        )
    if not config.getoption("gcreplay"):
        config.pluginmanager.register(Unasked(), "gcreplay-unasked")
        return
    reports = os.environ.pop(INSIDE, None)
    if reports is not None:
        from .inside import Inside

        config.pluginmanager.register(Inside(config, reports), "gcreplay-inside")
    elif not hasattr(config, "workerinput"):
        from .outside import Loop, Outside

        outside = Outside(config)
        config.pluginmanager.register(outside, "gcreplay-outside")
        config.pluginmanager.register(Loop(outside), "gcreplay-loop")


@pytest.fixture
def gc_garbage() -> Callable[..., block]:
    """`with gc_garbage("name", limit_cyclic_garbage=0):` holds a block to limits of its own."""
    from gcreplay.blocks import block

    return block


@pytest.fixture
def gc_leaks() -> Callable[..., None]:
    """`gc_leaks(function, times=30)` fails the test when what the function leaves alive grows in
    both of two windows, after a warm-up."""
    from .repeated import leaks_of

    return leaks_of


class Unasked:
    """Where nobody asked: a marker that then does nothing is told once."""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        worker = getattr(session.config, "workerinput", {"workerid": "gw0"})["workerid"]
        if worker != "gw0":
            return
        used = [
            name
            for name in LIMITS
            if any(item.get_closest_marker(name) for item in session.items)
            or (session.items and session.config.getini(f"gcreplay_{name}"))
        ]
        if used:
            warnings.warn(
                pytest.PytestWarning(f"limits only hold with --gcreplay: {', '.join(used)}"),
                stacklevel=1,
            )
