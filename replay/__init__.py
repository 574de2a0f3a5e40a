"""Replays an event log under a garbage collection policy.

* `run`: replays; start here.
* `many`: many of them on all cores.
* `policies/`: the collectors, one file each, and how to add one.
* `results/`: what every figure means; verification and comparison.
* `estimates/`: pauses, which are no results.
* `sweep/`: many thresholds in one pass; `tuning/`: which setting suits a program.
* `testing/`: a kit to test policies with.
* `engine/`: the native mechanism below the policies; `heap`: what policies see of it.

Each name is imported when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .policies.policy import (
        OLDEST,
        OWN_SPACE,
        PERMANENT,
        Heap,
        Policy,
        Recording,
        Untrack,
    )
    from .policies.registry import known_policies, make_policy
    from .results.dependence import Dependence
    from .results.diff import DiffResult, diff
    from .results.result import Collection, RunResult
    from .results.verify import VerifyResult, verify
    from .run import replay
else:
    _HOME = {
        "OLDEST": ".policies.policy",
        "OWN_SPACE": ".policies.policy",
        "PERMANENT": ".policies.policy",
        "Collection": ".results.result",
        "Dependence": ".results.dependence",
        "DiffResult": ".results.diff",
        "Heap": ".policies.policy",
        "Policy": ".policies.policy",
        "Recording": ".policies.policy",
        "RunResult": ".results.result",
        "Untrack": ".policies.policy",
        "VerifyResult": ".results.verify",
        "diff": ".results.diff",
        "known_policies": ".policies.registry",
        "make_policy": ".policies.registry",
        "replay": ".run",
        "verify": ".results.verify",
    }

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOME[name], __name__), name)


__all__ = [
    "OLDEST",
    "OWN_SPACE",
    "PERMANENT",
    "Collection",
    "Dependence",
    "DiffResult",
    "Heap",
    "Policy",
    "Recording",
    "RunResult",
    "Untrack",
    "VerifyResult",
    "diff",
    "known_policies",
    "make_policy",
    "replay",
    "verify",
]
