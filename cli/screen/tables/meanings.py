"""What the headings of tables mean, in a line or two each: `--table` says it below the table."""

from collections.abc import Sequence
from typing import Final

MEANINGS: Final = {
    "policy": "the collector, as `gcreplay policies` names it",
    "setting": "gc.set_threshold() of it, or the whole policy; present: what was recorded",
    "GC ms": "time in the collector, all pauses together",
    "% CPU": "that as a share of CPU time, the program's own and the collector's",
    "longest ms": "the longest pause",
    "p99 ms": "the pause that 99 % of all do not exceed",
    "full": "collections of the oldest generation, which visit every object",
    "peak memory": "most memory that recorded objects take at one time, garbage included",
    "peak garbage": "most memory that waits for the collector at one time, no longer reachable",
    "collections": "collections that were made, by generation: young/middle/old",
    "collected": "objects in garbage that collections found; the sum of what gc.collect() returns",
    "freed by GC": "objects that went with that garbage, those the collector does not track too",
    "freed by count": "objects that went when nothing referred to them any more, without the GC",
    "peak waiting": "most objects that wait for the collector at one time, no longer reachable",
    "objects visited": "objects that collections went through, in sum: their work",
    "links followed": "references that collections went along, in sum: the other part of it",
    "uncollectable": "objects that the collector found to be garbage and did not free",
    "used after free": "events of the program that use what this policy has freed: left out here, "
    "and a sign that the result is a guess",
    "not where recorded": "events of finalizers whose owner is not known: replayed where they were "
    "recorded, not where this policy frees the owner",
    "not yet there": "events that use what a finalizer made which this policy has not run by then",
    "front": "*: no other row is better in GC time, longest pause and peak at once; best: the one "
    "that suits best",
    "peaks": "peak memory of all recordings, in sum",
    "worst GC ms": "GC time of the recording in which it is most",
    "worst": "that recording, or the largest change",
    "worst in": "the recording in which that is",
    "phase": "a part of the run, named by the mark it begins with; # stands for a number",
    "times": "how many of them there were",
    "ms p50": "how long half of them took at most, by the clock",
    "ms p95": "how long 95 % of them took at most",
    "ms p99": "how long 99 % of them took at most",
    "GC p50": "ms in the collector, of half of them at most",
    "GC p95": "ms in the collector, of 95 % of them at most",
    "GC p99": "ms in the collector, of 99 % of them at most",
    "% GC": "the collector's share of the time of this phase",
    "calls": "how often it was called from there",
    "found": "objects in garbage that these calls found",
    "GC ms without": "GC time of the whole run without these calls",
    "full without": "collections of the oldest generation without these calls",
    "peak without": "peak memory without these calls",
    "peak tracked": "most objects in the three generations when a collection starts",
    "by generation": "what collections found, by generation: young/middle/old",
    "change": "the second less the first",
    "change %": "that, in per cent of the first",
    "cycle": "one cycle of this kind: each object, and the reference to the next",
    "made at": "the line of code that made the object",
    "objects": "objects in these cycles, or made there",
    "hanging": "objects outside the cycles that only these keep alive",
    "bytes": "memory of both",
    "% work": "of the objects that all collections visit, the share that was there for these",
    "signature": "names the kind in JSON and in limits, the same in every version of the program",
    "alive": "objects alive at the end",
    "shallow": "memory of the objects alone, without what they keep alive",
    "growing": "whether there are steadily more of them, the start left out",
    "held": "memory of objects made there, as the mean over the run",
    "+/-": "change against the first",
    "held +/-": "change of that against the first",
    "objects A": "objects that were made there and collected or freed, under the first",
    "objects B": "the same under the second",
    "mean life A": "events between birth and end of these objects, under the first",
    "mean life B": "the same under the second",
    "from": "the least that production's figure may be, or the one thing that it may be",
    "to": "the most that it may be",
    "alike": "whether it does not; -: cannot be compared",
}


def meanings(columns: Sequence[str]) -> dict[str, str]:
    """Those of these columns that have one."""
    return {name: MEANINGS[name] for name in columns if name in MEANINGS}
