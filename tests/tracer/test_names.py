"""Readings of a real program: what objects held, by the names that Python has for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from recording import Recorded, run_recorded

from gcreplay.replay.references import births_of
from gcreplay.store.events import NO_OBJECT
from gcreplay.store.log import EventLog
from gcreplay.store.readings import Reason, label_text

PROGRAM = """
import collections, functools, gc, itertools
from gcreplay_capture import mark

gc.disable()
LONG = "k" * 81


class Order:
    def __init__(self):
        self.me = self
        self.lines = [None, self, (self,)]
        self.by = {"name": self, LONG: self, 5: self, (1,): self}


class Slotted(list):
    __slots__ = ("left", "länge日", "__dict__")


class Pair:
    __slots__ = ("left", "right")


class Many(Pair):
    def __init__(self, i):
        if i % 2:
            self.right = self
        self.left = None if i % 3 else self
        self.own = None if i % 5 else self
        if i == 40:
            self.late = self
        if i >= 45:
            vars(self)


class Failed(Exception):
    pass


def slotted():
    it = Slotted([1])
    it.left = it.right = it.länge日 = it
    it.append(it)


def closure():
    def inner():
        return inner
    return inner


def generator(of):
    kept = of
    yield kept


def failed():
    try:
        raise Failed("x")
    except Failed as error:
        error.cause_of = error


def others():
    box = []
    box.append(collections.deque([0, box]))
    box.append({1, closure, (9, len(box))})
    box.append(functools.partial(print, box))
    box.append(box.append)
    box.append(itertools.chain([box]))
    cached = functools.lru_cache(lambda of: box)
    cached(None)
    box.append(cached)
    box.append(collections.OrderedDict(x=box))


def marked(order):
    mark("step 1")
    mark("step 20")


gc.collect()
Order()
slotted()
for some in range(40), range(40, 50):  # 40 has one more attribute than all that were read before
    held = [[Many(i)] for i in some]
    for one in held:
        one.append(one)
    del held, one
    gc.collect()
closure()
wait = []
wait.append(generator(wait))
next(wait[0])
del wait
failed()
others()
gc.collect()
order = Order()
marked(order)
order.late = order
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("names")
    (folder / "program.py").write_text(PROGRAM)
    done = run_recorded(folder, "program.py")
    assert done.ran.exit_code == 0, done.ran.err
    assert done.summary.complete, done.summary.message
    return done


class Read:
    """Readings as a person reads them: `name -> type` of each link."""

    def __init__(self, path: Path) -> None:
        with EventLog.open(path) as log:
            self.labels, self.readings = log.labels, log.readings(frames=True)
            types, shapes = log.types, log.shapes  # each is read from the file
            type_of = [types[shape.type].qualified for shape in shapes]
            self.type_of = [type_of[one] for one in births_of(log).shape.tolist()]

    def links(self, type: str, reason: Reason = Reason.GARBAGE, title: str = "") -> list[set[str]]:
        """Those of each object of that type and title."""
        r = self.readings
        found = []
        for i in np.flatnonzero(r.reason == reason).tolist():
            held = int(r.object[i])
            named = "frame" if held == NO_OBJECT else self.type_of[held]
            if (named, self.labels[r.title[i]]) == (type, title):
                part = slice(*r.first[i : i + 2].tolist())
                links = zip(r.target[part].tolist(), r.label[part].tolist(), strict=True)
                found.append(
                    {f"{label_text(self.labels, b)} -> {self.type_of[a]}" for a, b in links}
                )
        return found


@pytest.fixture(scope="module")
def read(recorded: Recorded) -> Read:
    return Read(recorded.path)


ORDER = "__main__.Order"
SHORT = "k" * 77


def test_attributes_of_an_object_have_their_names(read: Read) -> None:
    mine = {f".me -> {ORDER}", ".lines -> list", ".by -> dict", ".__class__ -> type"}
    assert read.links(ORDER) == [mine]


def test_places_in_a_list_count_what_is_no_container_too(read: Read) -> None:
    assert {f"[1] -> {ORDER}", "[2] -> tuple"} in read.links("list")


def test_a_text_key_is_told_in_full_up_to_80_characters_and_any_other_by_its_type(
    read: Read,
) -> None:
    keys = {f"['name'] -> {ORDER}", f"['{SHORT}...'] -> {ORDER}", f"[int] -> {ORDER}"}
    assert {*keys, f"[tuple] -> {ORDER}", "(key) -> tuple"} in read.links("dict")


def test_slots_attributes_and_items_of_one_object_keep_apart(read: Read) -> None:
    (links,) = read.links("__main__.Slotted")
    own = {f"{name} -> __main__.Slotted" for name in (".left", ".länge日", "[1]")}
    assert links == {*own, ".__dict__ -> dict", ".__class__ -> type"}


def test_names_are_right_for_each_of_many_objects_of_a_class(read: Read) -> None:
    many = "__main__.Many"
    told = read.links(many)
    assert len(told) == 50
    for i, links in enumerate(told):
        slots = {".right": i % 2, ".left": i % 3 == 0}
        own = {".own": i % 5 == 0, ".late": i == 40} if i < 45 else {}
        names = {f"{name} -> {many}" for name, there in {**slots, **own}.items() if there}
        assert links == {*names, ".__class__ -> type"} | (
            {".__dict__ -> dict"} if i >= 45 else set()
        )


def test_a_cell_is_called_as_its_variable(read: Read) -> None:
    assert read.links("cell", title="inner") == [{".cell_contents -> function"}]
    (links,) = read.links("function", title="closure.<locals>.inner")
    assert ".__closure__ -> tuple" in links


def test_locals_of_a_generator_have_their_names(read: Read) -> None:
    (links,) = read.links("generator", title="generator")
    assert {":of -> list", ":kept -> list"} <= links


def test_an_exception_names_its_traceback(read: Read) -> None:
    (links,) = read.links("__main__.Failed")
    assert {".__traceback__ -> traceback", ".args -> tuple", ".__dict__ -> dict"} <= links


@pytest.mark.parametrize(
    ("type", "link"),
    [
        ("collections.deque", "[1] -> list"),
        ("functools.partial", ".args -> tuple"),
        ("itertools.chain", ".(source) -> tuple_iterator"),
        ("functools._lru_cache_wrapper", "(result) -> list"),
        ("set", "(element) -> tuple"),
        ("collections.OrderedDict", "['x'] -> list"),
    ],
)
def test_objects_of_built_in_types_name_what_they_hold(read: Read, type: str, link: str) -> None:
    assert any(link in links for links in read.links(type))


def test_a_bound_builtin_names_its_object(read: Read) -> None:
    assert {".__self__ -> list"} in read.links("builtin_function_or_method", title="append")


def test_at_a_mark_the_locals_of_running_frames_are_told(read: Read) -> None:
    (links,) = read.links("frame", Reason.MARK, "marked")
    assert f":order -> {ORDER}" in links


def test_of_marks_that_differ_in_numbers_the_first_is_read(read: Read) -> None:
    assert len(read.links("frame", Reason.MARK, "<module>")) == 1


def test_at_the_end_only_what_has_changed_is_sent(read: Read) -> None:
    (links,) = read.links(ORDER, Reason.END)
    assert f".late -> {ORDER}" in links
    assert read.links("module", Reason.MARK, "gc")
    assert not read.links("module", Reason.END, "gc")


def test_labels_reads_whatever_a_probe_writes(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import gc\nheld = [[]]\nheld[0].append(held)\ngc.collect()\n"
    )
    done = run_recorded(tmp_path, "program.py", labels=True)
    links = Read(done.path).links("list", Reason.LOOK)
    assert links.count({"[0] -> list"}) >= 2
