"""Whatever stands in a spool is read to where it makes sense, and said in one sentence beyond."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spool_records import (
    ALLOC,
    AT_END,
    BEGIN,
    BEGINNING,
    CALL,
    COUNT,
    ESCAPE,
    FOUND,
    FOUND_END,
    FREE,
    GARBAGE,
    LABEL,
    LINKS,
    LIST,
    MARK,
    OWNER,
    RESIZED,
    SAVED,
    SETTYPE,
    SITE,
    START,
    STATE,
    STOP,
    TYPE,
    code_record,
    contents,
    entry,
    named,
    number,
    probe,
    read,
    reading,
    record,
    spool,
    text,
    type_record,
    zigzag,
)

from gcreplay.store.events import Op
from gcreplay.store.log import EventLog
from gcreplay.store.rules.validate import validate
from gcreplay.tracer import BrokenSpool, CannotRecord, ingest, recover
from gcreplay.tracer._ingest import Ingest
from gcreplay.tracer.real import _read
from gcreplay.tracer.record import RecordSummary
from gcreplay.tracer.spool import HEADER, Spool, Status


def recovered(folder: Path, content: bytes) -> RecordSummary:
    """What becomes of it: always a recording whose rules are kept."""
    (folder / "x.spool").write_bytes(spool(content))
    summary = recover(folder / "x.spool", folder / "x.gcreplay", force=True)
    with EventLog.open(summary.output) as log:
        validate(log)  # records may be whole and yet contradict each other: it ends before that
        assert log.event_count == summary.events
    return summary


@given(contents)
def test_any_bytes_become_a_readable_recording_or_a_sentence(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        summary = recovered(Path(name), content)
        assert summary.complete == (summary.message == "")


@given(st.binary(max_size=100), st.sampled_from(Status))
def test_any_bytes_of_a_measured_run_are_figures_or_a_sentence(
    content: bytes, status: Status
) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "x.spool")
        path.write_bytes(spool(content, status))
        opened = Spool(path)
        try:
            run = _read(opened, 0)
            assert len(run.collections) + len(run.marks) <= len(content)
        except (BrokenSpool, CannotRecord) as error:
            assert str(error)
        finally:
            opened.close()


def test_a_whole_spool_is_read_whole(tmp_path: Path) -> None:
    summary = recovered(tmp_path, BEGINNING + record(ALLOC, 1, 6, 1) + record(22))
    assert (summary.complete, summary.message, summary.objects) == (True, "", 6)


BORN = record(ALLOC, 1, 6, 1)
FOUND_GARBAGE = b"".join(
    [record(START, 0, 1, 0, 0), probe(0), record(GARBAGE, 0), record(STOP, 0, 0, 5, 0, 9, 1, 1)]
)
SAID = {
    "an unknown tag": (b"\xfa", "an unknown record"),
    "no tag": (b"\0", "an unknown record"),
    "an endless number": (b"\x01" + b"\xff" * 12, "too long"),
    "half a record": (record(ALLOC, 1), "ends inside a record"),
    "a type too many": (record(ALLOC, 4, 6, 1), "a type that was not defined"),
    "a site too many": (record(ALLOC, 1, 6, 3), "a site that was not defined"),
    "a huge block": (record(ALLOC, 1, 2**29, 1), "4 GiB"),
    "a code object too many": (record(SITE, 2, 0, 0), "a code object that was not defined"),
    "a site of a third kind": (record(SITE, 1, 0, 2), "neither exact nor near"),
    "a site of nothing": (record(SITE, 0, 0, 0), "without a code object"),
    "a type of no kind": (record(TYPE, 10), "unknown kind"),
    "an unknown encoding": (type_record(b"x", 0, 3), "a text of an unknown kind"),
    "a long text": (record(TYPE, 0) + text(b"demo") + b"\4" + number(2**62), "inside a text"),
    "a long table": (code_record(b"")[:-1] + number(2**63), "inside a line table"),
    "an object of before all": (record(FREE, 9), "not alive"),
    "an object of after all": (record(FREE, 0), "not alive"),
    "a number around the corner": (record(FREE, 2**32 + 1), "older than all"),
    "a second death": (record(FREE, 1) + record(FREE, 1), "not alive"),
    "a death of the unborn": (BORN + record(BEGIN, 0) + record(FREE, 1), "while it is born"),
    "a changed type": (record(SETTYPE, 1, 9), "a type that was not defined"),
    "a changed size": (record(RESIZED, 1, 2**40), "4 GiB"),
    "a fourth generation": (probe(5), "unknown generations"),
    "a list of it": (probe(0, entry(0, LIST, 7)), "unknown generation"),
    "a member of after all": (probe(0, entry(0, LIST, 0), entry(9, COUNT, 1)), "not alive"),
    "a member far away": (probe(0, entry(2**40, COUNT, 1)), "not alive"),
    "many references": (probe(0, entry(1, COUNT, 2**31)), "more references"),
    "a link to nowhere": (probe(0, entry(1, LINKS, 0, 1, zigzag(9))), "not alive"),
    "a probe inside a probe": (probe(0, entry(0, ESCAPE) + probe(0)), "interrupted"),
    "a death inside a probe": (probe(0, entry(0, ESCAPE) + record(FREE, 1)), "interrupted"),
    "a collection of generation 3": (record(START, 3, 0, 0, 0) + probe(2), "unknown generation"),
    "a collection without reason": (record(START, 0, 3, 0, 0) + probe(0), "unknown cause"),
    "a collection without a probe": (record(START, 0, 0, 0, 0) + BORN, "without its probe"),
    "a collection in a collection": (
        record(START, 0, 1, 0, 0) + probe(0) + record(BEGIN, 0),
        "inside another",
    ),
    "code of a collection that is over": (FOUND_GARBAGE + record(OWNER, 2), "that no collection has found"),
    "garbage saved behind a collection": (
        FOUND_GARBAGE + record(SAVED, 1, zigzag(2)),
        "that no collection has found",
    ),
    "a negative figure": (
        record(START, 0, 1, 0, 0) + probe(0) + record(STOP, 2**64 - 1, 0, 0, 0, 0, 0, 1),
        "a figure of a collection",
    ),
    "a call with 99 arguments": (record(CALL, 5, 0, 99), "too many arguments"),
    "a call with too few": (record(CALL, 5, 0, 1, 3), "other arguments"),
    "an unknown call": (record(CALL, 7, 0, 0), "unknown call"),
    "a mark cut short": (record(MARK) + b"\1\x09ab", "inside a text"),
    "a second state": (record(STATE, *[0] * 36), "a second state"),
    "a second end of the heap": (record(FOUND_END), "a second end"),
    "a label too many": (read(AT_END, reading(1, 1)), "a label that was not defined"),
    "a name too many": (read(AT_END, reading(1, 0, (1, named(0, 1)))), "a label that was not defined"),
    "a name of a fourth kind": (read(AT_END, reading(1, 0, (1, named(3, 0)))), "a name of no kind"),
    "a huge index": (read(AT_END, reading(1, 0, (1, named(1, 2**30)))), "a name of no kind"),
    "a fifth reason": (read(4), "unknown reason"),
    "a reading of nothing": (read(AT_END, reading(9, 0)), "not alive"),
    "a name of nothing": (read(AT_END, reading(1, 0, (9, 0))), "not alive"),
    "half a reading": (read(AT_END, reading(1, 0))[:-2], "ends inside a record"),
    "a label cut short": (record(LABEL) + b"\1\x09ab", "inside a text"),
    "an object found late": (record(FOUND, 1, 6, 0), "after the recording has begun"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_what_makes_no_sense_is_named_with_its_place(tmp_path: Path, name: str) -> None:
    content, said = SAID[name]
    start = BEGINNING + record(MARK) + text(b"before")
    summary = recovered(tmp_path, start + content)
    assert not summary.complete
    assert said in summary.message
    at = int(summary.message.partition("at byte ")[2].partition(":")[0].replace(",", ""))
    first = HEADER + len(start)
    assert first <= at < first + len(content)
    assert "what was read is kept" in summary.message


@pytest.mark.parametrize("name", ["\udcff\ud800", "x" * 3_000_000, "a\0b\n"])
def test_names_of_any_kind_are_read(tmp_path: Path, name: str) -> None:
    raw = name.encode("utf-32-le", "surrogatepass")
    summary = recovered(
        tmp_path,
        BEGINNING
        + type_record(raw, 0, 4)
        + code_record(b"\xf0", name=raw, kind=4)
        + record(SITE, 2, 0, 0)
        + record(ALLOC, 4, 6, 3)
        + record(22),
    )
    assert summary.complete, summary.message
    with EventLog.open(summary.output) as log:
        readable = raw.decode("utf-32-le", "replace")
        assert [type.name for type in log.types][4] == readable
        assert (log.sites[-1].function, log.sites[-1].line) == (readable, 1)


def test_what_cannot_have_happened_is_said_and_what_stands_before_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the ingest: its last event names an object that was never born."""

    class Wrong(Ingest):
        def take(self):
            op, a, *others = super().take()
            op[-1:], a[-1:] = Op.INCREF, 99
            return op, a, *others

    content = BEGINNING + record(ALLOC, 1, 6, 1) + record(22)
    sound = recovered(tmp_path, content)
    monkeypatch.setattr(ingest, "Ingest", Wrong)
    summary = recovered(tmp_path, content)
    assert not summary.complete
    assert "object 99 has not been allocated yet" in summary.message
    assert "please report it" in summary.message
    assert summary.events < sound.events
