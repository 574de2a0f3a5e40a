"""What only a collector can free: cycles, by shape and by the place where they are made.

* `cycles`: of a recording under a policy; start here.
* `shapes`: which cycles are alike. `example`: one of them as a line. `gathering`: the replay.
* `finalizers`: finalizers and callbacks that collections ran.
* `_garbage.pyx`: strongly connected components of what the engine frees.
"""

from .cycles import Cycles, Group, cycles

__all__ = ["Cycles", "Group", "cycles"]
