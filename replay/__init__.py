"""Replays an event log under a garbage collection policy.

* `run`: replays; start here.
* `policies/`: the collectors, one file each, and how to add one.
* `results/`: what every figure means; verification and comparison.
* `estimates/`: ranges and pauses, which are no results.
* `engine/`: the native mechanism below the policies.
"""

from .estimates.ranges import replay_in_range
from .policies.policy import OLDEST, PERMANENT, Heap, Policy, Untrack
from .policies.registry import known_policies, make_policy
from .results.diff import DiffResult, diff
from .results.result import Collection, RunResult
from .results.verify import VerifyResult, verify
from .run import replay

__all__ = [
    "OLDEST",
    "PERMANENT",
    "Collection",
    "DiffResult",
    "Heap",
    "Policy",
    "RunResult",
    "Untrack",
    "VerifyResult",
    "diff",
    "known_policies",
    "make_policy",
    "replay",
    "replay_in_range",
    "verify",
]
