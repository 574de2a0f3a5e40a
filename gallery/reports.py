"""Report and picture of each program, as files that name no folder of this machine."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from gallery.entry import Entry
from gallery.measure import BUILD, PYTHON, ROOT, gcreplay, policies
from gcreplay.report.renderers.svg import picture
from gcreplay.store import EventLog

MOST_BYTES = 400_000


def write(entry: Entry, path: Path) -> None:
    """Raises SystemExit where it is too large to be kept in a repository."""
    trace = str(BUILD.relative_to(ROOT) / f"{entry.name}.gcreplay")
    with tempfile.TemporaryDirectory(prefix="gcreplay-") as folder:
        made = Path(folder, path.name)
        search = [] if entry.shows.startswith("tune") else ["--no-search"]
        gcreplay("report", trace, *policies(entry.settings), *search, "-o", str(made))
        text = anywhere(made.read_text("utf-8").replace(str(made), path.name))
    if len(text.encode()) > MOST_BYTES:
        raise SystemExit(f"gallery: the report of {entry.name} has {len(text):,} characters")
    path.write_text(text, "utf-8")


def draw(entry: Entry, path: Path) -> None:
    """The picture of its page."""
    with EventLog.open(BUILD / f"{entry.name}.gcreplay") as log:
        path.write_text(picture(entry.drawn.draw(log)) + "\n", "utf-8")


def anywhere(text: str) -> str:
    """With paths as they stand in the checkout, in installed packages, in the standard library."""
    packages = f"{PYTHON.parent.parent}/lib/python3.11/site-packages/"
    for folder in (packages, f"{ROOT}/", f"{sys.base_prefix}/lib/python3.11/"):
        text = text.replace(folder, "").replace(folder.replace("/", "\\/"), "")
    return text
