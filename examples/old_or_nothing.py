"""A policy in a page: no generations, the whole heap is collected when it has grown by half.

gcreplay replay demo.gcreplay -p examples/old_or_nothing.py:OldOrNothing
"""

from gcreplay.replay import OLDEST, Policy


class OldOrNothing(Policy):
    """Collects everything when net container allocations since the last collection exceed half
    of what survived it, but never more often than every 1,000."""

    summary = "the whole heap, whenever it has grown by half"
    least = 1000

    def begin(self, heap, start):
        tracked = sum(heap.size(generation) for generation in range(OLDEST + 1))
        heap.arm(allocations=max(self.least, tracked // 2))

    def on_allocations(self, heap):
        survivors = heap.collect(OLDEST).survivors
        heap.arm(allocations=max(self.least, survivors // 2))
