"""Readings in a spool come to stand where they were made, whatever is dated between them later."""

from pathlib import Path

from spool_records import (
    ALLOC,
    AT_END,
    AT_MARK,
    AT_PROBE,
    BEGIN,
    BEGINNING,
    COUNT,
    GARBAGE,
    LINKS,
    LIST,
    MARK,
    OF_GARBAGE,
    OWNER,
    START,
    STOP,
    entry,
    label,
    named,
    probe,
    read,
    reading,
    record,
    spool,
    text,
    zigzag,
)

from gcreplay.store.events import NO_OBJECT, Op
from gcreplay.store.log import EventLog
from gcreplay.store.readings import Reason, label_text
from gcreplay.tracer import recover

END = record(22)
LABELS = label(b".next") + label(b"Node")


def log_of(folder: Path, content: bytes) -> EventLog:
    (folder / "x.spool").write_bytes(spool(content))
    summary = recover(folder / "x.spool", folder / "x.gcreplay", force=True)
    assert summary.message == ""
    return EventLog.open(summary.output)


def places(log: EventLog) -> list[tuple[Reason, int, Op]]:
    """Of each reading: why, its object, and the event before it."""
    readings, op = log.readings(), log.events().op
    rows = zip(readings.reason, readings.object, readings.sequence, strict=True)
    return [(Reason(r), int(o), Op(op[int(at) - 1])) for r, o, at in rows]


def test_what_is_named_is_as_it_was_written(tmp_path: Path) -> None:
    links = (1, named(0, 1)), (0, named(1, 3)), (-1, named(2, 9)), (2, named(0, 0))
    content = BEGINNING + LABELS + read(AT_END, reading(2, 2, *links), reading(1, 0)) + END
    with log_of(tmp_path, content) as log:
        readings = log.readings()
        assert readings.object.tolist() == [1, 2]
        assert readings.first.tolist() == [0, 4, 4]
        assert readings.target.tolist() == [2, 1, 0, 3]
        names = [label_text(log.labels, label) for label in readings.label.tolist()]
        assert names == [".next", "[3]", "(child 9)", ""]
        assert [log.labels[title] for title in readings.title] == ["Node", ""]
        assert set(readings.sequence.tolist()) == {log.event_count}


def test_what_a_running_frame_holds_is_asked_for(tmp_path: Path) -> None:
    """It has no number: the links count from 0."""
    frame = reading(0, 2, (3, named(0, 1)))
    content = BEGINNING + LABELS + read(AT_END, reading(2, 0), reading(-2, 2), frame) + END
    with log_of(tmp_path, content) as log:
        assert log.readings().object.tolist() == [1]
        every = log.readings(frames=True)
        assert every.object.tolist() == [1, NO_OBJECT, NO_OBJECT]
        assert (every.target.tolist(), every.first.tolist()) == ([2], [0, 0, 0, 1])


def test_the_same_text_is_the_same_label(tmp_path: Path) -> None:
    with log_of(
        tmp_path,
        BEGINNING + label(b"a") + label(b"a") + read(AT_END, reading(1, 1), reading(1, 2)) + END,
    ) as log:
        first, second = log.readings().title.tolist()
        assert first == second
        assert log.labels.count("a") == 1


def test_a_reading_stands_behind_its_mark_and_what_was_dated_before_it(tmp_path: Path) -> None:
    """A probe behind the mark finds a link, which was made when the object before the mark was born."""
    content = (
        BEGINNING
        + record(ALLOC, 1, 6, 1)
        + record(MARK)
        + text(b"here")
        + read(AT_MARK, reading(6, 0))
        + record(ALLOC, 1, 6, 1)
        + probe(0, entry(0, LIST, 0), entry(6, COUNT | LINKS, 1, 0, 1, zigzag(-5)))
        + read(AT_END, reading(6, 0))
        + END
    )
    with log_of(tmp_path, content) as log:
        op = log.events().op.tolist()
        assert op.index(Op.MARK) > max(i for i, one in enumerate(op) if one == Op.LINK)
        assert places(log)[0] == (Reason.MARK, 5, Op.MARK)
        assert log.readings().sequence.tolist() == [op.index(Op.MARK) + 1, len(op)]


def collection(inside: bytes, cause: int = 0) -> bytes:
    probed = probe(0, entry(0, LIST, 0), entry(6, COUNT | LINKS, 1, 0, 1, 0))
    return record(START, 0, cause, 5, 701) + probed + inside + record(STOP, 1, 0, 5, 0, 99, 1, 1)


def test_what_a_collection_found_stands_at_its_event_and_a_mark_inside_behind_it(
    tmp_path: Path,
) -> None:
    inside = (
        read(AT_PROBE, reading(6, 0))
        + read(OF_GARBAGE, reading(6, 0, (0, named(0, 0))))
        + record(GARBAGE, 1, zigzag(6))
        + record(OWNER, 2)
        + record(MARK)
        + text(b"in a finalizer")
        + read(AT_MARK, reading(6, 0))
        + record(OWNER, 0)
    )
    content = BEGINNING + record(ALLOC, 3, 6, 1) + record(ALLOC, 1, 6, 1) + collection(inside) + END
    with log_of(tmp_path, content) as log:
        (seen,) = log.observed
        op = log.events().op
        sequence = log.readings().sequence.tolist()
        assert sequence[:2] == [seen.sequence] * 2
        assert op[seen.sequence] == Op.ALLOC  # the birth that triggered it
        assert Op.MARK in op[seen.sequence : sequence[2]]
        assert [reason for reason, _, _ in places(log)] == [
            Reason.LOOK,
            Reason.GARBAGE,
            Reason.MARK,
        ]


def test_a_mark_of_a_start_callback_is_before_the_collection(tmp_path: Path) -> None:
    content = (
        BEGINNING
        + record(ALLOC, 3, 6, 1)
        + record(BEGIN, 1)
        + record(MARK)
        + text(b"callback")
        + read(AT_MARK, reading(6, 0))
        + collection(read(OF_GARBAGE), cause=1)
        + END
    )
    with log_of(tmp_path, content) as log:
        (seen,) = log.observed
        op = log.events().op.tolist()
        assert op.index(Op.MARK) < log.readings().sequence[0] <= seen.sequence


def test_readings_of_a_collection_that_never_ends_are_none(tmp_path: Path) -> None:
    begun = record(START, 0, 1, 5, 9) + probe(0) + read(OF_GARBAGE, reading(3, 0))
    with log_of(tmp_path, BEGINNING + read(AT_MARK, reading(3, 0)) + begun + END) as log:
        assert [reason for reason, _, _ in places(log)] == [Reason.MARK]
