"""JSON Lines: round trips, hand-written files, and what is wrong with a line."""

import io
import json
import re
from dataclasses import asdict

import pytest
from hypothesis import given
from strategies import odd_json, valid_logs

from gcreplay.store import EventLog, Flag, InvalidLog, TraceBuilder
from gcreplay.store.errors import FileExists, MalformedLine
from gcreplay.store.events import ObservedCollection, Op, StartState
from gcreplay.store.exchange.jsonl import export_jsonl, import_jsonl
from gcreplay.store.exchange.records import records

COLLECTION = json.dumps(asdict(ObservedCollection(1, 2, "call", 2, 10, 3, 0, 7, 0, 55)))
NAMES = ("types", "sites", "labels", "shapes", "arguments", "observed", "lines")


def lines_of(log: EventLog) -> list[str]:
    out = io.StringIO()
    assert export_jsonl(log, out) == log.event_count
    return out.getvalue().splitlines()


@given(valid_logs())
def test_export_and_import_give_an_equal_log(log):
    log.add_observed([ObservedCollection(1, 2, "call", 2, 10, 3, 0, 7, 0, 55)])
    log.add_lines({("a.py", 3): "x = []", ("a.py", 9): ""})
    again = import_jsonl(lines_of(log))
    assert again.events() == log.events()
    for name in NAMES:
        assert getattr(again, name) == getattr(log, name)
    assert again.meta == log.meta
    assert lines_of(again) == lines_of(log)


def test_names_that_no_event_uses_and_arguments_written_otherwise_survive():
    with EventLog.in_memory() as log:
        log.add_type("m", "Unused")
        log.add_label("unused")
        log.add_argument('{"enabled":   false}')
        log.add_argument("[ 1 ]")
        b = TraceBuilder()
        b.event(0, 0)
        b.event(10, 0, 1)
        log.append(*b.columns())
        again = import_jsonl(lines_of(log))
        assert again.start == StartState(enabled=False)
        assert again.events() == log.events()
        for name in NAMES:
            assert getattr(again, name) == getattr(log, name)


def test_a_writer_may_leave_out_what_has_a_default():
    log = import_jsonl(
        [
            '{"gcreplay": 1}',
            '{"op": "alloc", "object": 0, "type": "list"}',
            '{"op": "alloc", "object": 1}',
            "",
            '{"op": "link", "source": 0, "target": 1, "n": 2}',
            '{"op": "decref", "object": 1}',
            '{"op": "gc-call", "call": "collect"}',
        ]
    )
    b = TraceBuilder()
    x, y = b.alloc("list"), b.alloc()
    b.link(x, y, n=2)
    b.decref(y)
    b.gc_call("collect", 2)
    assert log.events() == b.build().events()
    assert log.types[0].kind == "list"
    assert log.shapes[0].flags == Flag.GC | Flag.COUNTED | Flag.TRACKED


def test_objects_refer_to_a_link_n_times_as_n_events():
    b = TraceBuilder()
    x = b.alloc("list")
    b.link(x, x, n=2)
    records = [json.loads(line) for line in lines_of(b.build())[2:]]
    assert records == [{"op": "link", "source": 0, "target": 0}] * 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 3: not JSON"),
        ("[]", "line 3: an event must be an object, not a list of 0"),
        ("{}", 'line 3: op must be one of start, alloc, .*, not ""'),
        ('{"op": "free"}', 'line 3: op must be one of .*, not "free"'),
        ('{"op": "alloc", "object": 7}', "line 3: object ids are dense: the next object is 1"),
        (
            '{"op": "alloc", "object": 1, "flags": ["fast"]}',
            'line 3: each of flags must be one of gc, counted, tracked, .*, not "fast"',
        ),
        (
            '{"op": "incref", "object": 0, "times": 2}',
            'line 3: incref has a key "times", known are object, n, label',
        ),
        ('{"op": "link", "source": 0}', "line 3: link needs a value of target"),
        ('{"op": "incref", "object": "0"}', 'line 3: object must be a whole number .*, not "0"'),
        ('{"op": "incref", "object": -1}', "line 3: object must be a whole number .*, not -1"),
        ('{"op": "incref", "object": true}', "not true"),
        ('{"op": "incref", "object": 0.0}', "not 0.0"),
        ('{"op": "incref", "object": 1e23}', "not 1e[+]23"),
        ('{"op": "incref", "object": NaN}', "line 3: NaN is no number of JSON"),
        ('{"op": "incref", "object": -Infinity}', "line 3: -Infinity is no number of JSON"),
        ('{"op": "incref", "object": 0, "n": 4294967296}', "n must be .* to 4294967295"),
        ('{"op": "incref", "object": ' + "9" * 5000 + "}", "line 3: a number of 5000 digits"),
        ('{"op": "incref", "object": 0, "object": 0}', 'the key "object" stands there twice'),
        ('{"op": "start", "state": ' + "[" * 200_000, "line 3: nested more than 100 deep"),
        ('{"op": "mark", "label": "\\ud800"}', r"label has half a surrogate pair.*\ud800"),
        ('{"op": "mark", "label": 7}', "label must be a text, not 7"),
        ('{"op": "mark", "label": []}', "label must be a text, not a list of 0"),
        ('{"op": "incref", "object": 0, "label": 0}', "label must be a text, not 0"),
        ('{"op": "alloc", "object": 1, "type": []}', "type must be a text, not a list of 0"),
        ('{"op": "alloc", "object": 1, "type": {}}', "type must be a text, not an object"),
        ('{"op": "alloc", "object": 1, "module": []}', "module must be a text, not a list of 0"),
        ('{"op": "gc_call", "call": []}', "call must be one of collect, .*, not a list of 0"),
        ('{"op": "gc_call", "call": "collect", "arguments": {}}', "arguments must be a list of"),
        ('{"op": []}', "op must be one of"),
        ('{"op": "link", "source": 0, "target": 0, "n": 4294967295}', "n must be .* to 1000000"),
        ('{"op": "resize", "object": 0, "bytes": 9223372036854775808}', "bytes must be"),
        ('{"op": "tick", "nanoseconds": 18446744073709551616}', "nanoseconds must be"),
        ('{"op": "weakref", "object": 0, "target": 0, "callback": 1}', "true or false, not 1"),
        ('{"op": "inside", "begin": "yes"}', 'begin must be true or false, not "yes"'),
        ('{"op": "alloc", "object": 1, "kind": "set"}', "kind must be one of other, list"),
        ('{"op": "alloc", "object": 1, "size": -1}', "size must be"),
        ('{"op": "alloc", "object": 1, "finalizer": 3}', "finalizer must be .* from 0 to 2"),
        ('{"op": "alloc", "object": 1, "site": {"file": "a", "line": "1"}}', "line must be"),
        ('{"op": "gc_call", "call": "sleep"}', 'call must be one of collect, .*, not "sleep"'),
        ('{"op": "gc_call", "call": "collect", "arguments": [7]}', "from 0 to 2, not 7"),
        ('{"op": "gc_call", "call": "collect", "arguments": [-1]}', "from 0 to 2, not -1"),
        ('{"op": "gc_call", "call": "enable", "arguments": [1]}', "a list of 0 whole numbers"),
        ('{"op": "gc_call", "call": "set_threshold", "arguments": [1, 2]}', "a list of 3"),
        ('{"op": "gc_call", "call": "set_debug", "arguments": [2147483648]}', "to 2147483647"),
        ('{"op": "start", "state": []}', "the state must be an object, not a list of 0"),
        ('{"op": "start", "state": {"count": [1]}}', "count must be a list of 3 whole numbers"),
        ('{"op": "start", "state": {"count": [1, 1.5, 1]}}', "each of count must be .*, not 1.5"),
        ('{"op": "start", "state": {"threshold": [2147483648, 1, 1]}}', "each of threshold"),
        ('{"op": "start", "state": {"enabled": 1}}', "enabled must be true or false, not 1"),
        ('{"op": "start", "state": {"long_lived_total": -1}}', "long_lived_total must be"),
        ('{"op": "start", "state": {"free_lists": {"list": -1}}}', "list must be a whole number"),
        ('{"op": "start", "state": {"free_lists": {"set": 1}}}', 'has a key "set"'),
        (
            '{"op": "start", "state": {"free_lists": {"tuple": [' + "0, " * 20 + "0]}}}",
            "tuple must be a list of up to 20 numbers, not 21",
        ),
    ],
)
def test_a_line_that_is_no_event_is_named(line, says):
    with pytest.raises(MalformedLine, match=says) as caught:
        import_jsonl(['{"gcreplay": 1}', '{"op": "alloc", "object": 0}', line])
    assert caught.value.line == 3
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        "{}",
        '{"op": "alloc"}',
        '{"gcreplay": 9}',
        '{"gcreplay": 1, "names": {"labels": [["x"]]}}',
        '{"gcreplay": 1, "names": {"types": [[1, 2]]}}',
        '{"gcreplay": 1, "observed": [{"when": 1}]}',
        '{"gcreplay": true}',
        '{"gcreplay": 1.0}',
        '{"gcreplay": 1, "names": {"types": [["m", "\\udfff", "other", 0]]}}',
        '{"gcreplay": 1, "names": {"types": [["m", "T", "set", 0]]}}',
        '{"gcreplay": 1, "names": {"types": [["m", "T", "other", 3]]}}',
        '{"gcreplay": 1, "names": {"shapes": [[0, 16, 1]]}}',
        '{"gcreplay": 1, "names": {"types": [["m", "T", "other", 0]], "shapes": [[0, 16, 64]]}}',
        '{"gcreplay": 1, "names": {"arguments": [["{"]]}}',
        '{"gcreplay": 1, "names": {"guests": []}}',
        '{"gcreplay": 1, "observed": [' + COLLECTION.replace("55", "9223372036854775808") + "]}",
        '{"gcreplay": 1, "observed": [' + COLLECTION.replace('"call"', '"whim"') + "]}",
        '{"gcreplay": 1, "observed": [' + COLLECTION.replace("55", "true") + "]}",
        '{"gcreplay": 1, "meta": []}',
        '{"gcreplay": 1, "meta": {"argv": "demo.py"}}',
        '{"gcreplay": 1, "meta": {"argv": [1]}}',
        '{"gcreplay": 1, "meta": {"python": 3.11}}',
        '{"gcreplay": 1, "meta": {"exit_code": "0"}}',
        '{"gcreplay": 1, "meta": {"repairs": {"hold": "many"}}}',
        '{"gcreplay": 1, "meta": {"complete": "no"}}',
        '{"gcreplay": 1, "meta": {"checksums": {}}}',
        '{"gcreplay": 1, "meta": {"mine": 1e999}}',
        '{"gcreplay": 1, "meta": {"mine": ' + "[" * 500 + "]" * 500 + "}}",
    ],
)
def test_a_bad_header_is_said(header):
    with pytest.raises(MalformedLine, match="line 1") as caught:
        import_jsonl([header])
    assert "\n" not in str(caught.value)


@given(odd_json())
def test_whatever_a_line_says_it_is_an_event_or_named(line):
    """In place of each value of each event, and of the header, whatever JSON can say."""
    try:
        import_jsonl(line).close()
    except (MalformedLine, InvalidLog) as error:
        assert len(str(error)) < 400
        # What was typed stands in quotes, as it is: whoever shows the sentence escapes it.
        assert re.sub('"(?s:.*)"', "", str(error)).isprintable()


def test_names_of_a_megabyte_or_with_a_null_are_names():
    b = TraceBuilder(self="a key of the writer's own")
    b.alloc("N" * 2**20, module="a\0b", site=("\0.py", 1, "f"))
    b.mark("m\0" * 3)
    log = b.build()
    again = import_jsonl(lines_of(log))
    for name in (*NAMES, "meta"):
        assert getattr(again, name) == getattr(log, name)
    assert again.marks() == [(1, "m\0m\0m\0")]


def test_a_log_that_breaks_a_rule_is_refused_and_an_existing_file_kept(tmp_path):
    lines = ['{"gcreplay": 1}', '{"op": "alloc", "object": 0}', '{"op": "kept", "object": 0}']
    with pytest.raises(InvalidLog, match="event 1, KEPT 0"):
        import_jsonl(lines)
    path = tmp_path / "log.db"
    path.write_text("precious")
    with pytest.raises(FileExists):
        import_jsonl(lines[:2], path)
    assert path.read_text() == "precious"


def test_the_place_of_a_call_of_the_gc_module_is_kept(tmp_path):
    """Operand c is one more than the site; a call from C is 1 and has none."""
    b = TraceBuilder()
    b.gc_call("collect", 1, site=("app.py", 7, "clean"))
    b.gc_call("collect", 1, from_c=True)
    b.gc_call("disable")
    with b.build(tmp_path / "calls.gcreplay") as log:
        assert log.window(0, 3).c.tolist() == [2, 1, 0]
        said = list(records(log))
    assert [call.get("site") for call in said] == [
        {"file": "app.py", "line": 7, "function": "clean"},
        None,
        None,
    ]
    assert [call["via"] for call in said] == ["python", "c", "python"]
    with pytest.raises(ValueError, match="a call from C has no site"):
        b.gc_call("collect", from_c=True, site=("app.py", 7, "clean"))


def test_the_place_of_a_call_must_be_in_the_log(tmp_path):
    b = TraceBuilder()
    b.gc_call("collect", 1, site=("app.py", 7, "clean"))
    b.event(Op.GC_CALL, 0, 0, 3)
    with pytest.raises(InvalidLog, match="an operand is out of range"):
        b.build(tmp_path / "calls.gcreplay")
