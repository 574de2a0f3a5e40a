"""A kit to test a policy of one's own with; needs hypothesis.

docs/guide/write-a-collector.md uses it.

* `valid_logs`: random valid logs, a hypothesis strategy; `logs` makes them.
* `check`: a replay in which every collection is checked; `invariants` says of what.
"""

from .invariants import BrokenInvariant, check
from .logs import valid_logs

__all__ = ["BrokenInvariant", "check", "valid_logs"]
