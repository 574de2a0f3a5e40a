"""Policies that are not what a policy is: each is told in one sentence, with its line."""

import re
import textwrap
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import given
from strategies import ODD_VALUES, valid_builders

from gcreplay.replay import OWN_SPACE, Policy, known_policies, make_policy, replay
from gcreplay.replay.policies import registry
from gcreplay.store import TraceBuilder
from gcreplay.store.errors import UsageError

HEAD = "from gcreplay.replay import Policy\n"


def log():
    b = TraceBuilder()
    b.start()
    b.mark("m")
    for _ in range(20):
        x = b.alloc("Node", module="app")
        b.link(x, x)
        b.decref(x)
        b.tick(5)
    b.gc_call("collect")
    b.mark("m")
    return b.build()


def written(folder: Path, body: str, attributes: str = "") -> str:
    """A policy in a file whose `begin` is this body, from line 5 on."""
    path = folder / "odd.py"
    begin = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    start = f"    def begin(self, heap, start):\n{begin}\n"
    path.write_text(f"{HEAD}class P(Policy):\n    summary = 'odd'\n    {attributes}\n{start}")
    return f"{path}:P"


def told(policy: str | Policy) -> str:
    with pytest.raises(UsageError) as caught:
        replay(log(), policy)
    assert caught.value.exit_code == 2
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("heap.arm(allocations=2**63)", "allocations must be a whole number from -9223372036854"),
        ("heap.arm(allocations=1.5)", "not 1.5"),
        ("heap.arm(allocations=True)", "not true"),
        ("heap.arm(bytes=-1)", "bytes must be a whole number from 0 to .*, not -1"),
        ("heap.arm(tick=2**64)", "tick must be a whole number"),
        ("heap.arm(tick='soon')", 'not "soon"'),
        ("heap.collect(7)", "generation must be a whole number from 0 to 2, not 7"),
        ("heap.collect(-1)", "not -1"),
        ("heap.collect('x')", 'not "x"'),
        ("heap.collect(0, into=4)", "into must be a whole number from 0 to 3, not 4"),
        ("heap.collect(0, untrack=16)", "untrack must be a whole number from 0 to 15, not 16"),
        ("heap.size(4)", "generation must be a whole number from 0 to 3, not 4"),
        ("heap.collect(5)", "generation must be a whole number from 0 to 2, not 5"),
        ("heap.collect(0, spare=True)", "links are not counted"),
        ("heap.collect(1, front=(1, 1))", "front must be a whole number from 2 to 2, not 1"),
        ("heap.collect(1, front=(2, -1))", "the size of front must be a whole number from 0 to"),
        ("heap.scan(0, 0, 1, limit=1)", "scanning takes three lists"),
        ("heap.scan(0, 1, 2, limit=-1)", "limit must be a whole number from 0 to"),
        ("heap.mark(0)", "links are not counted"),
        ("heap.move(1, into=0, held=True)", "links are not counted"),
        ("heap.young = -1", "young must be"),
        ("heap.young = 2**64", "young must be"),
        ("heap.enabled = 1", "enabled must be true or false, not 1"),
        ("heap.engine = None", "AttributeError"),
        ("heap.collections.append(1)", "AttributeError"),
        ("heap.sequence = 5", "AttributeError"),
        ("heap.mine = 5", "AttributeError"),
        ("raise type('E', (Exception,), {'__str__': lambda self: exit()})", "in begin: E$"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise BaseException('a\\nb')", "BaseException: a b"),
        ("self.begin(heap, start)", "RecursionError: maximum recursion depth"),
        ("import json; json.loads('{')", "JSONDecodeError: Expecting property name"),
    ],
)
def test_what_goes_wrong_in_a_policy_is_told_with_its_line(tmp_path, body, says):
    said = told(written(tmp_path, body))
    assert said.startswith(f"{tmp_path / 'odd.py'}:6, in begin: ")
    assert re.search(says, said)


def test_a_policy_that_only_counts_passes_over_the_programs_collections(tmp_path):
    result = replay(log(), written(tmp_path, "pass", "counts_only = True"))
    never = replay(log(), "never")
    assert (result.collections, result.live_objects) == ((), 20)
    assert result.freed_by_refcount == never.freed_by_refcount


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ("needs = 'ticks'", 'needs must be a set of texts, not "ticks"'),
        ("needs = {1}", "needs must be a set of texts, not a set"),
        ("marks = None", "marks must be a set of texts, not null"),
        ("counts_only = 'no'", 'counts_only must be True or False, not "no"'),
        ("foresees = 1", "foresees must be True or False, not 1"),
        ("counts_in = -1", "counts_in must be a whole number from 0 to 2147483647, not -1"),
        ("counts_in = True", "counts_in must be a whole number from 0 to 2147483647, not true"),
        ("counts_in = 5", "counts_in is only for policies with counts_links"),
        ("counts_tracking = True", "counts_tracking is only for policies with counts_links"),
        (
            "counts_links = counts_tracking = True; counts_in = 5",
            "the young counter is that of counts_tracking or that of counts_in, not both",
        ),
        ("spaces = 252", "spaces must be a whole number from 0 to 251, not 252"),
        ("counts_links = True; suspects = 5", "suspects must be one of its own spaces, not 5"),
        ("counts_links = True; spaces = 1; suspects = 6", "one of its own spaces, not 6"),
        ("spaces = 1; suspects = 5", "suspects is only for policies with counts_links"),
        ("places = {'app.py'}", "places must be a set of files and lines"),
        ("from_arguments = classmethod(lambda cls, text: text)", "its from_arguments returns"),
        ("from_arguments = None", "P: TypeError"),
        ("def on_allocations(self): pass", None),
        ("def recorded_storage(self): pass", "P: TypeError: P.recorded_storage() takes 1"),
        ("async def on_tick(self, heap): pass", "on_tick is a coroutine or generator"),
        ("def on_mark(self, heap, label): yield", "on_mark is a coroutine or generator"),
        ("def __init__(self, x): pass", "P: TypeError: P.__init__() missing 1"),
        ("needs = property(lambda self: 1 / 0)", "ZeroDivisionError"),
    ],
)
def test_a_class_that_is_no_policy_says_what_is_wrong(tmp_path, attributes, says):
    spec = written(tmp_path, "heap.arm(allocations=3)", attributes)
    said = told(spec)
    assert (says or "P: TypeError: P.on_allocations() takes 1") in said
    assert str(tmp_path / "odd.py") in said


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("class P(:", "fails to run: SyntaxError: "),
        ("import sys; sys.exit(0)", "fails to run: SystemExit: 0"),
        ("raise BaseException", "fails to run: BaseException"),
        ("\0", "fails to run: "),
        ("def __getattr__(name): raise ValueError(name)", "fails to run: ValueError: "),
        ("class P: pass", "is no policy: it must subclass gcreplay.replay.Policy"),
        (HEAD + "class P(Policy): pass", "is no whole policy: it must define begin"),
        (HEAD + "P = Policy", "is no whole policy: it must define begin"),
        (HEAD + "class M(type(Policy)):\n    def __call__(cls): return 5\n"
         "class P(Policy, metaclass=M):\n    def begin(self, h, s): pass", "returns 5"),
    ],
)  # fmt: skip
def test_a_file_that_has_no_policy_says_why(tmp_path, source, says):
    path = tmp_path / "odd.py"
    path.write_text(source)
    said = told(f"{path}:P")
    assert says in said
    assert str(path) in said


def test_an_installed_policy_that_fails_is_named(monkeypatch):
    point = EntryPoint("leaver", "sys:exit()", "gcreplay.policies")
    monkeypatch.setattr(EntryPoint, "load", lambda self: exec("raise SystemExit(3)"))
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    for ask in (lambda: make_policy("leaver"), known_policies):
        with pytest.raises(UsageError, match="the installed policy 'leaver' fails to load: Sys"):
            ask()


class Arming(Policy):
    """Arms everything at once and never disarms."""

    summary = "armed"

    def __init__(self) -> None:
        self.asked = 0

    def begin(self, heap, start):
        self.heap = heap
        heap.arm(allocations=-(2**63), bytes=0, tick=0)

    def on_allocations(self, heap):
        self.asked += 1

    on_bytes = on_tick = on_allocations


def test_a_policy_that_never_disarms_is_asked_once_an_event():
    policy = Arming()
    result = replay(log(), policy)
    assert policy.asked == 20 + 20  # births and ticks
    assert [made.collected for made in result.collections] == [20]  # the program's own call
    policy.heap.collect(2)  # after the end it changes no result
    assert [made.collected for made in result.collections] == [20]


def test_ctrl_c_in_a_policy_is_no_error_of_it(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        replay(log(), written(tmp_path, "raise KeyboardInterrupt"))


class Odd(Policy):
    """Hands one odd value to everything that a policy may call."""

    summary = "odd"
    counts_links = True
    spaces, suspects = 1, OWN_SPACE

    def __init__(self, value, where) -> None:
        self.value, self.where = value, where

    def begin(self, heap, start):
        heap.arm(allocations=1)

    def on_allocations(self, heap):
        value = self.value
        match self.where:
            case 0:
                heap.arm(allocations=value)
            case 1:
                heap.arm(bytes=value)
            case 2:
                heap.arm(tick=value)
            case 3:
                heap.collect(value)
            case 4:
                heap.collect(1, into=value)
            case 5:
                heap.collect(1, untrack=value)
            case 6:
                heap.size(value)
            case 7:
                heap.young = value
            case 8:
                heap.enabled = value
            case 9:
                heap.arm(suspects=value, recheck=value)
            case 10:
                heap.collect(1, front=(2, value), reach=True, called=value)
            case 11:
                heap.collect(OWN_SPACE, front=(value, 1), spare=True, goes_on=True)
            case 12:
                heap.scan(OWN_SPACE, value, 2, limit=1, called=1)
            case 13:
                heap.scan(0, 1, OWN_SPACE, limit=value, goes_on=value)
            case 14:
                heap.mark(value, roots=0, called=1)
            case 15:
                heap.mark(2, roots=value)
            case 16:
                heap.move(value, into=OWN_SPACE, held=True)
            case 17:
                heap.collect(1, reach=value, spare=value, goes_on=value)
            case 18:
                heap.untrack_tuples(value)


@given(valid_builders(), ODD_VALUES)
def test_whatever_a_policy_asks_for_it_is_done_or_told(builder, value):
    with builder.build() as recorded:
        for where in range(19):
            try:
                replay(recorded, Odd(value, where))
            except UsageError as error:
                assert "in on_allocations: ValueError: " in str(error)
                # A text stands in quotes, as it is: whoever shows the sentence escapes it.
                assert re.sub('"(?s:.*)"', "", str(error)).isprintable()
