"""A report by hand that has every kind of block, as `html` and `markdown` are given."""

from __future__ import annotations

import numpy as np

from gcreplay.report.view import (
    Bars,
    Cell,
    Column,
    Distribution,
    Dot,
    Edge,
    Figure,
    Figures,
    Finding,
    Graph,
    Line,
    Moment,
    Node,
    Scatter,
    Section,
    Series,
    SourceLine,
    Table,
    View,
    Words,
)


def heap(bins: int = 600) -> Series:
    """A service that loads, works, and has one short peak at bin 417 of 600."""
    start = np.linspace(0.0, 31.2, bins + 1)
    middle = (start[:-1] + start[1:]) / 2
    live = 12e6 * (1 - np.exp(-middle)) + 2e5 * middle
    live = np.round(live + 1e5 * np.sin(middle * 9))
    saw = np.round((middle * 3 % 1) * 3e6)
    high = live + 120_000.0
    high[bins * 417 // 600] = 41_000_000.0
    lines = (
        Line("live", live - 90_000.0, high, live),
        Line("floating garbage", saw, saw + 60_000.0, saw + 30_000.0),
    )
    young = [
        Moment(at, "young", f"young collection at {at:.2f} s: 0.04 ms, freed 12")
        for at in np.linspace(1.0, 31.0, 217).tolist()
    ]
    full = [
        Moment(at, "full", f"full collection at {at} s: 15.3 ms, freed 4,001")
        for at in (4.5, 14.25, 27.0)
    ]
    marks = [
        Moment(2.0, "mark", "ready"),
        Moment(16.0, "mark", "second half"),
        Moment(16.5, "mark", "warm"),
    ]
    return Series(
        "heap-over-time",
        "Heap over time",
        "s",
        "bytes",
        start,
        lines,
        (*young, *full, *marks),
        thinning=f"Each point is {31.2 / bins * 1000:.0f} ms: least, greatest and mean.",
    )


def pauses() -> Series:
    """The collections as the series: one is past the deadline."""
    at = np.linspace(0.5, 31.0, 217).tolist()
    young = [Moment(t, "young", f"{t:.2f} s: 0.4 ms", 0.2 + (i * 7 % 11) / 12) for i, t in
             enumerate(at)]
    full = [Moment(t, "full", f"{t} s: full, {v} ms", v) for t, v in
            ((4.5, 4.1), (14.25, 9.8), (27.0, 15.3))]
    return Series("pause-line", "Pauses over time", "s", "ms", np.array([0.0, 31.2]), (),
                  (*young, *full), deadline=10.0)


def sizes() -> Distribution:
    edges = np.array([0.0, *(2.0**k for k in range(-6, 6))])
    young = np.array([0, 3, 40, 900, 610, 120, 30, 9, 1, 0, 0, 0])
    full = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0])
    return Distribution("pause-sizes", "How long pauses are", "ms", edges,
                        (("young collections", young), ("full collections", full)), deadline=10.0)


def settings() -> Scatter:
    found = [
        ("700,10,10", 89.0, 41.0, "present"),
        ("freeze@ready + 5000,10,10", 31.0, 42.0, "recommended"),
        ("freeze@ready + 20000,10,10", 22.0, 47.0, "front"),
        ("freeze@ready + 700,10,10", 80.0, 40.6, "front"),
        ("5000,10,10", 38.0, 43.0, "other"),
        ("2000,10,10", 61.0, 42.5, "other"),
        ("never", 2.0, 57.0, "front"),
    ]
    dots = tuple(
        Dot(name, x, y * 2.0**20, role, f"{name}: GC time {x:.0f} ms, peak memory {y} MiB")
        for name, x, y, role in found
    )
    return Scatter("front", "GC time against peak memory", Column("GC time", "ms"),
                   Column("peak memory", "size"), dots)


def policies() -> Table:
    columns = (
        Column("policy", "text"),
        Column("GC time", "ms", "All pauses of the collector together, an estimate."),
        Column("share", "percent", "GC time as a share of the program's CPU time."),
        Column("longest pause", "ms", "The longest single stop of the program."),
        Column("full runs", "number", "Collections of all generations."),
        Column("peak memory", "size", "The most bytes of tracked objects alive at once."),
        Column("not freed in time", "size", "Garbage that still stood at the end."),
    )
    rows = [
        ("now (700,10,10)", 89.0, 2.9, 15.3, 3, 41, 0.2),
        ("5000,10,10", 38.0, 1.2, 9.8, 0, 42, 0.9),
        ("freeze@ready", 51.0, 1.6, 1.2, 3, 41, 0.2),
        ("bounds: never", 0.0, 0.0, None, None, 57, 16.0),
        ("bounds: perfect", 0.0, 0.0, None, None, 41, 0.0),
    ]
    return Table(
        "policies",
        "Policies side by side",
        columns,
        tuple(
            (
                Cell(name, name),
                Cell(ms, f"{ms:g} ms"),
                Cell(share, f"{share} %"),
                Cell(longest, "–" if longest is None else f"{longest} ms"),
                Cell(full, "–" if full is None else str(full)),
                Cell(peak * 2**20, f"{peak}.0 MiB"),
                Cell(round(late * 2**20), f"{late} MiB"),
            )
            for name, ms, share, longest, full, peak, late in rows
        ),
        marked=(0,),
    )


def garbage() -> Table:
    """Forty kinds, of which twelve are shown at first; every fourth is not known by place."""
    names = ("Order", "Line", "dict", "frame", "cell", "function", "list", "ValueError")
    rows = []
    for i in range(40):
        short, full = f"orders.py:{41 + i}", f"/srv/shop/lib/python3.11/shop/orders.py:{41 + i}"
        place = Cell(full, short, full) if i % 4 else Cell(None, "unknown")
        objects, size = 36_000 // (i + 1), 48 * 36_000 // (i + 1)
        rows.append((Cell(names[i % 8], names[i % 8]), place, Cell(objects, f"{objects:,}"),
                     Cell(size, f"{size / 1024:,.1f} KiB")))
    columns = (Column("type", "text"), Column("made at", "place", "The line that makes them."),
               Column("objects", "number", "How many became garbage."), Column("bytes", "size"))
    return Table("garbage-by-line", "Garbage by type and line", columns, tuple(rows))


def ages() -> Bars:
    return Bars("deaths", "Deaths by generation", "objects",
                ("by reference count", "generation 0", "generation 1", "generation 2"),
                (("Order", (120.0, 36_000.0, 900.0, 0.0)), ("dict", (61_000.0, 2_200.0, 0.0, 40.0)),
                 ("frame", (9_000.0, 4_000.0, 700.0, 3_000.0))))


def small_cycle() -> Graph:
    return Graph(
        "cycle-1",
        "Order, list, Line: 3,000 times, 12 objects and 48 KiB each",
        (Node("Order", "orders.py:41 __init__"), Node("list"), Node("Line", "orders.py:12")),
        (Edge(0, 1, ".lines"), Edge(1, 2, "[0]"), Edge(2, 0, ".order", cut=True)),
        (SourceLine("orders.py:41", "/srv/shop/orders.py:41",
                    "        self.lines = [Line(self, sku) for sku in skus]"),),
        ("Cut Line.order: 36,000 objects fewer to collect.",),
    )


def large_cycle() -> Graph:
    """Twelve objects: a ring, and references across it and to itself."""
    names = ("ValueError", "traceback", "frame of checkout", "cell", "function", "dict", "Session",
             "list", "weak callback", "Connection", "Pool", "WSGIRequestHandler")
    nodes = tuple(Node(name, f"views.py:{i}" if i % 3 == 0 else "") for i, name in
                  enumerate(names))
    edges = [Edge(i, (i + 1) % 12, f".field_{i}") for i in range(12)]
    edges += [Edge(2, 0, "error", cut=True), Edge(6, 6, ".me"), Edge(7, 3, "[12]"),
              Edge(1, 10, "['a_very_long_key_of_a_dict']")]
    return Graph("cycle-2", "ValueError and its frame: 600 times, 12 objects", nodes, tuple(edges),
                 (), ("Cut by `del error` in views.py:88.",))


def sample() -> View:
    cost = Section(
        "cost", "What the collector costs",
        "The collector takes 2.9 % of the CPU time; one pause of 15.3 ms is the longest.",
        "gcreplay tune shop.gcreplay",
        (
            Figures((Figure("GC time", "89 ms", "2.9 % of 3.1 s of CPU"),
                     Figure("longest pause", "15.3 ms", "deadline 10 ms"),
                     Figure("peak memory", "41.0 MiB", "perfect: 41.0 MiB"),
                     Figure("collections", "220", "3 of them full"))),
            Words("Put this where the service starts, after create_app():"),
            Words("import gc\n\ngc.set_threshold(5_000, 10, 10)  # default: 700, 10, 10\n"
                  "gc.freeze()", code=True),
        ),
    )
    return View(
        "shop.gcreplay",
        "3,000 requests, 3.1 s of CPU, recorded under 700,10,10 (CPython 3.11.7)",
        ("Change this: gc.freeze() when start-up is done, gc.set_threshold(5_000, 10, 10).",
         "GC time falls from 89 ms to 31 ms, the longest pause from 15.3 ms to 1.2 ms."),
        (
            Finding("threshold", "warning", "1,754 young collections of 1,790 found nothing.",
                    1754.0, "gcreplay tune shop.gcreplay"),
            Finding("cycle", "notice", "9 % of the collector's work is for 2 kinds of cycles.",
                    9.0, "gcreplay cycles shop.gcreplay"),
            Finding("threads", "serious", "Collection 15 of 64 comes 700 births late.", 700.0,
                    "gcreplay verify shop.gcreplay"),
            Finding("marks", "info", "3,000 requests are marked.", 3000.0),
        ),
        (
            cost,
            Section("heap", "The heap over time", "Live memory grows by 0.2 MB a second.",
                    "gcreplay replay shop.gcreplay --heap", (heap(),)),
            Section("pauses", "Pauses", "One pause in 220 is longer than 10 ms.",
                    "gcreplay replay shop.gcreplay --pauses", (pauses(), sizes())),
            Section("policies", "Policies side by side", "A threshold of 5,000 halves the cost.",
                    "gcreplay replay shop.gcreplay -p generational:5000,10,10", (policies(),)),
            Section("settings", "Settings to choose from", "Four settings are best in one of two.",
                    "gcreplay sweep shop.gcreplay", (settings(),)),
            Section("garbage", "What becomes garbage", "Orders and their lines are most of it.",
                    "gcreplay cycles shop.gcreplay", (garbage(),)),
            Section("cycles", "The cycles that matter", "Two kinds of cycles are half the work.",
                    "gcreplay cycles shop.gcreplay --cut Line.order",
                    (small_cycle(), large_cycle())),
            Section("ages", "How old objects become", "Most die young.", "", (ages(),)),
            Section("trust", "How far this can be trusted",
                    "All 217 collections stand where they really ran.",
                    "gcreplay verify shop.gcreplay",
                    (Words("Times are estimates, 12 % off on this recording's own pauses."),
                     Words("Threads and finalizers meet in Deferred.__del__.", "warning"))),
        ),
        "gcreplay report shop.gcreplay -o report.html",
        ("Times are estimates; everything else is counted.",),
    )
