"""What is said of several recordings beside their figures."""

from gcreplay.report.words.numbers import counted
from gcreplay.several.replays import Replays
from gcreplay.several.together import Together


def trust_in_all(replays: Replays, now: Together) -> str:
    """How far times may be trusted, or why there are none."""
    if not now.timed:
        return (
            "GC time is not estimated, so the work decides: none of the recordings has enough "
            "collections to tell what they take."
        )
    models = replays.models
    if not models:
        return "Times are rough: no recording tells enough of this machine."
    off = max(one.sums_off for one in models)
    lent = len(now.rows) - len(models)
    borrowed = f"; {counted(lent, 'recording')} with too few of its own" if lent else ""
    return (
        f"Times are estimates from the collections of {counted(len(models), 'recording')}"
        f"{borrowed}; under another setting a sum may be {off:.0%} off. All else is counted; "
        f"memory is that of recorded objects, and peaks are added as if they came at once."
    )
