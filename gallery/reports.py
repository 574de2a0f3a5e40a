"""Report and picture of each program, as files that name no folder of this machine."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gallery.entry import Entry
from gallery.measure import BUILD, ROOT, gcreplay, policies
from gcreplay.report.renderers.svg import picture
from gcreplay.store import EventLog

MOST_BYTES = 600_000
IN_PACKAGES = f"{BUILD.relative_to(ROOT)}/venv/lib/python3.11/site-packages/"


def write(entry: Entry, path: Path) -> None:
    """Raises SystemExit where it is too large to be kept in a repository."""
    trace = str(BUILD.relative_to(ROOT) / f"{entry.name}.gcreplay")
    with tempfile.TemporaryDirectory(prefix="gcreplay-") as folder:
        made = Path(folder, path.name)
        search = [] if entry.shows.startswith("tune") else ["--no-search"]
        gcreplay("report", trace, *policies(entry.settings), *search, "-o", str(made))
        text = made.read_text("utf-8").replace(str(made), path.name)
    for place in folders(trace):
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
