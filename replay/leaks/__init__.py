"""What of a program's memory grows, and what holds it.

`leaks` is the way in. Read `lives` (what lives when), `growth` (what grows), `holding` (what holds
what) and `leaks`, in this order; `result` has what comes out.
"""

from .growth import Growth
from .leaks import leaks
from .result import Holder, Kind, Leak, Leaks, Step

__all__ = ["Growth", "Holder", "Kind", "Leak", "Leaks", "Step", "leaks"]
