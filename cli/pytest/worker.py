"""The interpreter of a worker of pytest-xdist: it records the one that is meant.

`python -m gcreplay.pytest.worker TOLD KEPT ARGUMENTS...` runs `python ARGUMENTS...` with our
streams; the recording goes to the folder KEPT, how it ended to TOLD.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path

from gcreplay.tracer import RecordOptions, record

from .alone import Recorded
from .plugin import INSIDE


def main() -> None:
    told, kept, *argv = sys.argv[1:]
    note = _new(Path(told))
    output = Path(kept, note.stem + ".gcreplay")
    options = RecordOptions(output, argv, environment={INSIDE: ""}, force=True, hand_over=True)
    summary = record(options)
    note.write_text(json.dumps([str(output), summary.message]))
    sys.exit(summary.exit_code)


def found(told: Path) -> list[Recorded]:
    """The recordings that ended."""
    notes = sorted(told.glob("worker-*.json"))
    ended = [json.loads(text) for text in (note.read_text() for note in notes) if text]
    return [Recorded(Path(path), message) for path, message in ended]


def _new(told: Path) -> Path:
    for number in count():
        note = told / f"worker-{number}.json"
        try:
            note.touch(exist_ok=False)
        except FileExistsError:
            continue
        return note
    raise AssertionError


if __name__ == "__main__":
    main()
