"""What of a program's memory grows, and what holds it.

`leaks` is the way in, `grown` the one for the same work done again and again. Read `lives` (what
lives when), `seen` (the heap as it was read at a moment), `growth` (what grows), `holding` (what
holds what), `paths` and `search`, in this order; `result` has what comes out.
"""

from .growth import Growth
from .held import held
from .leaks import grown, leaks
from .result import Holder, Kind, Leak, Leaks, Step

__all__ = ["Growth", "Holder", "Kind", "Leak", "Leaks", "Step", "grown", "held", "leaks"]
