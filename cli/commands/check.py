"""`gcreplay check`: is a recording like production, so that what is tuned on it holds there?"""

from collections.abc import Sequence
from pathlib import Path

import click

from gcreplay.help import Sectioned
from gcreplay.options import trace_argument, window_bounds
from gcreplay.production.activity import Activity, recorded
from gcreplay.production.gclogs import read
from gcreplay.production.likeness import Likeness, likenesses
from gcreplay.report.words.numbers import by_generation
from gcreplay.screen.output import Report, format_option, show
from gcreplay.screen.progress import reading
from gcreplay.screen.tables.table import Cell, Table
from gcreplay.trace import opened

KINDS = {
    "callbacks": "lines of gc.callbacks",
    "samples": "samples of gc.get_stats()",
    "gcmon": "lines of gcmon",
}
NEEDED = ("thresholds", "collected a collection")
"""Without these nothing is told; and one of the figures behind `collected` is needed too."""

RULES = ("Python", "thresholds")


@click.command(cls=Sectioned)
@trace_argument
@click.option(
    "--against",
    "log_path",
    required=True,
    metavar="LOG",
    type=click.Path(path_type=Path),
    help="JSON lines of production (examples/gc_log.py, gcmon ...).",
)
@click.option("--window", metavar="A..B", help="Of the recording, what is between two marks.")
@format_option("figures")
@click.pass_context
def command(
    ctx: click.Context, trace: Path, log_path: Path, window: str | None, output_format: str
) -> None:
    """Compare a recording with a log of production, and say whether what is tuned on the recording
    may be trusted there.

    Exit code 0 when it may, 1 when it may not or that cannot be told.

    \b
    Example:
      gcreplay check demo.gcreplay --against gc.jsonl
    """
    bounds = window_bounds(window)
    production = read(log_path)
    with opened(trace) as log, reading(log, "comparing"):
        ours = recorded(log, bounds)
    found = likenesses(ours, production)
    trusted = verdict(found)
    payload = {
        "trace": str(trace),
        "against": str(log_path),
        "window": bounds,
        "trusted": trusted,
        "recorded": ours.to_json(),
        "production": production.to_json(),
        "figures": [each.to_json() for each in found],
    }
    words = (answer(found, trusted), sides(ours, production))
    remarks = tuple(production.remarks)
    show(Report((table(found),), payload, remarks, words, notes(found)), output_format)
    if not trusted:
        ctx.exit(1)


def verdict(found: Sequence[Likeness]) -> bool | None:
    """None: it cannot be told."""
    told = {each.figure: each.alike for each in found}
    if False in told.values():
        return False
    if any(told[figure] is None for figure in NEEDED):
        return None
    behind = list(told)[list(told).index("collected a collection") + 1 :]
    return True if any(told[figure] for figure in behind) else None


def answer(found: Sequence[Likeness], trusted: bool | None) -> str:
    """In plain words: may it be trusted, why not, and what to do."""
    compared = [each for each in found if each.alike is not None]
    if trusted:
        return (
            f"Yes, tune may be trusted there: in all {len(compared)} figures compared the "
            "recording is like production."
        )
    if trusted is None:
        needed = [each for each in found if each.alike is None and each.figure in NEEDED]
        left_out = needed or [each for each in found if each.alike is None]
        why = dict.fromkeys(f"{each.figure}: {each.because}" for each in left_out)
        return f"Whether tune may be trusted there cannot be told. {'; '.join(why)}."
    other = [each for each in compared if not each.alike]
    names = {each.figure for each in other}
    # Where the rules differ, so does what follows from them: that is no news.
    rules = [each for each in other if each.figure in RULES] or other
    told = "; ".join(difference(each) for each in rules)
    return f"No, tune may not be trusted there: {told}. {advice(names)}"


def difference(one: Likeness) -> str:
    """What differs, in words."""
    if one.figure == "Python":
        return f"production is Python {one.production}, the recording of {one.recorded}"
    if one.figure == "thresholds":
        return f"production collects under {one.production}, the recording under {one.recorded}"
    ours, theirs = map(_cell, (one.recorded, one.production))
    return f"{one.figure}: {theirs} in production, {ours} in the recording"


def advice(names: set[str]) -> str:
    if "Python" in names:
        return (
            "Run production under the recorded version, or wait until gcreplay records the other."
        )
    if "thresholds" in names:
        return "Record the program under production's thresholds, then check again."
    return "Record the program with production's input and load, then check again."


def sides(ours: Activity, production: Activity) -> str:
    """What was compared."""
    return (
        f"Recording: {_made(ours)}. Production: {_made(production)}, "
        f"{KINDS[production.kind]} of {_processes(production)}."
    )


def _processes(one: Activity) -> str:
    return "1 process" if one.processes == 1 else f"{one.processes:,} processes"


def _made(one: Activity) -> str:
    cpu = "" if one.cpu_ns is None else f" in {one.cpu_ns / 1e9:,.2f} s of CPU"
    return f"{by_generation(one.collections)} collections{cpu}"


def table(found: Sequence[Likeness]) -> Table:
    """One row a figure that both have; what production's may be stands beside it."""
    rows: list[tuple[Cell, ...]] = []
    for each in found:
        if each.recorded is None or each.production is None:
            continue
        alike = {True: "yes", False: "NO", None: "-"}[each.alike]
        rows.append(
            (each.figure, _cell(each.recorded), _cell(each.production), *_allowed(each), alike)
        )
    return Table(("figure", "recording", "production", "from", "to", "alike"), tuple(rows))


def _allowed(one: Likeness) -> tuple[Cell, Cell]:
    """The least and the most that production's figure may be."""
    if one.low is not None and one.high is not None:
        return _words(one.low), _words(one.high)
    return (None, None) if one.alike is None else (str(one.recorded), None)


def _words(value: float) -> str:
    return f"{round(value):,}" if value >= 100 else f"{value:.3g}"


def _cell(value: str | float | None) -> Cell:
    return value if value is None or isinstance(value, str) else _words(value)


def notes(found: Sequence[Likeness]) -> tuple[str, ...]:
    """Why each bound is what it is, and why what is not compared is not."""
    reasons: dict[tuple[bool, str], list[str]] = {}
    for each in found:
        reasons.setdefault((each.alike is None, each.because), []).append(each.figure)
    return tuple(
        f"{'Not compared' if left_out else 'Bound of'} {', '.join(names)}: {because}."
        for (left_out, because), names in reasons.items()
    )
