"""Hypothesis strategies: valid logs, which come with the package, and broken JSON Lines."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from gcreplay.replay.testing.logs import valid_builders, valid_logs

__all__ = ["LINES", "ODD_VALUES", "odd_json", "valid_builders", "valid_logs"]

LARGE = (2**31, 2**32, 2**48, 2**63, 2**64, 10**23, 10**60)
"""Where numbers leave what some type holds."""
NUMBERS = (
    st.sampled_from([n + d for n in (0, *LARGE) for d in (-1, 0, 1)] + [-n for n in LARGE])
    | st.integers()
)
ODD_VALUES = st.recursive(
    NUMBERS
    | st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["\ud800", "x\udfff", "\0", "\x1b]0;", "list", "collect", "call", "1_0", "\u0663"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from(["list", "self", "op"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
"""Values of JSON, as Python has them: NaN, halves of surrogate pairs and huge numbers too."""
LINES: tuple[dict[str, object], ...] = (
    {
        "gcreplay": 1,
        "meta": {
            "argv": ["a"],
            "python": "3",
            "repairs": {"hold": 1},
            "exit_code": 0,
            "complete": True,
            "granularity": 1,
            "counts": "exact",
            "pauses": {"per_link": 1.5},
            "spool": None,
        },
        "names": {
            "types": [["m", "T", "other", 0]],
            "sites": [["", 0, ""], ["f", 1, "g"]],
            "labels": [[""], ["(opaque)"]],
            "shapes": [[0, 16, 3]],
            "arguments": [["[2]"]],
        },
        "observed": [
            {
                "sequence": 1,
                "allocation": 1,
                "cause": "call",
                "generation": 2,
                "candidates": 1,
                "collected": 0,
                "uncollectable": 0,
                "long_lived_total": 1,
                "long_lived_pending": 0,
                "duration_ns": 5,
            }
        ],
        "lines": [["f", 1, "x = []"]],
    },
    {
        "op": "alloc",
        "object": 0,
        "type": "list",
        "module": "m",
        "kind": "list",
        "finalizer": 0,
        "size": 56,
        "flags": ["gc"],
        "site": {"file": "f", "line": 1, "function": "g"},
    },
    {
        "op": "start",
        "state": {
            "count": [1, 2, 3],
            "threshold": [700, 10, 10],
            "enabled": True,
            "long_lived_total": 1,
            "long_lived_pending": 1,
            "free_lists": {"list": 1, "tuple": [1, 2]},
        },
    },
    {"op": "incref", "object": 0, "n": 1, "label": "x"},
    {"op": "link", "source": 0, "target": 0, "n": 2, "label": None},
    {"op": "unlink", "source": 0, "target": 0, "n": 1, "label": None},
    {"op": "resize", "object": 0, "bytes": -8},
    {"op": "track", "object": 0, "generation": 0},
    {"op": "untrack", "object": 0},
    {"op": "gc_call", "call": "collect", "arguments": [2], "via": "c"},
    {
        "op": "gc_call",
        "call": "set_threshold",
        "arguments": [1, 2, 3],
        "via": "python",
        "site": {"file": "app.py", "line": 7, "function": "main"},
    },
    {"op": "inside", "object": None, "begin": True},
    {"op": "inside", "object": None, "begin": False},
    {"op": "mark", "label": "m"},
    {
        "op": "read",
        "object": 0,
        "links": [[0, ".x"], [0, 3], [0, {"child": 1}]],
        "title": "t",
        "reason": "mark",
    },
    {"op": "read", "object": None, "links": [], "title": "main", "reason": "end"},
    {"op": "tick", "nanoseconds": 7},
    {"op": "weakref", "object": 0, "target": 0, "callback": True},
    {"op": "decref", "object": 0, "n": 1, "label": "x"},
)
"""A valid log as JSON Lines with every op and every key."""


@st.composite
def odd_json(draw: st.DrawFn) -> list[str]:
    """The lines of a log with one value anywhere replaced by another, or doubled or cut text."""
    lines = json.loads(json.dumps(LINES))
    place = lines
    while isinstance(place, list | dict) and place:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = draw(st.sampled_from(keys))
        deeper = place[key]
        if not isinstance(deeper, list | dict) or not deeper or draw(st.integers(0, 3)) == 0:
            place[key] = draw(ODD_VALUES)
            break
        place = deeper
    texts = [json.dumps(line) for line in lines]
    at = draw(st.integers(0, len(texts) - 1))
    texts[at] = draw(
        st.sampled_from([texts[at]] * 6)
        | st.just(texts[at].replace("{", "[" * 5000))
        | st.just(texts[at].replace("1", "1" * 5000))
        | st.just(texts[at][:-1] + ', "op": "mark"}')
        | st.text(max_size=20)
    )
    return texts
