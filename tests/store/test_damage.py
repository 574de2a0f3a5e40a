"""Broken and foreign files: one clear sentence each, and what is intact is read."""

import sqlite3
import struct
from itertools import pairwise

import numpy as np
import pytest
from damage import counted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcreplay.store import EventLog, GcreplayError, Op
from gcreplay.store.errors import (
    DamagedFile,
    DamagedSegment,
    NewerSchema,
    NotARecording,
    NotFound,
)
from gcreplay.store.events import ObservedCollection
from gcreplay.store.readings import INDEX, Readings, Reason

EVENTS = 8000
SEGMENTS = 20


class Content(bytes):
    """Bytes of a file: a failing test need not print them all."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """The bytes of a recording of 20 segments of 8000 events.

    Each event has a random site out of 200, about 7.6 bits, so a segment fills two pages.
    """
    path = tmp_path_factory.mktemp("whole") / "log.db"
    draw = np.random.default_rng(7)
    with EventLog.create(path) as log:
        log.add_shape(log.add_type("builtins", "list", "list"), 56, 3)
        for line in range(1, 200):
            log.add_site("demo.py", line, "main")
        for n in range(SEGMENTS):
            ids = np.arange(n * EVENTS, (n + 1) * EVENTS, dtype=np.uint32)
            sites = draw.integers(0, 200, EVENTS, np.uint32)
            log.append(np.full(EVENTS, Op.ALLOC, np.uint8), ids, 0 * ids, sites)
            log.flush()
    return Content(path.read_bytes())


def readings_of(n: int) -> Readings:
    """Of n objects at the end of the recording, of each three links."""
    draw = np.random.default_rng(11)
    return Readings(
        np.full(n, EVENTS * SEGMENTS, np.uint64),
        np.arange(n, dtype=np.uint32),
        np.full(n, Reason.END, np.uint8),
        np.zeros(n, np.uint32),
        np.arange(0, 3 * n + 1, 3, dtype=np.uint32),
        draw.integers(0, EVENTS * SEGMENTS, 3 * n, np.uint32),
        INDEX | draw.integers(0, 9, 3 * n, np.uint32),
    )


@pytest.fixture(scope="module")
def with_tables(recording, tmp_path_factory):
    """The same with 2000 observed collections, 3000 readings and 5 stored runs."""
    path = tmp_path_factory.mktemp("tables") / "log.db"
    path.write_bytes(recording)
    with EventLog.open(path, writable=True) as log:
        log.add_observed(
            ObservedCollection(n, n, "threshold", 0, 700, n % 97, 0, 50, 50, 10**6 + n)
            for n in range(2000)
        )
        log.add_readings(readings_of(3000))
    with EventLog.open(path, writable=True) as log:
        for n in range(5):
            log.save_run("manual", {"window": f"a..b{n}"}, {"collected": list(range(900))}, f"{n}")
    return Content(path.read_bytes())


@pytest.fixture
def broken(tmp_path):
    """A function that writes bytes to a file and returns its path."""

    def write(content: bytes):
        path = tmp_path / "broken.db"
        path.write_bytes(content)
        return path

    return write


def sentence(path) -> str:
    with pytest.raises(GcreplayError) as caught:
        EventLog.open(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def read_everything(path) -> list:
    with EventLog.open(path) as log:
        columns = [column.tolist() for column in log.events().columns()]
        names = [log.types, log.sites, log.labels, log.shapes, log.arguments]
        return [columns, names, log.observed, log.meta, log.runs(), log.readings()]


@pytest.mark.parametrize(
    ("content", "kind", "says"),
    [
        (b"", NotARecording, "an empty file"),
        (b"once upon a time", NotARecording, "no SQLite file"),
        (b"x" * 5000, NotARecording, "no SQLite file"),
        (b"SQLite format 3\0" + bytes(30), DamagedFile, "cut short"),
        (b"SQLite format 3\0" + bytes(4080), NotARecording, "another program"),
    ],
)
def test_what_is_no_recording_is_said(broken, content, kind, says):
    path = broken(content)
    assert says in sentence(path)
    with pytest.raises(kind):
        EventLog.open(path)


def test_a_missing_file_and_a_directory_are_said(tmp_path):
    with pytest.raises(NotFound, match="does not exist"):
        EventLog.open(tmp_path / "none.db")
    with pytest.raises(NotARecording, match="is a directory"):
        EventLog.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_sqlite_file_of_another_program_is_said(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE segments (id)")
    assert "SQLite file of another program" in sentence(path)


def test_a_newer_schema_names_both_versions(recording, broken):
    path = broken(recording)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(NewerSchema, match="schema version 7, this gcreplay reads up to 3"):
        EventLog.open(path)


@pytest.mark.parametrize("pages", range(1, 24, 2))
def test_of_a_file_cut_short_the_intact_segments_are_read(recording, broken, pages):
    # The segments take the last 40 of 56 pages. SQLite keeps several headers on one page, so a cut
    # may also take segments that end before it.
    path = broken(recording[: len(recording) - 4096 * pages - 100])
    with pytest.raises(DamagedFile, match="cut short"):
        EventLog.open(path, writable=True)
    with EventLog.open(path) as log:
        assert log.damage is not None and "cut short" in log.damage
        good = log.intact_events()
        assert 0 < good < EVENTS * SEGMENTS
        assert good % EVENTS == 0
        assert log.window(0, good).a.tolist() == list(range(good))
        with pytest.raises(DamagedSegment, match="cannot be read") as caught:
            log.events()
        assert caught.value.first_sequence == good


def test_a_damaged_segment_is_named_and_the_others_are_read(recording, broken):
    path = broken(recording)
    with sqlite3.connect(path) as connection:
        payload = connection.execute("SELECT payload FROM segments WHERE id = 3").fetchone()[0]
        bad = payload[:100] + bytes([payload[100] ^ 4]) + payload[101:]
        connection.execute("UPDATE segments SET payload = ? WHERE id = 3", (bad,))
    with EventLog.open(path) as log:
        assert log.intact_events() == 3 * EVENTS
        with pytest.raises(DamagedSegment, match=r"segment 3, from event 24000 on.*checksum") as e:
            log.events()
        assert (e.value.segment, e.value.first_sequence) == (3, 3 * EVENTS)
        rest = log.window(4 * EVENTS, SEGMENTS * EVENTS)
        assert rest.a.tolist() == list(range(4 * EVENTS, SEGMENTS * EVENTS))


def test_a_missing_segment_is_named(recording, broken):
    path = broken(recording)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM segments WHERE id = 5")
    with EventLog.open(path) as log:
        assert log.intact_events() == 5 * EVENTS
        with pytest.raises(DamagedSegment, match=r"segment 5, from event 40000 on.*missing"):
            log.events()
        assert len(log.window(6 * EVENTS, 8 * EVENTS)) == 2 * EVENTS


def test_a_window_that_ends_within_a_missing_segment_is_not_cut_there(recording, broken):
    path = broken(recording)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM segments WHERE id = 5")
    with EventLog.open(path) as log:
        for start in (0, 5 * EVENTS - 1, 5 * EVENTS, 5 * EVENTS + 1):
            with pytest.raises(DamagedSegment, match="segment 5, from event 40000 on"):
                log.window(start, 6 * EVENTS)
        assert len(log.window(0, 5 * EVENTS)) == 5 * EVENTS
        assert len(log.window(5 * EVENTS, 5 * EVENTS)) == 0


def test_missing_last_segments_are_noticed(recording, broken):
    path = broken(recording)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM segments WHERE id >= 18")
    with EventLog.open(path) as log:
        assert (log.event_count, log.intact_events()) == (EVENTS * SEGMENTS, EVENTS * 18)
        with pytest.raises(DamagedSegment, match=r"segment 18, from event 144000 on"):
            log.events()
    with EventLog.open(path, writable=True) as log:
        log.append(*(np.zeros(1, np.uint8) + [Op.MARK, 0, 0, 0][i] for i in range(4)))
    with EventLog.open(path) as log, pytest.raises(DamagedSegment, match="segment 18"):
        log.events()


def test_a_changed_name_is_noticed(recording, broken):
    at = recording.index(b"demo.py")
    path = broken(recording[:at] + b"dEmo.py" + recording[at + 7 :])
    with EventLog.open(path) as log:
        assert log.intact_events() == EVENTS * SEGMENTS
        for _ in range(2):
            with pytest.raises(DamagedFile, match="types, sites and labels"):
                _ = log.sites


TABLES = {
    "observed": (
        lambda log: log.observed,
        "UPDATE observed SET duration_ns = duration_ns + 1 WHERE id = 700",
        "DELETE FROM observed WHERE id = 1999",
        "UPDATE observed SET cause = 'call' WHERE id = 3",
    ),
    "meta": (
        lambda log: log.meta,
        "UPDATE meta SET value = 'false' WHERE key = 'complete'",
        "DELETE FROM meta WHERE key = 'complete'",
        "UPDATE meta SET key = 'Complete' WHERE key = 'complete'",
        "UPDATE meta SET value = CAST(value AS BLOB) WHERE key = 'complete'",
    ),
    "runs": (
        EventLog.runs,
        "UPDATE runs SET policy = 'manuel' WHERE id = 2",
        "UPDATE runs SET result = replace(result, '7', '8') WHERE id = 5",
        "UPDATE runs SET id = 9 WHERE id = 5",
        "DELETE FROM runs WHERE id = 5",
    ),
}


@pytest.mark.parametrize(
    ("table", "statement"),
    [(table, change) for table, (_, *changes) in TABLES.items() for change in changes],
)
def test_a_changed_table_is_named_and_the_others_are_read(with_tables, broken, table, statement):
    path = broken(with_tables)
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    with EventLog.open(path) as log:
        assert log.intact_events() == EVENTS * SEGMENTS
        assert len(log.sites) == 200
        for other, (read, *_) in TABLES.items():
            if other != table:
                read(log)
                continue
            for _ in range(2):
                with pytest.raises(DamagedFile, match=f"its table {table} is not what was"):
                    read(log)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM meta WHERE key = 'checksums'",
        "UPDATE meta SET key = 'checksuns' WHERE key = 'checksums'",
        "UPDATE meta SET value = replace(value, 'runs', 'rums') WHERE key = 'checksums'",
        "UPDATE meta SET value = NULL WHERE key = 'checksums'",
        "DELETE FROM meta",
    ],
)
def test_lost_checksums_are_damage(with_tables, broken, statement):
    path = broken(with_tables)
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    with EventLog.open(path) as log, pytest.raises(DamagedFile, match="checksums are lost"):
        log.runs()


def test_what_was_damaged_is_not_sealed_anew(with_tables, broken):
    for table, write in {
        "runs": lambda log: log.save_run("never", {}, {}, "x"),
        "meta": lambda log: log.set_meta(pauses=None),
        "observed": lambda log: log.add_label("new"),
    }.items():
        path = broken(with_tables)
        with sqlite3.connect(path) as connection:
            connection.execute(TABLES[table][1])
        with EventLog.open(path, writable=True) as log, pytest.raises(DamagedFile, match=table):
            write(log)
        with EventLog.open(path) as log, pytest.raises(DamagedFile, match=table):
            TABLES[table][0](log)


def test_damaged_runs_can_be_discarded(with_tables, broken):
    path = broken(with_tables)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM runs WHERE id = 5")
    with EventLog.open(path, writable=True) as log:
        log.discard_runs()
        assert log.runs() == []


def test_an_older_recording_has_checksums_of_its_names_alone(with_tables, broken):
    """Then the other tables are taken as they are."""
    path = broken(with_tables)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE meta SET value = json_remove(value, '$.observed', '$.meta', '$.runs', "
            "'$.lines', '$.readings', '$.segments') WHERE key = 'checksums'"
        )
        connection.execute("DELETE FROM observed")
    with EventLog.open(path, writable=True) as log:
        assert (log.observed, len(log.sites), len(log.runs())) == ((), 200, 5)
        assert log.save_run("never", {}, {}, "x") == 6
    at = path.read_bytes().index(b"demo.py")
    path.write_bytes(path.read_bytes()[:at] + b"dEmo.py" + path.read_bytes()[at + 7 :])
    with EventLog.open(path) as log, pytest.raises(DamagedFile, match="types, sites and labels"):
        _ = log.sites


@pytest.mark.parametrize("value", ["1 << 40", "3", "-1", "'x'", "1.5", "x'00'"])
def test_a_generation_that_is_none_is_damage_also_where_no_checksum_says_so(
    with_tables, broken, value
):
    path = broken(with_tables)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE meta SET value = json_remove(value, '$.observed', '$.meta', '$.runs', "
            "'$.lines', '$.readings', '$.segments') WHERE key = 'checksums'"
        )
        connection.execute(f"UPDATE observed SET generation = {value} WHERE id = 7")
    with EventLog.open(path) as log, pytest.raises(DamagedFile, match="collection is malformed"):
        _ = log.observed


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sites SET file = CAST(file AS BLOB) WHERE id = 7",
        "UPDATE shapes SET size = 'many'",
        "UPDATE segments SET events = CAST('many' AS BLOB) WHERE id = 3",
        "UPDATE segments SET first_object = -1 WHERE id = 3",
        "UPDATE segments SET payload = 'text' WHERE id = 3",
        "INSERT INTO observed VALUES (0, 1, 1, 'call', 0, CAST('x' AS BLOB), 0, 0, 0, 0, 0)",
        "UPDATE meta SET value = '{' WHERE key = 'checksums'",
    ],
)
def test_a_value_of_the_wrong_type_is_damage(recording, broken, statement):
    """SQLite keeps any value in any column, so a flipped bit can make a text a blob."""
    path = broken(recording)
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    with pytest.raises(DamagedFile):
        read_everything(path)


def test_a_version_that_never_was_is_damage(recording, broken):
    """The schema version ends in byte 63 of an SQLite file."""
    with pytest.raises(DamagedFile, match="never been a schema version 0"):
        EventLog.open(broken(recording[:63] + bytes([0]) + recording[64:]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_flipped_bit_anywhere_is_said_or_does_no_harm(with_tables, broken, data):
    at = data.draw(st.integers(0, len(with_tables) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    whole = read_everything(broken(with_tables))
    path = broken(with_tables[:at] + bytes([with_tables[at] ^ bit]) + with_tables[at + 1 :])
    try:
        assert read_everything(path) == whole
    except GcreplayError as error:
        assert "\n" not in str(error)
    except AssertionError:
        raise AssertionError(f"bit {bit} of byte {at} changed what is read") from None


DECLARED = [
    ("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM labels; END", "the trigger t,"),
    ("CREATE VIEW mine AS SELECT 1", "the view mine,"),
    ("CREATE TABLE mine (x)", "the table mine,"),
    ("CREATE INDEX mine ON labels (text)", "the index mine,"),
    ("CREATE VIRTUAL TABLE mine USING fts5(x)", "the table mine,"),
    ("ANALYZE", "the table sqlite_stat1,"),
    (
        "DROP TABLE segments; CREATE VIEW segments AS SELECT abs(-9223372036854775808) AS id",
        "the view segments,",
    ),
    ("DROP TABLE meta; CREATE VIRTUAL TABLE meta USING fts5(key, value)", "its table meta other"),
    ("ALTER TABLE labels ADD COLUMN twice AS (text || text)", "its table labels otherwise"),
    ("ALTER TABLE runs ADD COLUMN mine", "its table runs otherwise"),
    ("ALTER TABLE sites RENAME COLUMN file TO path", "its table sites otherwise"),
    (
        "DROP TABLE labels; CREATE TABLE labels (id INTEGER PRIMARY KEY, text CHECK (text > 'a'))",
        "its table labels otherwise",
    ),
]


@pytest.mark.parametrize(("statements", "says"), DECLARED)
@pytest.mark.parametrize("writable", [False, True])
def test_what_no_recording_declares_is_named_and_refused(
    recording, broken, statements, says, writable
):
    path = broken(recording)
    with sqlite3.connect(path) as connection:
        connection.executescript(statements)
    before = path.read_bytes()
    with pytest.raises(NotARecording, match=f"broken.db declares {says}.* so it is not opened: "):
        EventLog.open(path, writable=writable)
    assert path.read_bytes() == before


def test_projections_and_a_vacuum_change_nothing_that_is_declared(recording, broken):
    path = broken(recording)
    with EventLog.open(path, writable=True) as log:
        log.rebuild_projections()
    with sqlite3.connect(path) as connection:
        connection.execute("VACUUM")
    with EventLog.open(path) as log:
        assert (log.intact_events(), len(log.projection("objects"))) == (EVENTS * SEGMENTS,) * 2


def test_a_file_without_one_of_the_two_tables_that_make_a_recording_is_none(recording, broken):
    path = broken(recording)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE segments")
    with pytest.raises(NotARecording, match="has no table segments"):
        EventLog.open(path)


def test_pages_that_lead_on_and_on_are_left_in_time(with_tables, broken, monkeypatch):
    """The root of `observed` leads to a page by all its 16 or so cells, that one to another, and so
    on six times: SQLite would read the table some 16 ** 6 times."""
    path = broken(with_tables)
    with sqlite3.connect(path) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'observed'"
        ).fetchone()
    at, pages = 4096 * (root - 1), len(with_tables) // 4096
    page = with_tables[at : at + 4096]
    kind, cells = struct.unpack_from(">B2xH", page)
    assert kind == 5
    assert cells > 10
    data = bytearray(with_tables + 6 * page)
    struct.pack_into(">I", data, 28, pages + 6)
    way = [root, *range(pages + 1, pages + 7)]
    for here, there in pairwise(way):
        at = 4096 * (here - 1)
        for cell in struct.unpack_from(f">{cells}H", data, at + 12):
            struct.pack_into(">I", data, at + cell, there)
    with counted(monkeypatch) as work, EventLog.open(broken(bytes(data))) as log:
        for _ in range(3):
            before = work.kilosteps
            with pytest.raises(DamagedFile, match="lead on without end"):
                _ = log.observed
            assert (work.kilosteps - before) * 1000 <= 3 * len(data) + 2000
        assert log.intact_events() == EVENTS * SEGMENTS


def test_lost_segments_are_searched_no_further_than_the_file_has_room(
    recording, broken, monkeypatch
):
    """A header far away, and a page that says nothing, as when pages change places."""
    path = broken(recording)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE segments SET id = 1 << 60 WHERE id = 19")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'segments'"
        ).fetchone()
    data = bytearray(path.read_bytes())
    at = 4096 * (root - 1)
    assert data[at] == 5
    (cell,) = struct.unpack_from(">H", data, at + 12)
    (child,) = struct.unpack_from(">I", data, at + cell)
    data[4096 * (child - 1)] = 0
    with counted(monkeypatch) as work, EventLog.open(broken(bytes(data))) as log:
        found = [segment.id for segment in log.segment_table]
        assert found == list(range(found[0], SEGMENTS - 1))
        assert found[0] > 0
        assert log.intact_events() == 0
        assert work.statements <= 200 + 3 * len(data) // 128


def test_opening_changes_not_a_byte(recording, broken):
    path = broken(recording)
    read_everything(path)
    assert path.read_bytes() == recording
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
