"""What is alive, what of it grows and what holds it, in logs written by hand.

All programs here have a module that holds a dictionary, as every program has, and set a mark before
each of their requests.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import valid_logs

from gcreplay.replay import replay
from gcreplay.replay.leaks import Leak, Leaks, grown, leaks
from gcreplay.replay.leaks.lives import lives
from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.errors import UsageError
from gcreplay.store.readings import Reason

REQUESTS = 48
SITE = ("app.py", 7, "handle")


class Program:
    """A log in the making. Objects are made at `SITE`, 100 bytes each, unless said otherwise."""

    def __init__(self) -> None:
        self.trace = TraceBuilder()
        self.module = self.trace.alloc("module")
        self.globals = self.held_by(self.module, "dict", ".__dict__")
        self.trace.start()

    def make(self, type: str, size: int = 100, module: str = "app") -> int:
        return self.trace.alloc(type, size=size, module=module, site=SITE)

    def held_by(self, holder: int, type: str, label: str, module: str = "builtins") -> int:
        """A new object that nothing else holds."""
        made = self.make(type, module=module)
        self.give(made, holder, label)
        return made

    def give(self, object: int, holder: int, label: str) -> None:
        """The holder takes what running code held."""
        self.trace.link(holder, object, label=label)
        self.trace.decref(object)

    def serve(self, handle: Callable[[int], None], requests: int = REQUESTS) -> None:
        for i in range(requests):
            self.trace.mark(f"request {i}")
            handle(i)

    def leaks(self, between: tuple[str, str] | None = None) -> Leaks:
        with self.trace.build() as log:
            return leaks(log, between=between)


@pytest.fixture
def program() -> Program:
    return Program()


def the_leak(found: Leaks) -> Leak:
    (leak,) = found.growing
    return leak


def edges(leak: Leak) -> list[tuple[str, str]]:
    return [(step.edge, step.type) for step in leak.path]


def test_a_list_to_which_every_request_adds_grows(program: Program) -> None:
    history = program.held_by(program.globals, "list", "['HISTORY']")
    program.serve(lambda i: program.held_by(history, "Entry", "", "app") and None)
    found = program.leaks()
    leak = the_leak(found)
    assert (leak.kind.type, leak.kind.objects, leak.kind.bytes) == ("app.Entry", 48, 4800)
    assert (found.unit, found.steps, leak.growth.whole) == ("request #", 47, 4800)
    assert leak.retained == 4800
    assert edges(leak) == [("", "module"), (".HISTORY", "list"), ("", "app.Entry")]


def test_the_holder_is_what_all_ways_pass_through_last(program: Program) -> None:
    history = program.held_by(program.globals, "list", "['HISTORY']")

    def handle(i: int) -> None:
        entry = program.held_by(history, "Entry", "", "app")
        program.held_by(entry, "list", ".payload")

    program.serve(handle)
    found = program.leaks()
    leak = the_leak(found)
    assert leak.kind.type == "app.Entry"
    assert [kind.type for kind in leak.similar] == ["list"]
    assert leak.holder is not None and leak.holder.path[-1].object == history
    assert leak.holder.share == 1
    assert leak.retained == 9600 and leak.holder.retained == 9700
    assert found.holder == leak.holder


def test_two_registers_together_are_no_single_holder(program: Program) -> None:
    one = program.held_by(program.globals, "dict", "['BY_NAME']")
    other = program.make("Registry")  # a local variable of the main function

    def handle(i: int) -> None:
        entry = program.held_by(one, "Entry", f"['{i}']", "app")
        program.trace.link(other, entry)

    program.serve(handle)
    leak = the_leak(program.leaks())
    assert leak.holder is None
    assert leak.retained == 4800
    assert edges(leak)[1] == (".BY_NAME", "dict")  # what has a name is shown first


def test_a_cache_that_fills_and_stays_does_not_grow(program: Program) -> None:
    cache = program.held_by(program.globals, "dict", "['CACHE']")

    def handle(i: int) -> None:
        if i < 30:
            program.held_by(cache, "Page", f"['{i}']", "app")

    program.serve(handle)
    found = program.leaks()
    assert found.enough and not found.growing
    assert ("app.Page", 30) in [(kind.type, kind.objects) for kind in found.kinds]


def test_a_cache_of_the_last_ten_does_not_grow(program: Program) -> None:
    cache = program.held_by(program.globals, "dict", "['CACHE']")
    pages: list[int] = []

    def handle(i: int) -> None:
        pages.append(program.held_by(cache, "Page", "", "app"))
        if len(pages) > 10 + i % 3:
            program.trace.unlink(cache, pages.pop(0))

    program.serve(handle)
    assert not program.leaks().growing


def test_a_list_that_grows_by_itself_is_what_grows(program: Program) -> None:
    names = program.held_by(program.globals, "list", "['NAMES']")
    program.serve(lambda i: program.trace.resize(names, 500 * (i + 1)))
    leak = the_leak(program.leaks())
    assert (leak.kind.type, leak.kind.objects) == ("list", 1)
    assert leak.kind.bytes == 100 + 48 * 500
    assert leak.growth.whole == 48 * 500
    assert leak.holder is not None and leak.holder.path[-1].object == names


def test_what_multiplies_is_named_before_the_list_that_becomes_longer_by_it(
    program: Program,
) -> None:
    history = program.held_by(program.globals, "list", "['HISTORY']")

    def handle(i: int) -> None:
        program.held_by(history, "Entry", "", "app")
        program.trace.resize(history, 200 * (i + 1))

    program.serve(handle)
    leak = the_leak(program.leaks())
    assert leak.kind.type == "app.Entry"
    assert [(kind.type, kind.objects) for kind in leak.similar] == [("list", 1)]


def test_a_list_of_nodes_is_kept_by_its_first(program: Program) -> None:
    nodes = [program.held_by(program.globals, "Node", "['FIRST']", "app")]
    program.serve(lambda i: nodes.append(program.held_by(nodes[-1], "Node", ".next", "app")))
    leak = the_leak(program.leaks())
    assert leak.kind.objects == 49
    assert leak.holder is not None and leak.holder.path[-1].object == nodes[0]


def test_garbage_is_not_alive(program: Program) -> None:
    def handle(i: int) -> None:
        cycle = program.make("Cycle")
        program.trace.link(cycle, cycle)
        program.trace.decref(cycle)

    program.serve(handle)
    found = program.leaks()
    assert not found.growing
    assert {kind.type for kind in found.kinds} == {"module", "dict"}


def test_what_only_c_code_holds_is_held_by_nothing_visible(program: Program) -> None:
    program.serve(lambda i: program.make("Handle") and None)
    leak = the_leak(program.leaks())
    assert (leak.unseen, leak.holder) == (48, None)
    assert edges(leak) == [("", "app.Handle")]


def test_between_two_marks_only_what_was_born_there_counts(program: Program) -> None:
    history = program.held_by(program.globals, "list", "['HISTORY']")
    program.serve(lambda i: program.held_by(history, "Entry", "", "app") and None)
    found = program.leaks(("request 10", "request 14"))
    assert [(kind.type, kind.objects) for kind in found.kinds] == [("app.Entry", 4)]
    assert (found.objects, found.bytes) == (4, 400)
    (leak,) = found.staying or found.growing
    assert leak.holder is not None and leak.holder.path[-1].object == history


def test_what_takes_the_place_of_another_between_two_marks_does_not_grow(
    program: Program,
) -> None:
    cache = program.held_by(program.globals, "dict", "['CACHE']")
    pages: list[int] = []

    def handle(i: int) -> None:
        pages.append(program.held_by(cache, "Page", "", "app"))
        if i >= 50:
            program.trace.unlink(cache, pages[i - 50])

    program.serve(handle, requests=150)
    found = program.leaks(("request 60", "request 100"))
    assert [(kind.type, kind.objects, kind.growing) for kind in found.kinds] == [
        ("app.Page", 40, False)
    ]
    assert not found.growing
    assert [leak.kind.objects for leak in found.staying] == [40]


def test_marks_that_there_are_not_are_named(program: Program) -> None:
    program.serve(lambda i: None, requests=2)
    with pytest.raises(UsageError, match="there is no mark 'ready'; marks there: request 0, req"):
        program.leaks(("ready", "request 1"))
    with pytest.raises(UsageError, match="no mark 'request 0' behind the mark request 1"):
        program.leaks(("request 1", "request 0"))


def test_without_marks_growth_is_told_by_events(program: Program) -> None:
    history = program.held_by(program.globals, "list", "['HISTORY']")
    for _ in range(REQUESTS):
        program.held_by(history, "Entry", "", "app")
    found = program.leaks()
    assert found.unit == ""
    assert the_leak(found).kind.objects == 48


def test_too_few_events_tell_nothing(program: Program) -> None:
    found = program.leaks()
    assert not found.enough and not found.growing and found.kinds


# What was read at the end


def test_a_reading_of_the_end_names_links_and_knows_those_that_no_probe_has_seen(
    program: Program,
) -> None:
    history = program.held_by(program.globals, "deque", "")
    entries: list[int] = []
    program.serve(lambda i: entries.append(program.make("Entry")))  # appended, and not probed
    trace = program.trace
    trace.read(program.module, [(program.globals, ".__dict__")], "shop.audit", Reason.END)
    trace.read(program.globals, [(history, "['HISTORY']")], "", Reason.END)
    trace.read(history, [(entry, i) for i, entry in enumerate(entries)], "", Reason.END)
    found = program.leaks()
    leak = the_leak(found)
    assert found.named and found.whole
    assert leak.unseen == 0
    assert [step.called for step in leak.path] == ["module shop.audit", "deque", "Entry"]
    assert edges(leak)[1] == (".HISTORY", "deque")
    assert leak.path[-1].edge in [f"[{i}]" for i in range(REQUESTS)]
    assert leak.alike == (24, 24)
    assert leak.holder is not None and leak.holder.name == "shop.audit.HISTORY"


def test_a_reading_of_before_names_the_links_that_are_still_there(program: Program) -> None:
    history = program.held_by(program.globals, "list", "")
    trace = program.trace
    trace.read(program.module, [(program.globals, ".__dict__")], "shop", Reason.MARK)
    trace.read(program.globals, [(history, "['OLD']")], "", Reason.MARK)
    program.serve(lambda i: program.held_by(history, "Entry", "", "app") and None)
    found = program.leaks()
    assert found.named
    leak = the_leak(found)
    assert [step.called for step in leak.path] == ["module shop", "list", "Entry"]
    assert edges(leak)[1:] == [(".OLD", "list"), ("", "app.Entry")]
    assert leak.holder is not None and leak.holder.name == "shop.OLD"


def test_a_running_function_is_a_root_that_its_variables_name(program: Program) -> None:
    drafts = program.make("list", module="builtins")  # held by running code
    program.serve(lambda i: program.held_by(drafts, "Draft", "", "app") and None)
    program.trace.read(None, [(drafts, ":drafts")], "main", Reason.END)
    leak = the_leak(program.leaks())
    assert [step.called for step in leak.path] == ["frame of main", "list", "Draft"]
    assert edges(leak)[1] == (":drafts", "list")
    assert leak.holder is not None and leak.holder.path[-1].object == drafts


def test_what_nothing_seems_to_hold_is_held_as_the_heap_was_read_next(program: Program) -> None:
    entries: list[int] = []

    def handle(i: int) -> None:
        entries.append(program.make("Entry"))
        if i == 40:
            program.trace.read(history, [(entry, None) for entry in entries], "", Reason.MARK)

    history = program.held_by(program.globals, "list", "['HISTORY']")
    program.serve(handle)
    found = program.leaks(("request 10", "request 30"))
    (leak,) = found.growing
    assert edges(leak)[1:] == [(".HISTORY", "list"), ("", "app.Entry")]
    assert leak.unseen == 0


# Windows of calls


def calls(program: Program, *windows: Callable[[], None], each: int = 10) -> Leaks:
    """What grew in both of two windows of ten calls; before them stands one that warms up."""
    for label, call in zip(("warm", "once", "twice"), windows, strict=True):
        for _ in range(each):
            call()
        program.trace.mark(label)
    with program.trace.build() as log:
        return grown(log, ("warm", "once", "twice"), each)


def test_what_every_call_leaves_behind_is_counted_by_the_call(program: Program) -> None:
    history = program.held_by(program.globals, "list", "['HISTORY']")

    def leaking() -> None:
        program.held_by(history, "Entry", "", "app")

    found = calls(program, leaking, leaking, leaking)
    leak = the_leak(found)
    assert (found.unit, found.steps, leak.growth.whole) == ("call", 20, 2000)
    assert (leak.kind.objects, leak.kind.growth and leak.kind.growth.whole) == (20, 20)
    assert leak.holder is not None and leak.holder.path[-1].object == history


def test_what_only_one_window_leaves_does_not_grow(program: Program) -> None:
    history = program.held_by(program.globals, "list", "['HISTORY']")

    def leaking() -> None:
        program.held_by(history, "Entry", "", "app")

    assert not calls(program, leaking, leaking, lambda: None).growing
    assert not calls(Program(), lambda: None, lambda: None, lambda: None).growing


def test_a_list_that_was_there_before_may_grow_with_the_calls(program: Program) -> None:
    names = program.held_by(program.globals, "list", "['NAMES']")
    sizes = iter(range(100, 10_000, 100))
    append = [lambda: program.trace.resize(names, next(sizes))] * 3
    leak = the_leak(calls(program, *append))
    assert (leak.kind.type, leak.kind.objects, leak.growth.whole) == ("list", 1, 2000)


# Any program


@given(valid_logs())
def test_alive_is_what_a_perfect_collector_leaves(log: EventLog) -> None:
    with log:
        perfect = replay(log, "clairvoyant")
        found = leaks(log)
        assert (found.objects, found.bytes) == (perfect.live_objects, perfect.live_bytes)
        assert sum(kind.objects for kind in found.kinds) == found.objects
        assert sum(kind.bytes for kind in found.kinds) == found.bytes


@given(valid_logs(), st.data())
def test_the_lives_of_objects_agree_with_the_heap_at_any_moment(
    log: EventLog, data: st.DataObject
) -> None:
    with log:
        stop = data.draw(st.integers(0, log.event_count))
        then = lives(log, stop)
        alive = [i for i, end in enumerate(then.end.tolist()) if end > log.event_count]
        assert then.heap.id.tolist() == alive
        assert len(then.heap.target) == then.heap.begin[-1]
        assert all(target < len(then.heap) for target in then.heap.target.tolist())
