"""Ages and what is alive in the report, as data: of logs written by hand."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from strategies import valid_logs

from gcreplay.replay import replay
from gcreplay.replay.garbage import ended
from gcreplay.replay.leaks import leaks
from gcreplay.report.parts.ages import ages
from gcreplay.report.parts.alive import alive
from gcreplay.report.places import Places
from gcreplay.report.view import Bars, Distribution, Figures, Table, Words
from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder


def kept_and_dropped() -> TraceBuilder:
    """Each of 40 steps keeps one object for good, and makes and drops one; one cycle grows old."""
    b = TraceBuilder()
    b.start(threshold=(2, 1, 1))
    module = b.alloc("module", kind="other", site=("/app/a.py", 1, "<module>"))
    old = b.alloc("Ring", module="app", size=64, site=("/app/a.py", 2, "make"))
    b.link(old, old)
    for step in range(40):
        b.mark(f"step:{step}")
        entry = b.alloc("Entry", module="app", size=200, site=("/app/a.py", 7, "keep"))
        b.link(module, entry, label=".entries")
        b.decref(entry)
        b.decref(b.alloc("tuple", size=48, site=("/app/a.py", 8, "drop")))
    b.decref(old)
    b.gc_call("collect")
    return b


def test_ages_are_distributions_and_deaths_by_generation() -> None:
    with kept_and_dropped().build() as log:
        found = ended(log)
    section, findings = ages(found.ages, found.cycles.run, "next")
    objects, size = (one for one in section.blocks if isinstance(one, Distribution))
    # The ring and all behind it: 81 objects; a tuple is the last made when it dies.
    assert objects.edges.tolist() == [1, 2, 4, 8, 16, 32, 64, 128]
    assert [(name, row.tolist()) for name, row in objects.counts] == [
        ("by reference count", [40, 0, 0, 0, 0, 0, 0]),
        ("by the collector", [0, 0, 0, 0, 0, 0, 1]),
    ]
    assert [row.tolist() for _, row in size.counts] == [
        [40 * 48, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 64],
    ]
    bars = next(one for one in section.blocks if isinstance(one, Bars))
    assert bars.rows == (("young (0)", (40.0, 0.0)), ("old (2)", (0.0, 1.0)))
    shown = next(one for one in section.blocks if isinstance(one, Figures)).figures
    assert [one.text for one in shown] == ["97.6 %", "40 objects", "1 object", "41 objects"]
    assert section.meaning.startswith("97.6 % of the objects that died did so before 2 more")
    assert [(one.id, one.level, one.figure) for one in findings] == [
        ("ages-young", "info", 97.561),
        ("ages-old", "notice", 100.0),
    ]


def test_all_but_a_few_are_not_all() -> None:
    with kept_and_dropped().build() as log:
        found = ended(log)
    nearly = replace(found.ages, objects=found.ages.objects * 100, died_within=4099)
    section, _ = ages(nearly, found.cycles.run, "")
    assert section.meaning.startswith("over 99.9 % of")


def test_ages_of_a_run_without_deaths_say_so() -> None:
    b = TraceBuilder()
    b.start()
    b.alloc("list")
    with b.build() as log:
        found = ended(log)
    section, findings = ages(found.ages, found.cycles.run, "x")
    assert (section.blocks, findings) == ((), [])
    assert "no ages" in section.meaning


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(valid_logs())
def test_alive_is_what_lives_where_all_garbage_is_freed_at_once(log: EventLog) -> None:
    with log:
        section, _ = alive(leaks(log), Places.of(log), "")
        run = replay(log, "clairvoyant")
    by_line, by_type = [one for one in section.blocks if isinstance(one, Table)][-2:]
    for table, at in ((by_line, 2), (by_type, 1)):
        objects, size = (
            sum(int(row[column].raw or 0) for row in table.rows) for column in (at, at + 1)
        )
        assert objects == run.live_objects
        assert size == run.live_bytes


def test_what_grows_stands_first_and_with_its_holder() -> None:
    with kept_and_dropped().build() as log:
        found, places = leaks(log), Places.of(log)
        run = ended(log).cycles.run
    section, findings = alive(found, places, "next")
    assert section.meaning.startswith("Growing: 1 kind of objects")
    growing, by_line, by_type = (one for one in section.blocks if isinstance(one, Table))
    assert [[cell.text for cell in row] for row in growing.rows] == [
        ["app.Entry", "a.py:7 keep", "40", "7.8 KiB", "7.8 KiB", "module.entries -> Entry"]
    ]
    assert [(row[0].raw, row[2].raw, row[3].raw, row[4].raw) for row in by_line.rows] == [
        ("app.Entry", 40, 8000, "yes"),
        ("module", 1, 48, ""),
    ]
    assert [(row[0].raw, row[1].raw) for row in by_type.rows] == [("app.Entry", 40), ("module", 1)]
    for table, objects, size in ((by_line, 2, 3), (by_type, 1, 2)):
        assert sum(int(row[objects].raw or 0) for row in table.rows) == run.live_objects
        assert sum(int(row[size].raw or 0) for row in table.rows) == run.live_bytes
    assert [(one.id, one.level, one.figure) for one in findings] == [("grows-1", "warning", 40.0)]
    told = [one for one in section.blocks if isinstance(one, Words)]
    assert told[0].level == "warning"
    assert "made at a.py:7 keep" in told[0].text
