"""The native engine equals the plain-Python specification, event by event."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from reference import killed_inside, reference
from strategies import valid_logs

from gcreplay.replay import Policy
from gcreplay.replay.policies.cpython314t import CPython314t
from gcreplay.replay.policies.nimorc import NimORC
from gcreplay.replay.policies.pep848 import Pep848
from gcreplay.replay.policies.php import PHP
from gcreplay.replay.run import Replay, replay
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.events import Events, Op
from gcreplay.store.log import EventLog

CI = os.environ.get("CI") == "true"
LOGS = int(os.environ.get("GCREPLAY_LOGS") or (1200 if CI else 100))
"""How many; GCREPLAY_LOGS and --hypothesis-seed hunt for more."""
PARTS = 4
"""Several processes share them."""
EACH = 12
"""Under so many policies each is played; under all where GCREPLAY_LOGS is set."""


class InSmallBatches(CPython314t):
    counts_in = 3


class SmallPHP(PHP):
    default, step, few = 3, 2, 2


class SmallNimORC(NimORC):
    least = 2


class SmallPep848(Pep848):
    kb, credit = 50, 2


MADE: dict[str, Callable[[], Policy]] = {
    "small PHP": SmallPHP,
    "small Nim ORC": SmallNimORC,
    "small PEP 848": lambda: SmallPep848((1, 1, 0)),
    "small PEP 848 of two spaces": lambda: SmallPep848((2, 3, 0)),
    "small PEP 848 as set": SmallPep848,
    "in batches of 3": lambda: InSmallBatches((2, 1, 0)),
    "in batches of 3, T1 = 0": lambda: InSmallBatches((2, 0, 0)),
}
"""Policies that no name makes: small enough for small logs."""
POLICIES: dict[str, dict[str, Any]] = {
    "in batches of 3": {"rules": "cpython-3.14t", "thresholds": (2, 1, 0), "buffer": 3},
    "in batches of 3, T1 = 0": {"rules": "cpython-3.14t", "thresholds": (2, 0, 0), "buffer": 3},
    "small PHP": {"rules": "php", "room": 2, "step": 2, "few": 2},
    "small Nim ORC": {"rules": "nim-orc", "room": 1},
    "small PEP 848": {"rules": "pep848", "thresholds": (1, 1, 0), "kb": 50, "credit": 2},
    "small PEP 848 of two spaces": {
        "rules": "pep848",
        "thresholds": (2, 3, 0),
        "kb": 50,
        "credit": 2,
    },
    "small PEP 848 as set": {"rules": "pep848", "kb": 50, "credit": 2},
    "never": {"rules": "never"},
    "manual": {"rules": "cpython-3.11", "thresholds": (0, 10, 10)},
    "generational:3,2,1": {"rules": "generational", "thresholds": (3, 2, 1)},
    "generational:1,0,0": {"rules": "generational", "thresholds": (1, 0, 0)},
    "generational": {"rules": "generational"},
    "cpython-3.11": {"rules": "cpython-3.11"},
    "cpython-3.11:2,1,1": {"rules": "cpython-3.11", "thresholds": (2, 1, 1)},
    "cpython-3.11:-1,2,1": {"rules": "cpython-3.11", "thresholds": (-1, 2, 1)},
    "cpython-3.12": {"rules": "cpython-3.12"},
    "cpython-3.12:2,1,1": {"rules": "cpython-3.12", "thresholds": (2, 1, 1)},
    "cpython-3.13:3,1,0": {"rules": "cpython-3.13", "thresholds": (3, 1, 0)},
    "cpython-3.14.5:2,1,1": {"rules": "cpython-3.14.5", "thresholds": (2, 1, 1)},
    "cpython-3.15:1,0,0": {"rules": "cpython-3.15", "thresholds": (1, 0, 0)},
    "freeze@m1+every:m0+cpython-3.13:2,1,1": {
        "rules": "cpython-3.13",
        "thresholds": (2, 1, 1),
        "at_marks": [("freeze", "m1", 1), ("collect", "m0", 1)],
    },
    "mark-sweep": {"rules": "mark-sweep"},
    "mark-sweep:30": {"rules": "mark-sweep", "pause": 130},
    "cpython-3.14.0:2,1,0": {"rules": "cpython-3.14.0", "thresholds": (2, 1, 0)},
    "cpython-3.14.2:1,1,0": {"rules": "cpython-3.14.2", "thresholds": (1, 1, 0)},
    "cpython-3.14.2:2,3,0": {"rules": "cpython-3.14.2", "thresholds": (2, 3, 0)},
    "at:m0=1,1,1+at:m2=5,1,0+cpython-3.11:2,1,1": {
        "rules": "cpython-3.11",
        "thresholds": (2, 1, 1),
        "at_marks": [("set", "m0", (1, 1, 1)), ("set", "m2", (5, 1, 0))],
    },
    "disabled-until:m1+cpython-3.13:2,1,1": {
        "rules": "cpython-3.13",
        "thresholds": (2, 1, 1),
        "at_marks": [("enable", "m1", None)],
    },
    "disabled-until:m0+disabled-until:m1+every:m0": {
        "rules": "cpython-3.11",
        "at_marks": [("enable", "m0", None), ("enable", "m1", None), ("collect", "m0", 1)],
    },
    "min-interval:1+generational:1,0,0": {
        "rules": "generational",
        "thresholds": (1, 0, 0),
        "min_interval": 10**9,
    },
    "min-interval:0.001+cpython-3.12:1,0,0": {
        "rules": "cpython-3.12",
        "thresholds": (1, 0, 0),
        "min_interval": 10**6,
    },
    "every:m2": {"rules": "cpython-3.11", "at_marks": [("collect", "m2", 1)]},
    "manual+every:m1": {
        "rules": "cpython-3.11",
        "thresholds": (0, 10, 10),
        "at_marks": [("collect", "m1", 1)],
    },
    "freeze@m0+cpython-3.11:2,1,1": {
        "rules": "cpython-3.11",
        "thresholds": (2, 1, 1),
        "at_marks": [("freeze", "m0", 1)],
    },
    "every:m0,2+generational:3,2,1+freeze@m0": {
        "rules": "generational",
        "thresholds": (3, 2, 1),
        "at_marks": [("collect", "m0", 2), ("freeze", "m0", 1)],
    },
}


class Kept(EventLog):
    """A log that is decoded once: each replay reads it some ten times."""

    decoded: list[Events]
    facts: dict[str, object]

    @property
    def meta(self) -> dict[str, object]:
        return self.facts

    def segments(self, start: int = 0, stop: int | None = None) -> Iterator[Events]:
        for events in self.decoded:
            first, length = events.first_sequence, len(events)
            low = max(start - first, 0)
            high = length if stop is None else min(stop - first, length)
            if low < high:
                yield events.part(low, high)


def kept(log: EventLog) -> EventLog:
    """The log, which nobody writes any more."""
    decoded, facts = list(log.segments()), log.meta
    log.__class__ = Kept
    assert isinstance(log, Kept)
    log.decoded, log.facts = decoded, facts
    return log


def made(policy: str) -> str | Policy:
    return MADE[policy]() if policy in MADE else policy


def as_recorded(log: EventLog, policy: str) -> bool:
    """Whether it runs under the settings the log was recorded under."""
    fixed = POLICIES[policy].get("thresholds")
    recorded = fixed is None or (log.start is not None and fixed == log.start.threshold)
    recorded = recorded and "disabled-until" not in policy and "min-interval" not in policy
    return recorded and POLICIES[policy]["rules"] == "cpython-3.11"


def compare(log: EventLog, policy: str, killed: set[int]) -> None:
    """Play both engines side by side and compare all that can be seen after each event."""
    native = Replay(log, made(policy))
    native.begin()
    plain = reference(
        log,
        **POLICIES[policy],
        modelled=not as_recorded(log, policy),
        name=policy,
        killed=killed,
    )
    events = log.events()
    for i in range(len(events)):
        one = events.part(i, i + 1)
        native.apply(one)
        plain.apply(one)
        if plain.at_marks and one.op[0] == Op.MARK:
            continue  # the native engine acts right before the next event
        heap = native.engine.snapshot()
        figures = native.engine.figures()
        if policy == "never":
            heap = {id: (count, 4, links) for id, (count, _, links) in heap.items()}
            expected = {id: (n, 4, links) for id, (n, _, links) in plain.snapshot().items()}
            assert heap == expected
        else:
            assert heap == plain.snapshot()
            for generation in {*range(4), *native.engine.spaces}:
                assert native.engine.order(generation) == list(plain.lists[generation])
            if plain.started:
                assert native.engine.young == plain.young
        assert figures["peak_objects"] == plain.peak_objects
        assert figures["peak_bytes"] == plain.peak_bytes
        assert figures["freed_by_refcount"] == plain.freed_by_refcount
        assert figures["freed_by_collector"] == plain.freed_by_collector
        assert figures["revived"] == plain.revived
        assert figures["unmoved"] == plain.unmoved
        assert figures["lapsed"] == plain.lapsed
        assert figures["regions_run"] == plain.regions_run
        assert figures["misled"] == plain.misled
    result = native.result()
    assert replay(log, made(policy)) == result  # whole segments at a time
    assert [asdict(collection) for collection in result.collections] == [
        asdict(made) for made in plain.made
    ]
    assert result.displaced == plain.displaced


def some_policies() -> st.SearchStrategy[list[str]]:
    if "GCREPLAY_LOGS" in os.environ:
        return st.just(list(POLICIES))
    return st.lists(st.sampled_from(list(POLICIES)), min_size=EACH, max_size=EACH, unique=True)


@settings(max_examples=LOGS // PARTS, deadline=None, suppress_health_check=list(HealthCheck))
@given(log=valid_logs(), policies=some_policies())
def engines_are_equal(log: EventLog, policies: list[str]) -> None:
    with kept(log):
        labels = {label for _, label in log.marks()}
        killed = killed_inside(log)
        for policy in policies:
            rules = POLICIES[policy]
            lacks_ticks = "min_interval" in rules and not log.op_counts[Op.TICK]
            if {mark for _, mark, _ in rules.get("at_marks", [])} <= labels and not lacks_ticks:
                compare(log, policy, killed)


@pytest.mark.parametrize("part", range(PARTS))
def test_native_engine_equals_the_specification(part: int) -> None:
    """Where examples are repeated, those of the parts differ."""
    (seed(part)(engines_are_equal) if CI else engines_are_equal)()


LABELS = ("m0", "m1", "m2")


def marked_log(steps: list[str]) -> EventLog:
    """A program that makes a cycle or a node that stays, calls the collector or passes a mark."""
    b = TraceBuilder()
    b.start(threshold=(3, 2, 1))
    for step in steps:
        if step in LABELS:
            b.mark(step)
        elif step == "collect":
            b.gc_call("collect", 2)
        else:
            node = b.alloc("Node", module="demo")
            if step == "cycle":
                b.link(node, node)
                b.decref(node)
    return b.build()


PARTS_OF_A_RUN = st.tuples(
    st.sampled_from([name for name, rules in POLICIES.items() if "at_marks" in rules]),
    st.sampled_from((None, *LABELS)),
    st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)),
)
"""A policy, the mark where it begins, and a window."""


@settings(max_examples=LOGS, deadline=None)
@given(
    steps=st.lists(st.sampled_from((*LABELS, *LABELS, "cycle", "node", "collect")), max_size=20),
    runs=st.lists(PARTS_OF_A_RUN, min_size=3, max_size=3),
)
def test_actions_and_bounds_at_marks_fall_in_the_same_order(
    steps: list[str], runs: list[tuple[str, str | None, tuple[str, str]]]
) -> None:
    """A policy begins at a mark, a window begins or ends there, freezing or collecting follows."""
    with kept(marked_log([*steps, *LABELS, *LABELS])) as log:
        for policy, apply_from, window in runs:
            native = replay(log, policy, apply_from=apply_from, window=window)
            plain = reference(
                log,
                **POLICIES[policy],
                modelled=not as_recorded(log, policy),
                name=policy,
                apply_from=apply_from,
                window=window,
            )
            plain.apply(log.events())
            assert [asdict(one) for one in native.collections] == [
                asdict(one) for one in plain.made
            ]
