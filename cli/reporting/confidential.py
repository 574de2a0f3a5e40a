"""`report --confidential`: what a report for others leaves out, and what it says of that."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gcreplay.replay import make_policy
from gcreplay.replay.policies.registry import runs_a_file
from gcreplay.store.errors import UsageError

RECORDING: Final = Path("recording.gcreplay")
"""What the recording is called in such a report."""
OTHER: Final = Path("other.gcreplay")
"""And another one beside it."""
SAID: Final = (
    "Confidential: no source, paths, command line, and no names of functions, variables, keys or "
    "marks. Each has a number in their place, the same one throughout. Classes keep their names."
)


def check_policies(policies: Iterable[str]) -> None:
    """Raises UsageError for one whose name tells of the program."""
    for one in policies:
        if runs_a_file(one) or make_policy(one).marks or make_policy(one).places:
            raise UsageError(
                f"{one} names a mark, a line or a file, which --confidential leaves out: show "
                "another policy, or leave --confidential out"
            )
