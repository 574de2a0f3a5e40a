"""`python -m gallery [NAME...]`: makes the pages anew, or those of some programs.

`--pages` writes them from the figures that are there, `--reports` makes the reports anew from the
recordings in build/gallery. Exits with 1 where a run fails, or where a
sentence is no longer true.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from gallery import measure, pages, reports
from gallery.entries import ENTRIES
from gallery.entry import Entry


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gallery", description="Make the gallery.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these programs")
    parser.add_argument("--pages", action="store_true", help="only write the pages, run nothing")
    parser.add_argument("--reports", action="store_true", help="only make the reports, and pages")
    options = parser.parse_args()
    unknown = set(options.names) - {entry.name for entry in ENTRIES}
    if unknown:
        known = ", ".join(entry.name for entry in ENTRIES)
        parser.error(f"the gallery has no {', '.join(sorted(unknown))}: it has {known}")
    chosen = tuple(entry for entry in ENTRIES if not options.names or entry.name in options.names)
    if not options.pages and not options.reports:
        make(chosen)
    if not options.pages:
        for entry in chosen:
            reports.draw(entry, pages.FOLDER / f"{entry.name}.svg")
            reports.write(entry, pages.FOLDER / f"{entry.name}.html")
    pages.write(ENTRIES)


def make(entries: tuple[Entry, ...]) -> None:
    measure.BUILD.mkdir(parents=True, exist_ok=True)
    pages.FOLDER.mkdir(parents=True, exist_ok=True)
    measure.environment(ENTRIES)
    commit = commit_now()
    for entry in entries:
        began = time.monotonic()
        figures = measure.Measuring(entry).figures(commit)
        pages.results(entry).write_text(figures.dump())
        print(f"{entry.name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def commit_now() -> str:
    """The last one that changed what is measured; with a + where changes are in no commit."""
    folders = ["cli", "replay", "store", "tracer"]
    last = git("log", "-1", "--format=%h", "--abbrev=10", "--", *folders)
    return last + "+" * bool(git("status", "--porcelain", "--", *folders)) if last else "unknown"


def git(*command: str) -> str:
    done = subprocess.run(["git", *command], cwd=measure.ROOT, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
