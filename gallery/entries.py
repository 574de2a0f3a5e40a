"""What stands in the gallery: programs, questions, and answers that are checked.

An answer is three sentences. Their figures come from the runs; beside each stands what has to be
so for it to be true, and the gallery is not made where it is not.
"""

from __future__ import annotations

import re

from gallery import charts
from gallery.entry import Change, Claim, Entry, Picture


def at_most(output: str) -> int:
    """The number that the program counted itself."""
    found = re.search(r"at most (\d+)", output)
    return int(found[1]) if found else 0


ENTRIES = (
    Entry(
        "bullets",
        "Bullets of a game",
        "many short-lived objects",
        "200,000 objects are made and dropped. Does the collector do anything for them?",
        "examples/bullets.py",
        "tune",
        (
            Claim(
                "All {f.now.runs} collections were in vain: they found no object.",
                lambda f: f.now.found == 0 and f.now.runs > 500,
            ),
            Claim(
                "They took {f.now.ms:.0f} ms, {f.share:.0f} % of the program's CPU time.",
                lambda f: f.share > 5,
            ),
            Claim(
                "With `gc.set_threshold(7_000, 10, 10)` none runs, as predicted, and the "
                "predicted peak of memory is the same.",
                lambda f: (
                    f.then.runs == sum(f.then.predicted.collections) == 0
                    and f.then.peak <= 1.01 * f.now.peak
                ),
            ),
        ),
        settings=("cpython-3.11:7000,10,10", "manual"),
    ),
    Entry(
        "templates",
        "Pages by Jinja",
        "nothing is worth changing",
        "A service renders pages. Is it worth the time to tune its collector?",
        "gallery/programs/templates.py",
        "tune",
        (
            Claim(
                "Leave it as it is: its {f.now.runs} collections take {f.now.ms:.1f} ms, "
                "{f.share:.1f} % of the CPU time.",
                lambda f: f.share < 5,
            ),
            Claim(
                "The longest pause is {f.now.longest:.1f} ms.",
                lambda f: f.now.longest < 3,
            ),
            Claim(
                "With `gc.set_threshold(5_000, 10, 10)` only {f.then.runs} run, but they take "
                "{f.then.ms:.1f} ms and the longest {f.then.longest:.1f}.",
                lambda f: (
                    f.then.runs < f.now.runs
                    and f.then.longest > f.now.longest
                    and f.then.ms > 0.75 * f.now.ms
                ),
            ),
        ),
        packages=("Jinja2==3.1.6",),
        settings=("cpython-3.11:5000,10,10",),
    ),
    Entry(
        "documents",
        "HTML by docutils",
        "a threshold helps",
        "Documents are trees whose nodes know their parent. Which threshold suits that?",
        "gallery/programs/documents.py",
        "tune",
        (
            Claim(
                "A first threshold of 7,000: collections take {f.then.ms:.0f} ms instead of "
                "{f.now.ms:.0f}, the longest {f.then.longest:.0f} instead of {f.now.longest:.0f}.",
                lambda f: f.then.ms < 0.85 * f.now.ms and f.then.longest < 0.7 * f.now.longest,
            ),
            Claim(
                "By then most documents are done with, so {f.then.runs} collections find "
                "{f.then.found:,} objects, and {f.now.runs} found {f.now.found:,}.",
                lambda f: f.then.found > 0.9 * f.now.found and f.then.runs < 0.2 * f.now.runs,
            ),
            Claim(
                "The predicted peak of memory is {f.then.peak_mb:.1f} MB for "
                "{f.now.peak_mb:.1f}; a threshold of 100 would make it {f.other.peak_mb:.1f}, for "
                "{f.other.ms:.0f} ms.",
                lambda f: (
                    f.then.peak < 1.05 * f.now.peak
                    and f.other.peak < 0.9 * f.then.peak
                    and f.other.ms > 1.3 * f.now.ms
                ),
            ),
        ),
        packages=("docutils==0.21.2",),
        settings=("cpython-3.11:7000,10,10", "cpython-3.11:100,10,10"),
        drawn=Picture(
            lambda log: charts.garbage(
                log,
                {
                    "100": "cpython-3.11:100,10,10",
                    "700": "cpython-3.11",
                    "7,000": "cpython-3.11:7000,10,10",
                },
            ),
            "Garbage that waits for a collection, under three first thresholds.",
        ),
    ),
    Entry(
        "orm",
        "Orders by SQLAlchemy",
        "gc.freeze helps",
        "Mapped classes stay for good. What does `gc.freeze()` after start-up save?",
        "gallery/programs/orm.py",
        "tune",
        (
            Claim(
                "The longest pause: {f.then.longest:.1f} ms instead of {f.now.longest:.1f}, as "
                "full collections no longer visit what start-up has made.",
                lambda f: f.then.longest < 0.3 * f.now.longest,
            ),
            Claim(
                "All collections together take {f.then.ms:.0f} ms instead of {f.now.ms:.0f}, and "
                "the predicted peak of memory stays at {f.then.peak_mb:.1f} MB.",
                lambda f: f.then.ms < 0.7 * f.now.ms and f.then.peak < 1.01 * f.now.peak,
            ),
            Claim(
                "A first threshold of 5,000 has them take {f.other.ms:.0f} ms, but leaves a pause "
                "of {f.other.longest:.1f}.",
                lambda f: f.other.ms < f.now.ms and f.other.longest > 2 * f.then.longest,
            ),
        ),
        packages=("SQLAlchemy==2.0.36",),
        settings=("freeze@ready+cpython-3.11", "cpython-3.11:5000,10,10"),
    ),
    Entry(
        "requests",
        "Errors that hold themselves",
        "a reference to cut",
        "The collector has work although the program builds no cycles. Which line makes them?",
        "examples/requests.py",
        "cycles --suggest",
        (
            Claim(
                "`handle` keeps each error in a variable of its frame, and the traceback of the "
                "error keeps the frame: {f.ring.count} cycles, {f.ring.share:.0f} % of what the "
                "collector looks at.",
                lambda f: f.ring.cut == "handle:failure" and f.ring.share > 50,
            ),
            Claim(
                "`gcreplay cycles --suggest` names the variable and predicts that without it "
                "collections find {f.change.expected.collected} objects, not {f.now.found:,}.",
                lambda f: f.change.expected.collected < f.now.found / 100,
            ),
            Claim(
                "With `del failure` in the program {f.change.runs} collections really run, instead "
                "of {f.now.runs}.",
                lambda f: f.change.found < f.now.found / 100 and f.change.runs < f.now.runs,
            ),
        ),
        change=Change(
            'return {"error": str(failure)}',
            'text = str(failure)\n    del failure\n    return {"error": text}',
            "handle:failure",
        ),
        drawn=Picture(
            lambda log: charts.cycle(log, "handle:failure", "frame of handle", ":failure"),
            "One of the cycles, and the reference to cut.",
        ),
    ),
    Entry(
        "audit",
        "A history that nobody empties",
        "a leak",
        "The memory of a service grows with each request. What holds it?",
        "examples/audit.py",
        "leaks",
        (
            Claim(
                "A deque, `{f.kept.name}`, holds {f.kept.percent:.0f} % of what grows: "
                "{f.kept.kept_mb:.2f} MB of the {f.alive_mb:.2f} MB that are alive at the end.",
                lambda f: f.kept.name == "__main__.HISTORY" and f.kept.percent > 90,
            ),
            Claim(
                "Without what it holds {f.change.expected_mb:.2f} MB would be alive.",
                lambda f: f.change.expected_mb < 0.7 * f.alive_mb,
            ),
            Claim(
                "With `deque(maxlen=10)` in the program {f.change.alive_mb:.2f} MB really are.",
                lambda f: abs(f.change.alive_mb - f.change.expected_mb) < 0.03 * f.alive_mb,
            ),
        ),
        change=Change("HISTORY = deque()", "HISTORY = deque(maxlen=10)"),
        drawn=Picture(
            lambda log: charts.memory(log, "cpython-3.11"),
            "The memory of all recorded objects, over the events of the recording.",
        ),
    ),
    Entry(
        "weak_cache",
        "A weak cache",
        "depends on its collector",
        "Weakly held values live until the collector comes by. Can another setting be predicted?",
        "gallery/programs/weak_cache.py",
        "replay",
        (
            Claim(
                "No, and `replay` says so: with a threshold of 5,000 the cache would have answered "
                "otherwise than in the recording, at least {f.other.asked} times.",
                lambda f: f.other.asked > 20,
            ),
            Claim(
                "So the program makes other objects than it did: "
                "{f.other.predicted.collected:,} were predicted to be found, "
                "{f.other.found:,} really were.",
                lambda f: f.other.predicted.collected > 1.2 * f.other.found,
            ),
            Claim(
                "Only `gcreplay prove`, which really runs it, tells what another setting does: "
                "{f.other.ms:.0f} ms for {f.now.ms:.0f}.",
                lambda f: f.now.ms > f.other.ms,
            ),
        ),
        settings=("cpython-3.11:100,10,10", "cpython-3.11:5000,10,10"),
        drawn=Picture(
            lambda log: charts.garbage(
                log,
                {
                    "700": "cpython-3.11",
                    "100": "cpython-3.11:100,10,10",
                    "5,000": "cpython-3.11:5000,10,10",
                },
            ),
            "Garbage that waits for a collection, as predicted under three first thresholds.",
        ),
    ),
    Entry(
        "graph",
        "A graph in memory",
        "a large heap that stays",
        "A large graph is loaded once and then asked. What do the collections while it grows cost?",
        "gallery/programs/graph.py",
        "tune --for latency",
        (
            Claim(
                "{f.now.ms:.0f} ms, the longest pause {f.now.longest:.0f}: {f.now.runs} "
                "collections visit {f.now.visited:,} objects and find {f.now.found}.",
                lambda f: f.now.visited > 500 * f.now.found,
            ),
            Claim(
                "A first threshold of 50,000 leaves {f.then.runs} of them, {f.then.ms:.0f} ms "
                "together and {f.then.longest:.0f} the longest.",
                lambda f: (
                    f.then.runs < 10
                    and f.then.ms < 0.5 * f.now.ms
                    and f.then.longest < 0.6 * f.now.longest
                ),
            ),
            Claim(
                "`gc.freeze()` when the graph is loaded is too late for those before: "
                "{f.other.ms:.0f} ms are left, and a pause of {f.other.longest:.0f}.",
                lambda f: (
                    1.2 * f.then.ms < f.other.ms < f.now.ms
                    and f.then.longest < f.other.longest < f.now.longest
                ),
            ),
        ),
        packages=("networkx==3.4.2",),
        settings=("cpython-3.11:50000,10,10", "freeze@loaded+cpython-3.11"),
    ),
    Entry(
        "server",
        "An asyncio server",
        "pauses of a service",
        "Some requests wait for the collector. Can their pauses be made short?",
        "gallery/programs/server.py",
        "tune --for latency",
        (
            Claim(
                "Yes: with `gc.freeze()` when it is ready and a `gc.collect()` after each fifth "
                "request the longest takes {f.other.longest:.1f} ms instead of "
                "{f.now.longest:.1f}.",
                lambda f: f.other.longest < 0.2 * f.now.longest,
            ),
            Claim(
                "`gc.freeze()` alone makes it {f.then.longest:.1f} ms.",
                lambda f: 1.5 * f.other.longest < f.then.longest < 0.5 * f.now.longest,
            ),
            Claim(
                "All {f.other.runs} collections together take {f.other.ms:.0f} ms, and "
                "{f.now.ms:.0f} now, with a predicted peak of memory of {f.other.peak_mb:.1f} MB "
                "for {f.now.peak_mb:.1f}.",
                lambda f: f.other.ms < 1.2 * f.now.ms and f.other.peak < f.now.peak,
            ),
        ),
        settings=("freeze@ready+cpython-3.11", "every:request #,5+freeze@ready+manual"),
    ),
    Entry(
        "connections",
        "Connections that a finalizer closes",
        "finalizers",
        "Connections are closed by `__del__`. How many are open at once, and who decides that?",
        "gallery/programs/connections.py",
        "cycles --suggest",
        (
            Claim(
                "The collector decides: a connection is in a cycle with its cursor, so it is "
                "closed when a collection finds the cycle, one of {f.ring.count:,}.",
                lambda f: f.ring.cut == "Cursor.connection" and f.ring.count == 20_000,
            ),
            Claim(
                "At most {f.waiting_now} wait at once, and with a first threshold of 5,000 "
                "{f.waiting_then} are predicted to.",
                lambda f: f.waiting_then > 2 * f.waiting_now,
            ),
            Claim(
                'Really run so, the program says: "{f.change.output}".',
                lambda f: abs(at_most(f.change.output) - f.waiting_then) < 0.03 * f.waiting_then,
            ),
        ),
        settings=("cpython-3.11:5000,10,10", "cpython-3.11:100,10,10"),
        change=Change(
            "    rows = sum(",
            "    import gc\n\n    gc.set_threshold(5_000, 10, 10)\n    rows = sum(",
            policy="cpython-3.11:5000,10,10",
        ),
        drawn=Picture(
            lambda log: charts.cycle(log, "Cursor.connection", "Cursor", ".connection"),
            "One of the cycles, and the reference to cut.",
        ),
    ),
)
