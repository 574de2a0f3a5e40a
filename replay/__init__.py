"""Replays an event log under a garbage collection policy: engine, policies, results, comparison.

Reading order: `policy` (what a policy is), `refcount`, `generational`, `cpython311`,
`clairvoyant` (the policies), `registry` (their names), `storage` (free lists), `annotation`
(when garbage became unreachable), `run` (replaying), `result`, `ranges`, `pauses`, `verify`,
`diff`; below them `_engine` and the headers beside it.
"""

from .diff import DiffResult, diff
from .policy import Heap, Policy, Untrack
from .ranges import replay_in_range
from .registry import make_policy, policies
from .result import Collection, RunResult
from .run import replay
from .verify import VerifyResult, verify

__all__ = [
    "Collection",
    "DiffResult",
    "Heap",
    "Policy",
    "RunResult",
    "Untrack",
    "VerifyResult",
    "diff",
    "make_policy",
    "policies",
    "replay",
    "replay_in_range",
    "verify",
]
