"""Replays a log as if some of its references were weak.

* `cut`: which references, as `Line.order` says it.
* `links`: every link of a log and what undoes it; `naming`: its label.
* `chosen`: those that a cut means.
* `without`: the log without them.
* `run`: the replay.
"""

from .cut import Cut
from .run import replay
from .without import CutLog, Lost, cut_log

__all__ = ["Cut", "CutLog", "Lost", "cut_log", "replay"]
