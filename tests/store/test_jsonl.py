"""JSON Lines: round trips, hand-written files, and what is wrong with a line."""

import io
import json

import pytest
from hypothesis import given
from strategies import valid_logs

from gcreplay.store import EventLog, Flag, InvalidLog, TraceBuilder
from gcreplay.store.errors import FileExists, MalformedLine
from gcreplay.store.events import ObservedCollection, StartState
from gcreplay.store.exchange.jsonl import export_jsonl, import_jsonl

NAMES = ("types", "sites", "labels", "shapes", "arguments", "observed")


def lines_of(log: EventLog) -> list[str]:
    out = io.StringIO()
    assert export_jsonl(log, out) == log.event_count
    return out.getvalue().splitlines()


@given(valid_logs())
def test_export_and_import_give_an_equal_log(log):
    log.add_observed([ObservedCollection(1, 2, "call", 2, 10, 3, 0, 7, 0, 55)])
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
        ("[]", "line 3: no JSON object"),
        ("{}", "line 3: 'op' is missing or unknown"),
        ('{"op": "free"}', "line 3: 'free' is missing or unknown"),
        ('{"op": "alloc", "object": 7}', "line 3: object ids are dense: the next object is 1"),
        ('{"op": "alloc", "object": 1, "flags": ["fast"]}', "line 3: 'FAST' is missing or unknown"),
        ('{"op": "incref", "object": 0, "times": 2}', r"line 3: .*\(op, object, times\)"),
        ('{"op": "incref", "object": "x"}', r"line 3: a key or value does not fit"),
        ('{"op": "incref", "object": -1}', "line 3: "),
        ('{"op": "gc_call", "call": "sleep"}', "line 3: 'SLEEP' is missing or unknown"),
        ('{"op": "start", "state": {"count": [1]}}', "line 3: "),
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
    ],
)
def test_a_bad_header_is_said(header):
    with pytest.raises(MalformedLine, match="line 1"):
        import_jsonl([header])


def test_a_log_that_breaks_a_rule_is_refused_and_an_existing_file_kept(tmp_path):
    lines = ['{"gcreplay": 1}', '{"op": "alloc", "object": 0}', '{"op": "kept", "object": 0}']
    with pytest.raises(InvalidLog, match="event 1, KEPT 0"):
        import_jsonl(lines)
    path = tmp_path / "log.db"
    path.write_text("precious")
    with pytest.raises(FileExists):
        import_jsonl(lines[:2], path)
    assert path.read_text() == "precious"
