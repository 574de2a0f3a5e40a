"""Predicted beside real: the table of a page, and where a prediction missed."""

from __future__ import annotations

from collections.abc import Iterator

from gallery.figures import NO_TIMES, Changed, Counts, Figures, Setting, Times

NEAR = 2.0
"""Per cent: counts that are off by no more are not spoken of."""

NEAR_IN_TIME = 20.0
"""Per cent: two real runs differ by as much."""


def rows(figures: Figures) -> Iterator[str]:
    """A Markdown table; a second real run has a row where it did something else."""
    yield "| setting | | collections | found | tracked | GC ms | longest ms |"
    yield "|---|---|---|---|---|---|---|"
    for setting in figures.settings:
        yield row(f"`{setting.policy}`", "predicted", setting.predicted, setting.predicted_times)
        yield from really(setting.real, setting.real_times)
    if (changed := figures.changed) is not None:
        name = "the program changed"
        if changed.predicted is not None:
            yield row(name, "predicted", changed.predicted, changed.predicted_times)
            name = ""
        yield row(name, "real", changed.real[0], changed.real_times)


def memory(figures: Figures) -> Iterator[str]:
    """Of a changed program: a Markdown table, or nothing."""
    if (changed := figures.changed) is None:
        return
    yield "| memory of recorded objects | as it is | predicted | really, changed |"
    yield "|---|---|---|---|"
    pairs = {
        "most at once": (figures.now.peak, changed.predicted_peak, changed.peak),
        "alive at the end": (figures.alive, changed.predicted_alive, changed.alive),
    }
    for name, sizes in pairs.items():
        if None not in sizes:
            yield "| " + " | ".join([name, *(f"{size or 0:,} bytes" for size in sizes)]) + " |"


def really(runs: tuple[Counts, ...], times: Times) -> Iterator[str]:
    first, *others = runs
    yield row("", "real", first, times)
    for other in others:
        if other != first:
            yield row("", "real, again", other, NO_TIMES)


def row(name: str, which: str, counts: Counts, times: Times) -> str:
    collections = "/".join(map(str, counts.collections))
    cells = [name, which, collections, f"{counts.collected:,}", f"{counts.peak_tracked:,}"]
    cells += ["" if ms is None else milliseconds(ms) for ms in (times.total, times.longest)]
    return "| " + " | ".join(cells) + " |"


def milliseconds(ms: float) -> str:
    return f"{ms:.0f}" if ms >= 100 else f"{ms:.1f}" if ms >= 10 else f"{ms:.2f}"


def misses(figures: Figures) -> list[str]:
    """A sentence for each figure that was predicted wrong, or one that none was."""
    found = [each for setting in figures.settings for each in missed_under(setting)]
    if figures.changed is not None:
        found += missed_by_change(figures.changed)
    near = f"Every count was predicted to {NEAR:.0f} %, every time to {NEAR_IN_TIME:.0f} %."
    return found or [near]


def missed_under(setting: Setting) -> Iterator[str]:
    where = f"under `{setting.policy}`"
    yield from missed(where, setting.predicted, setting.real[0])
    yield from late(where, setting.predicted_times, setting.real_times)


def missed_by_change(changed: Changed) -> Iterator[str]:
    if changed.predicted is not None:
        where = "of the changed program"
        yield from missed(where, changed.predicted, changed.real[0])
        yield from late(where, changed.predicted_times, changed.real_times)


def missed(where: str, predicted: Counts, real: Counts) -> Iterator[str]:
    pairs = {
        "collections": (sum(predicted.collections), sum(real.collections)),
        "objects found": (predicted.collected, real.collected),
        "tracked objects": (predicted.peak_tracked, real.peak_tracked),
    }
    for what, (said, was) in pairs.items():
        if 100 * abs(said - was) > NEAR * was:
            off = f", {100 * (said - was) / was:+.0f} %" if was else ""
            yield f"Missed {where}: {said:,} {what} were predicted, and {was:,} were real{off}."


def late(where: str, predicted: Times, real: Times) -> Iterator[str]:
    pairs = {
        "of GC time": (predicted.total, real.total),
        "for the longest pause": (predicted.longest, real.longest),
    }
    for what, (said, was) in pairs.items():
        if said is not None and was and 100 * abs(said - was) > NEAR_IN_TIME * was:
            off = f"{100 * (said - was) / was:+.0f} %"
            yield (
                f"Missed {where}: {milliseconds(said)} ms {what} were predicted, and "
                f"{milliseconds(was)} were real, {off}."
            )
