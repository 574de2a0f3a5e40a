"""Spools as bytes: records as the capture writes them, and whatever else may stand in their place.

The layout is that of tracer/capture/format.h.
"""

import struct

from hypothesis import strategies as st

from gcreplay.tracer.spool import FORMAT, HEADER, MAGIC, Status

ALLOC, BIRTH, LATE, FREE, KEPT, FREE_UNKNOWN, SETTYPE, RESIZED = 1, 2, 3, 4, 6, 7, 8, 9
TYPE, CODE, SITE, STATE, FOUND, FOUND_END, START, PROBE, STOP = 10, 11, 12, 13, 14, 15, 16, 17, 18
CALL, MARK, TICK, END, BEGIN = 19, 20, 21, 22, 23
GARBAGE, OWNER, HIT, MISS, SAVED, LABEL, READ = 25, 26, 27, 28, 29, 32, 33
OF_GARBAGE, AT_MARK, AT_END, AT_PROBE = 0, 1, 2, 3
COUNT, LINKS, CHILD, ESCAPE, WEAK, LIST = 1, 2, 4, 4, 6, 7
OPERANDS = {
    ALLOC: 3, BIRTH: 3, LATE: 2, FREE: 1, KEPT: 1, FREE_UNKNOWN: 0, SETTYPE: 2, RESIZED: 2,
    SITE: 3, STATE: 36, FOUND: 3, FOUND_END: 0, START: 4, STOP: 7, TICK: 1, END: 0, BEGIN: 1,
    GARBAGE: 2, OWNER: 1, HIT: 3, MISS: 1, SAVED: 2,
}  # fmt: skip


def number(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def record(tag: int, *operands: int) -> bytes:
    return bytes([tag]) + b"".join(map(number, operands))


def zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def text(content: bytes, kind: int = 1) -> bytes:
    return bytes([kind]) + number(len(content) // (kind or 1)) + content


def type_record(name: bytes, flags: int = 0, kind: int = 1) -> bytes:
    return record(TYPE, flags) + text(b"demo", 1) + text(name, kind)


def code_record(table: bytes, first_line: int = 1, name: bytes = b"f", kind: int = 1) -> bytes:
    name, file = text(name, kind), text(b"demo.py")
    return record(CODE, first_line) + file + name + number(len(table)) + table


def entry(difference: int, bits: int, *operands: int) -> bytes:
    return number((zigzag(difference) << 3 | bits) + 1) + b"".join(map(number, operands))


def probe(upto: int, *entries: bytes) -> bytes:
    return record(PROBE, upto) + b"".join(entries) + b"\0"


def label(content: bytes) -> bytes:
    return record(LABEL) + text(content)


def named(kind: int, n: int) -> int:
    """The name of a link: label n (0), index n (1), position n (2)."""
    return n << 2 | kind


def reading(difference: int, title: int, *links: tuple[int, int]) -> bytes:
    """Of an object: how far its links lead from it, and their names."""
    operands = [zigzag(difference) + 1, title, len(links)]
    for distance, name in links:
        operands += [zigzag(distance), name]
    return b"".join(map(number, operands))


def read(reason: int, *readings: bytes) -> bytes:
    return record(READ, reason) + b"".join(readings) + b"\0"


def spool(content: bytes, status: Status = Status.ENDED) -> bytes:
    """The whole file."""
    head = struct.pack("<8sIIQQII256s", MAGIC, FORMAT, status, len(content), 0, 1, 0, b"")
    return head.ljust(HEADER, b"\0") + content


BEGINNING = b"".join(
    [
        record(
            STATE, *[0] * 3, *[zigzag(n) for n in (700, 10, 10)], 1, 5, 0, *[2] * 26, 0x030B0000
        ),
        type_record(b"Node"),
        type_record(b"dict", 2),
        type_record(b"Told", 16),
        code_record(b"\x80\x00\xf0\x02\x00\x00\x00"),
        record(SITE, 1, 0, 0),
        record(SITE, 1, 2, 1),
        *[record(FOUND, 1 + n % 3, 6, 2) for n in range(5)],
        probe(
            3,
            entry(0, LIST, 2),
            *[entry(1, COUNT | LINKS, 2, 3, 1, zigzag(1)) for _ in range(3)],
            *[entry(1, COUNT, 2) for _ in range(2)],
        ),
        record(FOUND_END),
    ]
)
"""A heap of five objects, some with links, before the program starts."""

MORE = [
    record(ALLOC, 1, 6, 1), record(ALLOC, 3, 6, 2), record(BIRTH, 2, 8, 1), record(LATE, 1, 4),
    record(FREE, 1), record(FREE, 2), record(FREE, 4), record(KEPT, 1), record(KEPT, 3),
    record(FREE_UNKNOWN), record(SETTYPE, 1, 3), record(RESIZED, 2, 20), record(TICK, 1000),
    record(BEGIN, 0), record(BEGIN, 1), record(END), record(MARK) + text(b"half"),
    record(CALL, 1, 0, 0), record(CALL, 2, 0, 0), record(CALL, 3, 0, 0), record(CALL, 4, 0, 0),
    record(CALL, 5, 0, 3, 10, 4, 4), record(CALL, 6, 0, 1, 2),
    record(START, 0, 0, 5, 701) + probe(0, entry(0, LIST, 0), entry(6, COUNT | LINKS, 1, 4, 1, 0)),
    record(START, 2, 1, 5, 9) + probe(2, entry(0, LIST, 2), entry(2, LINKS, 0, 1, zigzag(1)), entry(1, 0)),
    record(STOP, 1, 0, 5, 0, 99, 1, 1), record(STOP, 0, 0, 5, 0, 99, 1, 1),
    record(GARBAGE, 2, zigzag(2), zigzag(1)), record(GARBAGE, 0),
    record(SAVED, 1, zigzag(2)), record(SAVED, 2, zigzag(3), zigzag(-1)),
    record(OWNER, 0), record(OWNER, 1), record(OWNER, 2), record(OWNER, 5),
    record(START, 0, 1, 5, 9) + probe(0) + record(GARBAGE, 0) + record(OWNER, 2) + record(ALLOC, 1, 6, 1)
    + record(OWNER, 1) + record(STOP, 0, 0, 5, 0, 99, 1, 1),
    probe(0, entry(0, LIST, 0), entry(7, COUNT | LINKS, 1, 2, 1, zigzag(-1))),
    probe(2, entry(0, LIST, 2), entry(1, COUNT | LINKS, 2, 0, 2, zigzag(1), zigzag(2))),
    probe(10, entry(0, LIST, 0), entry(6, LINKS, 9, 0), entry(0, LIST, 4), entry(-1, CHILD | COUNT, 3)),
    probe(0, entry(0, LIST, 0), entry(0, ESCAPE) + record(LATE, 1, 4), entry(6, LINKS, 0, 1, 0)),
    probe(0, entry(0, LIST, 0), entry(5, WEAK, zigzag(-1), 1)),
    label(b".next"), label(b"Node"), read(AT_END), read(AT_END, reading(0, 0, (2, named(1, 0)))),
    label(b".x") + read(AT_MARK, reading(2, 1, (1, named(0, 1)), (0, named(1, 3))), reading(1, 0, (-1, named(2, 9)))),
    record(START, 0, 1, 5, 9) + probe(0) + label(b".y") + read(OF_GARBAGE, reading(3, 0, (-1, named(0, 1))))
    + record(STOP, 0, 0, 5, 0, 99, 1, 1),
    record(HIT, 1, 2, 1), record(HIT, 2, 3, 0), record(HIT, 5, 1, 2), record(MISS, 1), record(MISS, 5),
]  # fmt: skip
"""Records that may follow, each of which can be read somewhere."""

NUMBERS = st.one_of(
    st.integers(0, 9), st.sampled_from([127, 2**31, 2**32, 2**63, 2**64 - 1, 2**70])
)
RECORDS = st.one_of(
    st.sampled_from(MORE),
    st.sampled_from(MORE),
    st.sampled_from(sorted(OPERANDS)).flatmap(
        lambda tag: st.lists(NUMBERS, min_size=OPERANDS[tag], max_size=OPERANDS[tag]).map(
            lambda operands: record(tag, *operands)
        )
    ),
    st.builds(type_record, st.binary(max_size=12), NUMBERS, st.sampled_from([0, 1, 2, 4, 3, 9])),
    st.builds(
        code_record, st.binary(max_size=12), NUMBERS, st.binary(max_size=12), st.integers(0, 4)
    ),
    st.builds(
        lambda upto, entries: probe(upto, *(entry(*of) for of in entries)),
        NUMBERS,
        st.lists(
            st.tuples(st.integers(-9, 9), st.integers(0, 7)).flatmap(
                lambda head: st.lists(NUMBERS, max_size=4).map(lambda rest: (*head, *rest))
            ),
            max_size=5,
        ),
    ),
    st.builds(
        lambda reason, readings: read(reason, *(reading(*of) for of in readings)),
        st.integers(0, 4),
        st.lists(
            st.tuples(st.integers(-2, 5), st.integers(0, 1), st.tuples(st.integers(-3, 3), NUMBERS)),
            max_size=3,
        ),
    ),
    st.binary(max_size=4),
)
contents = st.one_of(
    st.binary(max_size=200),
    st.lists(RECORDS, max_size=25).map(lambda records: BEGINNING + b"".join(records)),
    st.lists(st.sampled_from(MORE), max_size=25).map(lambda some: BEGINNING + b"".join(some)),
)
"""What may stand behind a spool's header."""
