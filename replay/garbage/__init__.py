"""What only a collector can free: cycles, by shape and by the place where they are made.

* `cycles`: of a recording under a policy; start here.
* `ended`: the same with every freed object by type and line, and the ages of all that died.
* `made`: those that were made in some stretches, whenever they are freed.
* `shapes`: which cycles are alike. `example`: one of them as a line. `gathering`: the replay.
* `joining`: groups that are of one kind, though not all is known of each.
* `finalizers`: finalizers and callbacks that collections ran.
* `_garbage.pyx`: strongly connected components of what the engine frees.
"""

from .cycles import Cycles, Group, MadeAt, cycles
from .ended import Ended, GarbageAt, ended
from .made import cycles_made

__all__ = [
    "Cycles",
    "Ended",
    "GarbageAt",
    "Group",
    "MadeAt",
    "cycles",
    "cycles_made",
    "ended",
]
