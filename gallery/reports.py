"""Report and picture of each program, as files that name no folder of this machine."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from gallery.entry import Entry
from gallery.measure import BUILD, ROOT, gcreplay, policies
from gcreplay.commands.report import DEADLINE_MS
from gcreplay.report.fitted import page
from gcreplay.report.renderers.html import html
from gcreplay.report.renderers.svg import picture
from gcreplay.reporting.core import Asked
from gcreplay.reporting.made import report
from gcreplay.store import EventLog

WANTED_BYTES = 300_000
"""Of a report that is kept in a repository: tables end earlier than in one that is not."""
MOST_BYTES = 500_000
"""What charts and scripts may come to beside."""
IN_PACKAGES = f"{BUILD.relative_to(ROOT)}/venv/lib/python3.11/site-packages/"


def write(entry: Entry, path: Path) -> None:
    """The report of its recording, as the command makes it, but smaller. Raises SystemExit where it
    is too large for a repository all the same."""
    recording = BUILD / f"{entry.name}.gcreplay"
    trace, searched = recording.relative_to(ROOT), entry.shows.startswith("tune")
    words = [*policies(entry.settings), *([] if searched else ["--no-search"])]
    own = shlex.join(["gcreplay", "report", str(trace), *words])
    with EventLog.open(recording) as log:
        text = page(
            report(log, Asked(trace, entry.settings, DEADLINE_MS, search=searched, own=own)),
            html,
            WANTED_BYTES,
        )
    for place in folders(str(trace)):
        text = without(place, text)
    if len(text.encode()) > MOST_BYTES:
        raise SystemExit(f"gallery: the report of {entry.name} has {len(text):,} characters")
    path.write_text(text, "utf-8")


def without(place: str, text: str) -> str:
    """A folder may be parted where what a page shows of a path begins."""
    for i in (i for i, c in enumerate(place, 1) if c == "/"):
        text = text.replace(f"{place[:i]}</span>{place[i:]}", "</span>")
    return text.replace(place, "")


def draw(entry: Entry, path: Path) -> None:
    """The picture of its page."""
    with EventLog.open(BUILD / f"{entry.name}.gcreplay") as log:
        path.write_text(picture(entry.drawn.draw(log)) + "\n", "utf-8")


def folders(trace: str) -> Iterator[str]:
    """What paths lose: installed packages, checkout and standard library, here and where it was
    recorded, which may be another checkout."""
    recorded = json.loads(gcreplay("info", "--format", "json", trace).stdout)["executable"]
    for root in dict.fromkeys([f"{ROOT}/", recorded.partition(str(BUILD.relative_to(ROOT)))[0]]):
        yield from (root + IN_PACKAGES, root)
    yield f"{sys.base_prefix}/lib/python3.11/"
