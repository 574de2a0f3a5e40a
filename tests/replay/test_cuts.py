"""References cut: figures worked out by hand, and every log against one written without them."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from strategies import valid_builders

from gcreplay.replay.cuts import Cut, cut_log, replay
from gcreplay.replay.cuts.links import FOREVER, links_of
from gcreplay.replay.run import Replay
from gcreplay.store import EventLog, Op, TraceBuilder
from gcreplay.store.errors import NotFound, UsageError
from gcreplay.store.events import REPAIR_LABELS, UNFREEABLE, Flag, WeakUse
from gcreplay.store.readings import Reason, label_text

# -- which references are meant --


@pytest.mark.parametrize(
    ("text", "holder", "label"),
    [
        ("Line.order", "Line", ".order"),
        ("shop.orders.Line.order", "shop.orders.Line", ".order"),
        ("build.<locals>.Node.up", "build.<locals>.Node", ".up"),
        ("checkout:error", "checkout", ":error"),
        ("frame of checkout:error", "checkout", ":error"),
        ("Pool.run:(stack)", "Pool.run", ":(stack)"),
        ("dict['a.b:c']", "dict", "['a.b:c']"),
        ('dict["it\'s"]', "dict", "['it's']"),
        ("list[3]", "list", "[3]"),
        ("set(element)", "set", "(element)"),
    ],
)
def test_a_cut_is_a_holder_and_a_label(text: str, holder: str, label: str):
    cut = Cut.parse(text)
    assert (cut.holder, cut.label) == (holder, label)


@pytest.mark.parametrize("text", ["", "Line", ".order", "Line.", "Line.order ->", ":x", "a.b]"])
def test_anything_else_is_refused(text: str):
    with pytest.raises(UsageError, match="names no reference"):
        Cut.parse(text)


# -- by hand --


def orders(n: int, *, label: str | None = ".order") -> TraceBuilder:
    """Orders that hold a line, which holds them; each is dropped at once. Eight events each."""
    b = TraceBuilder()
    b.mark("begin")
    for _ in range(n):
        order = b.alloc("Order", module="shop", size=100, site=("shop.py", 1, "order"))
        line = b.alloc("Line", module="shop", size=50, site=("shop.py", 2, "line"))
        b.link(order, line, label=".line")
        b.link(line, order, label=label)
        b.decref(line)
        b.decref(order)
    return b


def test_without_the_edge_every_order_dies_when_it_is_dropped():
    with orders(1_000).build() as log:
        whole = Replay(log, "cpython-3.11").run()
        cut = replay(log, "cpython-3.11", cuts=[Cut.parse("Line.order")])
    assert (len(whole.collections), whole.collected, whole.freed_by_refcount) == (2, 1_400, 0)
    assert (len(cut.collections), cut.collected, cut.freed_by_refcount) == (0, 0, 2_000)
    assert (whole.peak_bytes, cut.peak_bytes) == (150 * 351, 150)
    assert (cut.peak_floating_objects, cut.events) == (0, whole.events)


def test_bounds_are_those_of_the_cut_program():
    with orders(10).build() as log:
        cuts = [Cut.parse("Line.order")]
        runs = {policy: replay(log, policy, cuts=cuts) for policy in ("never", "clairvoyant")}
    assert {run.freed_by_refcount for run in runs.values()} == {20}
    assert {run.peak_bytes for run in runs.values()} == {150}


def test_the_other_edge_frees_the_line_first():
    with orders(3).build() as log, cut_log(log, [Cut.parse("shop.Order.line")]) as cut:
        assert Replay(cut.log, "never").run().freed_by_refcount == 6
        assert (cut.chosen.labelled, cut.chosen.alike, cut.lost.objects) == (3, 0, 0)


def test_links_without_a_label_are_cut_with_those_that_are_like_them():
    b = orders(2)
    b_events = len(b)
    order, line = b.alloc("Order", module="shop"), b.alloc("Line", module="shop")
    b.link(line, order)
    b.decref(order)
    with b.build() as log, cut_log(log, [Cut.parse("Line.order")]) as cut:
        assert (cut.chosen.labelled, cut.chosen.alike) == (2, 1)
        assert cut.log.window(b_events + 2, b_events + 3).op.tolist() == [Op.KEPT]


def test_where_labels_differ_nothing_is_taken_to_be_alike():
    b = orders(1)
    order, line = b.alloc("Order", module="shop"), b.alloc("Line", module="shop")
    b.link(line, order)
    b.link(line, order, label=".last_order")
    with b.build() as log, cut_log(log, [Cut.parse("Line.order")]) as cut:
        assert (cut.chosen.labelled, cut.chosen.alike, order) == (1, 0, 2)


def test_an_attribute_is_also_that_key_of_the_instances_dictionary_and_of_no_other():
    b = TraceBuilder()
    line, other, order = b.alloc("Line", module="shop"), b.alloc("dict"), b.alloc("Order")
    own = b.alloc("dict")
    b.link(line, own, label=".__dict__")
    b.link(own, order, label="['order']")
    b.link(other, order, label="['order']")
    with b.build() as log, cut_log(log, [Cut.parse("Line.order")]) as cut:
        ops = cut.log.events().op.tolist()[4:]
        assert ops == [Op.LINK, Op.KEPT, Op.LINK]


def test_one_of_two_links_to_the_same_object_is_cut_and_undone():
    b = TraceBuilder()
    a, x = b.alloc("Pair", module="m"), b.alloc("list")
    b.link(a, x, label=".left")
    b.link(a, x, label=".right")
    b.decref(x)
    b.unlink(a, x, label=".left")  # kills x where .right is cut
    b.decref(a)
    with b.build() as log, cut_log(log, [Cut.parse("Pair.right")]) as cut:
        assert cut.log.events().op.tolist()[2:] == [
            Op.LINK, Op.KEPT, Op.DECREF, Op.UNLINK, Op.DECREF,
        ]  # fmt: skip
    b = TraceBuilder()
    a, x = b.alloc("Pair", module="m"), b.alloc("list")
    b.link(a, x, label=".left")
    b.link(a, x, label=".right")
    b.unlink(a, x, label=".right")
    with b.build() as log, cut_log(log, [Cut.parse("Pair.right")]) as cut:
        assert cut.log.events().op.tolist()[2:] == [Op.LINK, Op.KEPT, Op.KEPT]


def test_what_only_the_edge_kept_alive_is_missed_where_the_program_uses_it():
    b = TraceBuilder()
    cache = b.alloc("Cache", module="shop")
    entry = b.alloc("Entry", module="shop", site=("shop.py", 7, "get"))
    b.link(cache, entry, label=".last")
    b.decref(entry)  # dies here where the cache holds it weakly
    b.incref(entry)  # `entry = cache.last`
    b.decref(entry)
    b.decref(cache)
    with b.build() as log, cut_log(log, [Cut.parse("Cache.last")]) as cut:
        lost = cut.lost
        assert Replay(cut.log, "never").run().freed_by_refcount == 2
    assert lost.first is not None
    assert (lost.objects, lost.events, lost.first.event) == (1, 1, 4)
    assert (lost.first.type, lost.first.site) == ("shop.Entry", "shop.py:7")
    assert lost.sentence() == (
        "a weak reference would change the program: it still uses an object that nothing else "
        "holds (first at event 4: INCREF 1 by 1, of a shop.Entry made at shop.py:7)"
    )


def test_what_a_recorded_collection_does_to_its_garbage_is_no_use_of_it():
    b = TraceBuilder()
    a = b.alloc("Node", module="m", finalizer=1)
    b.link(a, a, label=".me")
    b.decref(a)
    with b.inside():
        b.incref(a)
        b.decref(a)
    with b.build() as log, cut_log(log, [Cut.parse("Node.me")]) as cut:
        assert (cut.lost.objects, cut.log.events().op.tolist()[3:]) == (
            0,
            [Op.INSIDE, Op.KEPT, Op.KEPT, Op.INSIDE],
        )


def test_what_was_there_before_the_recording_began_stays():
    b = TraceBuilder()
    a = b.alloc("Node", module="m")
    b.link(a, a, label=".me")
    b.start()
    b.link(a, a, label=".me")
    with b.build() as log, cut_log(log, [Cut.parse("Node.me")]) as cut:
        assert (cut.chosen.labelled, cut.chosen.older) == (1, 1)
        assert cut.log.events().op.tolist()[1:] == [Op.LINK, Op.START, Op.KEPT]


def test_a_cut_that_means_nothing_says_what_there_is():
    with orders(1).build() as log:
        for text, said in (
            ("Line.orders", "no such reference (did you mean Line.order?)"),
            ("shop.Lin.order", "no reference from a shop.Lin (did you mean shop.Line.order?)"),
            ("Order.order", "from a Order (did you mean shop.Line.order?)"),
            ("Order.qq", "from a Order (did you mean Order.line?)"),
            ("Else.qq", "the recording has names of no reference from a Else"),
        ):
            with pytest.raises(NotFound) as told:
                replay(log, "never", cuts=[Cut.parse(text)])
            assert str(told.value).endswith(said)
    with orders(1, label=None).build() as log, pytest.raises(NotFound) as told:
        replay(log, "never", cuts=[Cut.parse("Line.order")])
    assert str(told.value).endswith("names of no reference from a Line")


# -- names that come from readings --


def test_a_reading_names_links_that_were_taken_before_it_and_stand():
    b = TraceBuilder()
    a, x, y = b.alloc("Pair", module="m"), b.alloc("list"), b.alloc("list")
    b.link(a, x)  # 3
    b.link(a, y)  # 4
    b.unlink(a, y)
    b.link(a, y)  # 6
    b.read(a, [(x, ".left"), (y, ".right")])
    b.link(a, x)  # 7
    with b.build() as log:
        links = links_of(log)
        assert [log.labels[label] for label in links.label] == [".left", "", ".right", ""]
        assert links.undone.tolist() == [FOREVER, 5, FOREVER, FOREVER]


def test_one_target_under_two_names_gives_them_in_the_order_of_its_links():
    b = TraceBuilder()
    a, x = b.alloc("list"), b.alloc("list")
    b.link(a, x)
    b.link(a, x, label="(opaque)")
    b.link(a, x)
    b.read(a, [(x, 0), (x, 7)])
    with b.build() as log:
        labels = [label_text(log.labels, label) for label in links_of(log).label.tolist()]
        assert labels == ["[0]", "", "[7]"]
        with cut_log(log, [Cut.parse("list[7]")]) as cut:
            assert cut.log.events().op.tolist()[2:] == [Op.LINK, Op.LINK, Op.KEPT]


def test_a_frame_is_meant_by_the_name_of_its_function():
    b = TraceBuilder()
    for title in ("checkout", "refund", "shop.views.checkout"):
        frame, error = b.alloc("frame"), b.alloc("ValueError")
        b.link(frame, error)
        b.read(frame, [(error, ":error")], title=title)
    with b.build() as log, cut_log(log, [Cut.parse("frame of checkout:error")]) as cut:
        kept, linked = [Op.ALLOC, Op.ALLOC, Op.KEPT], [Op.ALLOC, Op.ALLOC, Op.LINK]
        assert cut.log.events().op.tolist() == [*kept, *linked, *kept]


def test_what_running_frames_held_is_still_read():
    b = orders(1)
    b.read(None, [(0, ":order")], "checkout", Reason.END)
    with b.build() as log, cut_log(log, [Cut.parse("Line.order")]) as cut:
        assert cut.log.readings(frames=True) == log.readings(frames=True)
        assert len(cut.log.readings(frames=True)) == 1


# -- against a log that is written without the links --


def references(log: EventLog) -> list[Cut]:
    """All that a cut of the log may mean."""
    types = types_of(log)
    found = {(types[a], log.labels[c]) for op, a, _, c in rows(log) if op == Op.LINK}
    return [Cut(holder, label) for holder, label in sorted(found) if label not in UNNAMED]


UNNAMED = ("", "(opaque)")


def types_of(log: EventLog) -> list[str]:
    """By object."""
    return [log.types[log.shapes[b].type].qualified for op, _, b, _ in rows(log) if op == Op.ALLOC]


def left_out(log: EventLog, wanted: Cut) -> set[int]:
    """The events that take or undo a link of that label from such a holder, or one without a label
    to a target of a type to which all with a label are of that one."""
    types, labels = types_of(log), log.labels
    known: dict[tuple[str, str], set[str]] = {}
    for op, a, b, c in rows(log):
        if op == Op.LINK and labels[c] not in UNNAMED:
            known.setdefault((types[a], types[b]), set()).add(labels[c])
    out: set[int] = set()
    links: dict[tuple[int, int], list[tuple[int, bool]]] = {}  # label, cut; oldest first
    for sequence, (op, a, b, c) in enumerate(rows(log)):
        if op == Op.LINK:
            alike = labels[c] == "" and known.get((types[a], types[b])) == {wanted.label}
            cut = types[a] == wanted.holder and (labels[c] == wanted.label or alike)
            links.setdefault((a, b), []).append((c, cut))
        elif op == Op.UNLINK:
            mine = links[a, b]
            every = range(len(mine))
            best = [[i for i in every if mine[i][0] == label] for label in (c, 0)]
            _, cut = mine.pop(next(found[-1] for found in (*best, every) if found))
        if op in (Op.LINK, Op.UNLINK) and cut:
            out.add(sequence)
    return out


def written_without(log: EventLog, out: set[int]) -> tuple[TraceBuilder, int | None, bool]:
    """The log written without those events; up to where: the first event that names what is dead by
    then; whether that takes a reference to it."""
    immortal = {shape.id for shape in log.shapes if shape.flags & Flag.IMMORTAL}
    held: Counter[int] = Counter()
    links: dict[int, list[int]] = {}

    def dies(waiting: list[int]) -> None:
        while waiting:
            one = waiting.pop()
            if one in links and not held[one] and not any(one in each for each in links.values()):
                waiting += links.pop(one)

    b = TraceBuilder()
    b.take_names({table.table.name: table.rows for table in log.names.tables})
    for sequence, (op, x, y, c) in enumerate(rows(log)):
        if sequence in out or op == Op.KEPT:
            continue
        if op == Op.ALLOC:
            held[x], links[x] = 1 + (y in immortal), []
        two = op in (Op.LINK, Op.UNLINK) or (op == Op.WEAKREF and c != WeakUse.MISS)
        if op in NAMING and not {x, y if two else x} <= set(links):
            if op == Op.TRACK and y == UNFREEABLE:  # said of it as of its birth
                continue
            takes = op == Op.INCREF and log.labels[c] not in REPAIR_LABELS.values()
            points = op in (Op.LINK, Op.WEAKREF) and x in links
            return b, sequence, takes or points
        match op:
            case Op.INCREF:
                held[x] += y
            case Op.DECREF:
                held[x] -= y
                dies([x])
            case Op.LINK:
                links[x].append(y)
            case Op.UNLINK:
                links[x].remove(y)
                dies([y])
        b.event(op, x, y, c)
    return b, None, False


NAMING = (Op.INCREF, Op.DECREF, Op.LINK, Op.UNLINK, Op.RESIZE, Op.TRACK, Op.UNTRACK, Op.WEAKREF)


def rows(log: EventLog) -> Iterator[tuple[int, int, int, int]]:
    for segment in log.segments():
        yield from zip(*(column.tolist() for column in segment.columns()), strict=True)


@settings(phases=[phase for phase in Phase if phase is not Phase.shrink])  # that takes minutes
@given(
    builder=valid_builders(found_heap=False, regions=False),
    which=st.integers(0, 7),
    policy=st.sampled_from(["never", "cpython-3.11", "generational:3,2,2", "clairvoyant"]),
)
def test_cut_and_never_written_are_one(builder: TraceBuilder, which: int, policy: str):
    with builder.build() as log:
        if not (every := references(log)):
            return
        cut = every[which % len(every)]
        written, first, uses = written_without(log, left_out(log, cut))
        with cut_log(log, [cut]) as less:
            seen = less.lost.first
            if first is not None:
                assert uses == (seen is not None and seen.event == first)
                assert seen is None or seen.event >= first
                return
            assert seen is None
            with written.build() as rest:
                ours, theirs = Replay(less.log, policy), Replay(rest, policy)
                theirs.modelled = True
                assert figures(ours) == figures(theirs)


def figures(play: Replay) -> object:
    """All that a replay counts, but where in the log: what is left out shifts no event of ours."""
    return _unplaced(play.run().to_json())


def _unplaced(told: object) -> object:
    if isinstance(told, list):
        return [_unplaced(one) for one in told]
    if not isinstance(told, dict):
        return told
    placed = ("event", "sequence", "hash")
    return {
        name: _unplaced(one)
        for name, one in told.items()
        if not any(word in name for word in placed)
    }
